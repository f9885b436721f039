//! The life of a frame: source, sampler, decoder, workers, sink.

use std::{
    collections::BTreeMap,
    io,
    ops::ControlFlow,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use ocelli_ingest::Source;
use ocelli_media::{
    AccessUnit,
    bitstream::{BitstreamError, PictureReader},
    decode::{DecodeError, Decoding, Outcome},
    libav::{Frame, LibavDecoder},
    sampler::{Sampler, Step, Window},
};
use ocelli_model::{SamplingPlan, Tally, TimeBase, Verdict};

use crate::{Failure, Place, Seen, Work, order::InOrder, reason::reason};

/// Reasons that are counted apart.
const MOST_REASONS: usize = 64;

/// How a source is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Which pictures.
    pub plan: SamplingPlan,
    /// Only results whose media time lies in this window; the choice is that of the whole file.
    pub window: Window,
}

/// Shared with whoever watches a run or wants it to end.
#[derive(Debug, Default)]
pub struct Watch {
    stop: AtomicBool,
    position: AtomicI64,
}

impl Watch {
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
    /// Every due slot of the window has a verdict.
    pub tally: Tally,
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

struct Job<T> {
    seq: u64,
    place: Place,
    work: T,
}

type Picture = Job<Result<Frame, Failure>>;
type Finished<T> = Job<Result<T, Failure>>;

/// Pictures between decoder and sink, per worker: one in hand, one ready, one waiting for its turn.
const IN_FLIGHT_PER_WORKER: usize = 3;

/// Looks at a whole source. `sink` gets every chosen picture, in PTS order within each run, on the caller's thread,
/// and may end it all. Files wait for slow workers and sinks: nothing is dropped. One decoding thread and one per
/// worker; at most three decoded pictures or results per worker are in flight.
pub fn run<W: Work>(
    source: &mut dyn Source,
    settings: Settings,
    workers: &mut [W],
    watch: &Watch,
    mut sink: impl FnMut(Seen<W::Output>) -> ControlFlow<()>,
) -> Result<Report, RunError> {
    let in_flight = workers.len().max(1) * IN_FLIGHT_PER_WORKER;
    thread::scope(|scope| {
        let (pictures, queue) = sync_channel::<Picture>(in_flight);
        let (finished, results) = sync_channel::<Finished<W::Output>>(in_flight);
        // One token per picture in flight: without it results that wait for a slow one could pile up.
        let (tokens, returned) = sync_channel::<()>(in_flight);
        let queue = Arc::new(Mutex::new(queue));
        for (index, worker) in workers.iter_mut().enumerate() {
            let (queue, finished) = (Arc::clone(&queue), finished.clone());
            let name = format!("worker-{index}");
            let builder = thread::Builder::new().name(name);
            builder
                .spawn_scoped(scope, move || serve(worker, &queue, &finished))
                .map_err(RunError::Thread)?;
        }
        // The workers own both ends now: the queues close when the last of them returns.
        drop((queue, finished));
        let reader = thread::Builder::new().name("decode".to_owned());
        let reader = reader
            .spawn_scoped(scope, move || {
                Reading::new(source, settings, watch, Outlet { pictures, tokens, seq: 0 }).all()
            })
            .map_err(RunError::Thread)?;
        let counted = collect(&results, &returned, watch, &mut sink);
        // Frees workers and decoder that wait for room, where the sink ended the run.
        drop((results, returned));
        let mut report = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        report.tally.analysed = counted.analysed;
        report.tally.failed = counted.failed.values().sum();
        report.reasons = counted.failed;
        report.stopped |= watch.is_stopped();
        Ok(report)
    })
}

#[derive(Default)]
struct Counted {
    analysed: u64,
    failed: BTreeMap<String, u64>,
}

/// Hands results to the sink in order.
fn collect<T>(
    results: &Receiver<Finished<T>>,
    tokens: &Receiver<()>,
    watch: &Watch,
    sink: &mut impl FnMut(Seen<T>) -> ControlFlow<()>,
) -> Counted {
    let mut order = InOrder::new();
    let mut counted = Counted::default();
    while let Ok(job) = results.recv() {
        order.put(job.seq, job);
        while let Some(job) = order.take() {
            // Never fails: the token was put before the picture was sent.
            tokens.recv().ok();
            match &job.work {
                Ok(_) => counted.analysed += 1,
                Err(failure) => count(&mut counted.failed, failure.reason.clone()),
            }
            if sink(Seen { place: job.place, result: job.work }).is_break() {
                watch.stop();
                return counted;
            }
        }
    }
    counted
}

/// One worker: takes pictures until there are none.
fn serve<W: Work>(
    worker: &mut W,
    queue: &Mutex<Receiver<Picture>>,
    finished: &SyncSender<Finished<W::Output>>,
) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { seq, place, work }) = next else { return };
        let work = work.and_then(|frame| {
            worker.work(place, &frame).map_err(|error| Failure { reason: error.to_string() })
        });
        if finished.send(Job { seq, place, work }).is_err() {
            return;
        }
    }
}

/// Source to decoded pictures, on one thread.
struct Reading<'a> {
    source: &'a mut dyn Source,
    watch: &'a Watch,
    outlet: Outlet,
    reader: PictureReader,
    sampler: Sampler,
    decoding: Decoding,
    base: TimeBase,
    run: u32,
    report: Report,
}

/// Where decoded pictures leave the decoding thread. Waits for room.
struct Outlet {
    pictures: SyncSender<Picture>,
    tokens: SyncSender<()>,
    seq: u64,
}

impl Outlet {
    fn send(&mut self, place: Place, work: Result<Frame, Failure>) -> ControlFlow<()> {
        let job = Job { seq: self.seq, place, work };
        self.seq += 1;
        let sent = self.tokens.send(()).is_ok() && self.pictures.send(job).is_ok();
        if sent { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

impl<'a> Reading<'a> {
    fn new(source: &'a mut dyn Source, settings: Settings, watch: &'a Watch, outlet: Outlet) -> Self {
        let parameters = source.parameters();
        let base = parameters.time_base;
        let open = |parameters: &_| -> Result<Box<dyn ocelli_media::decode::Decoder>, DecodeError> {
            Ok(Box::new(LibavDecoder::open(parameters)?))
        };
        Self {
            reader: PictureReader::new(parameters),
            sampler: Sampler::new(settings.plan, base).with_window(settings.window),
            decoding: Decoding::new(Box::new(open)),
            source,
            watch,
            outlet,
            base,
            run: 0,
            report: Report::default(),
        }
    }

    /// The life of a frame, from source to worker.
    fn all(mut self) -> Result<Report, RunError> {
        let mut first = None;
        while !self.watch.is_stopped() && !self.sampler.is_past_window() {
            let unit = match self.source.next_unit() {
                Ok(Some(unit)) => unit,
                Ok(None) => break,
                Err(error) => {
                    self.report.damage = Some(reason(&error));
                    break;
                }
            };
            let first = *first.get_or_insert(unit.pts);
            self.watch.position.store(unit.pts.saturating_sub(first), Ordering::Relaxed);
            let (least, most) = self.report.covered.unwrap_or((unit.pts, unit.pts));
            self.report.covered = Some((least.min(unit.pts), most.max(unit.pts)));
            self.report.pictures += 1;
            self.sample(unit);
            if self.take_steps()?.is_break() {
                break;
            }
        }
        // Where the end was asked for, open slots stay open: what they hold so far might not win them.
        if !self.watch.is_stopped() {
            self.sampler.finish();
        }
        if self.take_steps()?.is_continue() {
            self.decoding.drain();
            if self.send_outcomes().is_break() {
                self.report.stopped = true;
            }
        }
        self.report.damage = self.report.damage.or_else(|| self.source.damage().map(str::to_owned));
        Ok(self.report)
    }

    fn sample(&mut self, unit: AccessUnit) {
        match self.reader.read(&unit.data, unit.container_keyframe) {
            Ok(info) => self.sampler.push(unit, info),
            Err(BitstreamError::NoPicture) => self.sampler.pass_over(&unit),
            Err(error) => {
                count(&mut self.report.unreadable, error.to_string());
                let info = self.reader.unreadable();
                self.sampler.push(unit, info);
            }
        }
    }

    fn take_steps(&mut self) -> Result<ControlFlow<()>, RunError> {
        while let Some(step) = self.sampler.next_step() {
            match step {
                Step::Run { run, .. } => {
                    self.run = run;
                    self.report.runs += 1;
                }
                Step::Empty { slots } => self.report.tally.add(Verdict::Empty, slots),
                Step::EndOfRun => self.decoding.drain(),
                Step::Feed(feed) => {
                    match self.decoding.feed(&feed) {
                        Ok(()) => {}
                        Err(error) if self.report.decoded == 0 => return Err(RunError::Decode(error)),
                        Err(error) => {
                            self.report.damage = Some(format!("no decoder for what follows: {error}"));
                            return Ok(ControlFlow::Break(()));
                        }
                    }
                    self.report.decoded += 1;
                }
            }
            if self.send_outcomes().is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Waits for room where workers are slower than the decoder.
    fn send_outcomes(&mut self) -> ControlFlow<()> {
        for Outcome { pts, slot, picture } in self.decoding.take_outcomes() {
            let place = Place { run: self.run, pts, time_base: self.base, slot };
            let work = picture.map_err(|error| Failure { reason: error.to_string() });
            self.outlet.send(place, work)?;
        }
        ControlFlow::Continue(())
    }
}

/// Adds one to a reason: its own while there are few, then all that is new together. Decoders put places and byte
/// counts into their words, so that a damaged file has as many reasons as pictures.
fn count(reasons: &mut BTreeMap<String, u64>, reason: String) {
    let own = reasons.len() < MOST_REASONS || reasons.contains_key(&reason);
    *reasons.entry(if own { reason } else { "other reasons".to_owned() }).or_default() += 1;
}
