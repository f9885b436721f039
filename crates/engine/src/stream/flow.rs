//! One attempt's way from coded units to what is kept: the stages that the pool's threads take turns in.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use bytes::Bytes;
use ocelli_ingest::WallAnchor;
use ocelli_media::sampler::Step;

use super::{
    coded::{Coded, CodedQueue, Timed},
    counters::{Counters, Part, thread_cpu},
    decoding::DecodeStage,
    looking::{LookItem, LookStage},
    pool::{Line, Seats, Stage, Turns},
    seat::Seat,
};
use crate::{Look, Notice};

/// Decoded pictures of a stream that wait to be looked at.
const MOST_PICTURES: usize = 2;
/// What waits for the look stage, verdicts without a picture included.
const MOST_WAITING: usize = 4096;
/// Notices that wait for the keeper.
const MOST_KEPT: usize = 64;

/// What became of a picture before it is kept.
#[derive(Debug)]
pub(super) struct Pictured {
    pub(super) size: (u32, u32),
    /// The picture as a JPEG, where one is wanted, or why there is none.
    pub(super) jpeg: Option<Result<Bytes, String>>,
    /// One per model.
    pub(super) looks: Vec<Look>,
}

/// For the keeper.
#[derive(Debug)]
pub(super) enum Kept {
    /// With the time at which the unit arrived.
    Notice(Notice<Pictured>, Instant),
    /// What a clock showed at a PTS of the run in hand.
    Anchor(WallAnchor),
    /// Nothing follows.
    End,
}

/// Why an attempt ends that its source did not end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) reason: String,
    /// The same again would fail the same way.
    pub(super) lasting: bool,
}

impl Trouble {
    /// What may be over with the next attempt.
    pub(super) fn passing(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), lasting: false }
    }

    /// A panic, of which the log tells more.
    pub(super) fn bug() -> Self {
        Self::passing("internal error, which the log tells more about")
    }
}

/// The queues between the stages, and the stages.
pub(super) struct Flow {
    me: Weak<Self>,
    pub(super) seat: Arc<Seat>,
    /// Media does not wait.
    live: bool,
    line: Line,
    seats: Seats,
    /// Of whatever the pool's threads say meanwhile.
    span: tracing::Span,
    coded: Mutex<CodedQueue>,
    coded_room: Condvar,
    decoding: Mutex<DecodeStage>,
    pictures: Mutex<VecDeque<LookItem>>,
    looking: Mutex<LookStage>,
    kept: Mutex<VecDeque<Kept>>,
    kept_ready: Condvar,
    failure: Mutex<Option<Trouble>>,
    failed: AtomicBool,
    /// A stage is broken: what comes is of no use.
    dead: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Flow {
    pub(super) fn new(
        seat: Arc<Seat>,
        line: Line,
        (decoding, looking): (DecodeStage, LookStage),
        live: bool,
    ) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            seat,
            live,
            line,
            seats: Seats::default(),
            span: tracing::Span::current(),
            coded: Mutex::default(),
            coded_room: Condvar::new(),
            decoding: Mutex::new(decoding),
            pictures: Mutex::default(),
            looking: Mutex::new(looking),
            kept: Mutex::default(),
            kept_ready: Condvar::new(),
            failure: Mutex::default(),
            failed: AtomicBool::default(),
            dead: AtomicBool::default(),
        })
    }

    /// Hands a step to the decoder. A file waits for room; of a live stream something is dropped instead.
    pub(super) fn plan(&self, coded: Coded, planned: Instant, arrived: Instant) {
        let mut queue = lock(&self.coded);
        if !self.live {
            let full = |queue: &mut CodedQueue| !queue.has_room() && !self.is_dead();
            queue = self.coded_room.wait_while(queue, full).unwrap_or_else(PoisonError::into_inner);
        }
        let dropped = queue.push(Timed { coded, planned, arrived }, self.live);
        let overrun = queue.is_overrun();
        self.seat.counters.waiting_coded.store(queue.len() as u64, Ordering::Relaxed);
        drop(queue);
        Counters::add(&self.seat.counters.dropped_coded, dropped);
        if overrun {
            self.fail(Trouble::passing("the machine is so busy that nothing of this stream was decoded"));
        }
        self.poke(Stage::Decode);
    }

    /// Ends the attempt for a reason that lies here, not at the source. The first one counts.
    pub(super) fn fail(&self, trouble: Trouble) {
        lock(&self.failure).get_or_insert(trouble);
        self.failed.store(true, Ordering::Release);
    }

    /// Ends it where a thread of it panicked: whoever waits for that thread goes on.
    pub(super) fn abort(&self) {
        self.fail(Trouble::bug());
        let queue = lock(&self.coded);
        self.dead.store(true, Ordering::Release);
        drop(queue);
        self.coded_room.notify_all();
        self.keep(Kept::End);
    }

    /// Whether reading on is of no use.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    pub(super) fn failure(&self) -> Option<Trouble> {
        lock(&self.failure).clone()
    }

    fn poke(&self, stage: Stage) {
        if let Some(me) = self.me.upgrade() {
            self.line.poke(&me, stage);
        }
    }

    fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Acquire)
    }

    /// The next thing to keep; `None` at the end.
    pub(super) fn next_kept(&self) -> Option<Kept> {
        let kept = lock(&self.kept);
        let mut kept =
            self.kept_ready.wait_while(kept, |kept| kept.is_empty()).unwrap_or_else(PoisonError::into_inner);
        let was_full = kept.len() >= MOST_KEPT;
        let next = kept.pop_front();
        self.seat.counters.waiting_kept.store(kept.len() as u64, Ordering::Relaxed);
        drop(kept);
        if was_full {
            self.poke(Stage::Look);
        }
        next.filter(|next| !matches!(next, Kept::End))
    }

    fn keep(&self, kept: Kept) {
        let mut waiting = lock(&self.kept);
        waiting.push_back(kept);
        self.seat.counters.waiting_kept.store(waiting.len() as u64, Ordering::Relaxed);
        drop(waiting);
        self.kept_ready.notify_one();
    }

    /// Pictures for the look stage: where media does not wait, the newest win.
    fn show(&self, items: Vec<LookItem>) {
        if items.is_empty() {
            return;
        }
        // What a decoder held back comes out at once, and is in memory anyway.
        let most = MOST_PICTURES.max(items.iter().filter(|item| item.is_picture()).count());
        let mut pictures = lock(&self.pictures);
        pictures.extend(items);
        self.seat.counters.waiting_pictures.store(pictures.len() as u64, Ordering::Relaxed);
        if !self.live {
            drop(pictures);
            return self.poke(Stage::Look);
        }
        let waiting =
            |pictures: &VecDeque<LookItem>| pictures.iter().filter(|item| item.is_picture()).count();
        for _ in most..waiting(&pictures) {
            let Some(oldest) = pictures.iter_mut().find(|item| item.is_picture()) else { break };
            oldest.drop_picture();
            Counters::add(&self.seat.counters.dropped_picture, 1);
        }
        if pictures.len() > MOST_WAITING {
            let slow = "the store or the frame folder is so slow that nothing of this stream was kept";
            self.fail(Trouble::passing(slow));
        }
        drop(pictures);
        self.poke(Stage::Look);
    }

    fn decode_turn(&self) -> bool {
        let counters = &self.seat.counters;
        if !self.live && lock(&self.pictures).len() >= MOST_PICTURES {
            // The look stage says when there is room.
            return false;
        }
        let next = {
            let mut queue = lock(&self.coded);
            let next = queue.pop();
            counters.waiting_coded.store(queue.len() as u64, Ordering::Relaxed);
            next
        };
        let Some(Timed { coded, arrived, .. }) = next else { return false };
        self.coded_room.notify_one();
        let before = thread_cpu();
        let mut decoding = lock(&self.decoding);
        if matches!(coded, Coded::Step(Step::Feed(_))) {
            Counters::add(&counters.decoded, 1);
        }
        let taken = decoding.take(coded, arrived);
        drop(decoding);
        counters.spent(Part::Decode, thread_cpu().saturating_sub(before));
        match taken {
            Ok(items) => self.show(items),
            Err(trouble) => self.fail(trouble),
        }
        !lock(&self.coded).is_empty()
    }

    fn look_turn(&self) -> bool {
        if lock(&self.kept).len() >= MOST_KEPT {
            return false;
        }
        let next = {
            let mut pictures = lock(&self.pictures);
            let next = pictures.pop_front();
            self.seat.counters.waiting_pictures.store(pictures.len() as u64, Ordering::Relaxed);
            next
        };
        let Some(item) = next else { return false };
        // Only where something gave room, and only to whom waits for it: stages that poke each other for nothing never rest.
        if !self.live {
            self.poke(Stage::Decode);
        }
        let kept = lock(&self.looking).look(item, &self.seat);
        self.keep(kept);
        !lock(&self.pictures).is_empty()
    }
}

/// The two stages as the pool sees them, each poking the other.
impl Turns for Flow {
    fn turn(&self, stage: Stage) -> bool {
        if self.is_dead() {
            return false;
        }
        self.span.in_scope(|| match stage {
            Stage::Decode => self.decode_turn(),
            Stage::Look => self.look_turn(),
        })
    }

    fn panicked(&self, stage: Stage) {
        let _within = self.span.enter();
        tracing::error!(?stage, "internal error: a stage of this stream panicked");
        self.abort();
    }

    fn seats(&self) -> &Seats {
        &self.seats
    }
}

impl std::fmt::Debug for Flow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flow")
            .field("stream", &self.seat.id)
            .field("live", &self.live)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
