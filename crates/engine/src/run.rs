//! The life of a frame: source, sampler, decoder, workers, sink.

use std::{
    collections::BTreeMap,
    io,
    ops::ControlFlow,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use ocelli_ingest::Source;
use ocelli_media::{
    decode::DecodeError,
    libav::{Acceleration, Frame},
    sampler::{Interest, Window},
};
use ocelli_model::{SamplingPlan, Tally};

use crate::{
    Failure, Notice, Place, Seen, Work,
    order::InOrder,
    reading::{Outlet, Reading},
    reason::count,
};

/// How a source is looked at.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which pictures.
    pub plan: SamplingPlan,
    /// Only results whose media time lies in this window; the choice is that of the whole file.
    pub window: Window,
    /// Which of the chosen pictures anybody wants; all if `None`.
    pub interest: Option<Arc<dyn Interest>>,
    /// What decodes; `None` is software. A device that does not decode the source ends the run, or fails its pictures.
    pub acceleration: Option<Acceleration>,
}

impl Settings {
    /// All of a source, decoded in software.
    pub fn new(plan: SamplingPlan) -> Self {
        Self { plan, window: Window::ALL, interest: None, acceleration: None }
    }
}

/// Shared with whoever watches a run or wants it to end.
#[derive(Debug, Default)]
pub struct Watch {
    stop: Arc<AtomicBool>,
    pub(crate) position: AtomicI64,
}

impl Watch {
    /// A watch over another source that ends with this one.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self { stop: Arc::clone(&self.stop), position: AtomicI64::default() }
    }

    /// Ends the run after the pictures in hand.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether the end was asked for.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// How far the source is read: PTS of the newest unit less that of the first, in ticks. Units come in decode
    /// order, so it may step back a little, and where media time starts anew by much. For progress only.
    pub fn position(&self) -> i64 {
        self.position.load(Ordering::Relaxed)
    }
}

/// What became of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Every due slot of the window has a verdict, or was passed.
    pub tally: Tally,
    /// Chosen pictures that nobody wanted.
    pub passed: u64,
    /// Why pictures failed, with counts; beyond 64 reasons the new ones are counted as one.
    pub reasons: BTreeMap<String, u64>,
    /// Runs that began: more than one where media time stepped.
    pub runs: u32,
    /// Smallest and largest PTS read, in ticks; for people only, where media time steps.
    pub covered: Option<(i64, i64)>,
    /// Access units read.
    pub pictures: u64,
    /// Coded pictures that went through the decoder.
    pub decoded: u64,
    /// Bytes that could not be read as pictures, with counts, bounded likewise.
    pub unreadable: BTreeMap<String, u64>,
    /// The container is damaged or the source ended early: results are those up to there.
    pub damage: Option<String>,
    /// The end was asked for, by [`Watch::stop`] or by the sink.
    pub stopped: bool,
}

/// Why nothing, or nothing more, could be done.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No decoder, or it refused the stream.
    #[error("cannot decode the video")]
    Decode(#[source] DecodeError),
    /// Threads could not be started.
    #[error("cannot start a worker")]
    Thread(#[source] io::Error),
}

/// A picture on its way through the workers.
pub(crate) struct Job<T> {
    /// Place in the order of results.
    pub(crate) seq: u64,
    pub(crate) place: Place,
    pub(crate) work: T,
}

/// What is told at its place in the order of results.
pub(crate) struct Told<T> {
    pub(crate) seq: u64,
    pub(crate) notice: Notice<T>,
}

pub(crate) type Picture = Job<Result<Frame, Failure>>;

/// Pictures between decoder and sink, per worker: one in hand, one ready, one waiting for its turn.
const IN_FLIGHT_PER_WORKER: usize = 3;

/// Looks at a whole source. `sink` is told everything, every chosen picture in PTS order within its run, on the
/// caller's thread, and may end it all. Files wait for slow workers and sinks: nothing is dropped. One decoding thread and one per
/// worker; at most three decoded pictures or results per worker are in flight.
pub fn run<W: Work>(
    source: &mut dyn Source,
    settings: Settings,
    workers: &mut [W],
    watch: &Watch,
    mut sink: impl FnMut(Notice<W::Output>) -> ControlFlow<()>,
) -> Result<Report, RunError> {
    let in_flight = workers.len().max(1) * IN_FLIGHT_PER_WORKER;
    thread::scope(|scope| {
        let (pictures, queue) = sync_channel::<Picture>(in_flight);
        let (finished, results) = sync_channel::<Option<Told<W::Output>>>(in_flight);
        // One token per picture in flight: without it results that wait for a slow one could pile up.
        let (tokens, returned) = sync_channel::<()>(in_flight);
        let queue = Arc::new(Mutex::new(queue));
        for (index, worker) in workers.iter_mut().enumerate() {
            let (queue, finished) = (Arc::clone(&queue), finished.clone());
            let name = format!("worker-{index}");
            let builder = thread::Builder::new().name(name);
            builder
                .spawn_scoped(scope, move || serve(worker, &queue, &finished, watch))
                .map_err(RunError::Thread)?;
        }
        // The workers own the queue's other end now: it closes when the last of them returns.
        drop(queue);
        let reader = thread::Builder::new().name("decode".to_owned());
        let reader = reader
            .spawn_scoped(scope, move || {
                Reading::new(source, settings, watch, Outlet { pictures, told: finished, tokens, seq: 0 })
                    .all()
            })
            .map_err(RunError::Thread)?;
        let counted = collect(&results, &returned, watch, &mut sink);
        // Frees workers and decoder that wait for room, where the sink ended the run.
        drop((results, returned));
        let mut report = reader.join().unwrap_or_else(|cause| panic::resume_unwind(cause))?;
        report.tally.analysed = counted.analysed;
        report.tally.failed = counted.failed.values().sum();
        report.reasons = counted.failed;
        Ok(report)
    })
}

#[derive(Default)]
struct Counted {
    analysed: u64,
    failed: BTreeMap<String, u64>,
}

/// Hands notices to the sink in order, up to the end, or to the first `None`: then a worker panicked.
fn collect<T>(
    results: &Receiver<Option<Told<T>>>,
    tokens: &Receiver<()>,
    watch: &Watch,
    sink: &mut impl FnMut(Notice<T>) -> ControlFlow<()>,
) -> Counted {
    let mut order = InOrder::new();
    let mut counted = Counted::default();
    while let Ok(Some(Told { seq, notice })) = results.recv() {
        order.put(seq, notice);
        while let Some(notice) = order.take() {
            // Never fails: the token was put before the notice was sent.
            tokens.recv().ok();
            match &notice {
                Notice::Frame(Seen { result: Ok(_), .. }) => counted.analysed += 1,
                Notice::Frame(Seen { result: Err(failure), .. }) => {
                    count(&mut counted.failed, failure.reason.clone());
                }
                _ => {}
            }
            if sink(notice).is_break() {
                watch.stop();
                return counted;
            }
        }
    }
    counted
}

/// One worker: takes pictures until there are none. A panic in it is a bug: everything ends, so that nobody waits for
/// its result, nor for those of pictures that it would have taken, and the panic goes on.
fn serve<W: Work>(
    worker: &mut W,
    queue: &Mutex<Receiver<Picture>>,
    finished: &SyncSender<Option<Told<W::Output>>>,
    watch: &Watch,
) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { seq, place, work }) = next else { return };
        let worked = panic::catch_unwind(AssertUnwindSafe(|| {
            work.and_then(|frame| {
                worker.work(place, &frame).map_err(|error| Failure { reason: error.to_string() })
            })
        }));
        let result = worked.unwrap_or_else(|panicked| {
            watch.stop();
            finished.send(None).ok();
            panic::resume_unwind(panicked)
        });
        if finished.send(Some(Told { seq, notice: Notice::Frame(Seen { place, result }) })).is_err() {
            return;
        }
    }
}
