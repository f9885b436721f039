//! Threads that all streams share: as many as cores, each taking one turn of one stream after the other.

use std::{
    collections::VecDeque,
    io,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    thread::{self, JoinHandle},
};

/// What a turn is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Coded units to pictures.
    Decode,
    /// Pictures to results.
    Look,
}

/// What takes turns. One turn of a stage at a time, never two at once; a turn is short: one unit, one picture.
pub(super) trait Turns: Send + Sync {
    /// Takes a turn; whether there is more to do at once.
    fn turn(&self, stage: Stage) -> bool;
    /// A turn panicked, which is a bug: this one ends, the others go on.
    fn panicked(&self, stage: Stage);
    /// Where its stages stand.
    fn seats(&self) -> &Seats;
}

#[cfg(test)]
impl Seats {
    /// Neither stage is in its turn or in line.
    pub(super) fn are_idle(&self) -> bool {
        self.0.iter().all(|seat| seat.load(Ordering::Acquire) == IDLE)
    }
}

/// Whether each stage waits for work, for its turn, or is in it.
#[derive(Debug, Default)]
pub(super) struct Seats([AtomicU8; 2]);

const IDLE: u8 = 0;
const READY: u8 = 1;
const TURN: u8 = 2;
/// In its turn, and something came meanwhile.
const TURN_AND_MORE: u8 = 3;

/// Round robin: who took a turn goes to the end of the line. A stream with much to do waits as long as any other.
pub(super) struct Pool {
    line: Line,
    threads: Vec<JoinHandle<()>>,
}

/// Where what takes turns queues. It holds this and not the pool: the last to let go of it is often one of the pool's
/// threads, which cannot wait for its own end.
#[derive(Clone)]
pub(super) struct Line(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    ready: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<(Arc<dyn Turns>, Stage)>,
    closed: bool,
}

impl Pool {
    /// Starts `threads` threads, at least one.
    pub(super) fn start(threads: usize) -> io::Result<Self> {
        let line = Line(Arc::new(Shared { queue: Mutex::default(), ready: Condvar::new() }));
        let mut pool = Self { line, threads: Vec::new() };
        for index in 0..threads.max(1) {
            let shared = Arc::clone(&pool.line.0);
            let thread =
                thread::Builder::new().name(format!("pool-{index}")).spawn(move || shared.serve())?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    pub(super) fn line(&self) -> &Line {
        &self.line
    }
}

impl Line {
    /// There is something to do for a stage. Cheap, and harmless where it is known already.
    pub(super) fn poke(&self, who: &Arc<impl Turns + 'static>, stage: Stage) {
        let seat = &who.seats().0[stage as usize];
        let poked = |now| match now {
            IDLE => Some(READY),
            TURN => Some(TURN_AND_MORE),
            _ => None,
        };
        if seat.fetch_update(Ordering::AcqRel, Ordering::Acquire, poked) == Ok(IDLE) {
            let who: Arc<dyn Turns> = Arc::clone(who) as _;
            self.0.enqueue(who, stage);
        }
    }

    /// Stages that wait for a thread.
    pub(super) fn waiting(&self) -> usize {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner).waiting.len()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.line.0.queue.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.line.0.ready.notify_all();
        for thread in self.threads.drain(..) {
            // A turn's panic was caught.
            thread.join().ok();
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("waiting", &self.line.waiting()).finish_non_exhaustive()
    }
}

impl Shared {
    fn enqueue(&self, who: Arc<dyn Turns>, stage: Stage) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).waiting.push_back((who, stage));
        self.ready.notify_one();
    }

    fn serve(&self) {
        loop {
            let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            let idle = |queue: &mut Queue| queue.waiting.is_empty() && !queue.closed;
            let mut queue = self.ready.wait_while(queue, idle).unwrap_or_else(PoisonError::into_inner);
            let Some((who, stage)) = queue.waiting.pop_front() else { return };
            drop(queue);
            self.turn(who, stage);
        }
    }

    fn turn(&self, who: Arc<dyn Turns>, stage: Stage) {
        let seat = &who.seats().0[stage as usize];
        seat.store(TURN, Ordering::Release);
        let more = panic::catch_unwind(AssertUnwindSafe(|| who.turn(stage))).unwrap_or_else(|_panicked| {
            who.panicked(stage);
            false
        });
        let after = |now| if more || now == TURN_AND_MORE { READY } else { IDLE };
        let before = seat.fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| Some(after(now)));
        if before.map(after) == Ok(READY) {
            self.enqueue(who, stage);
        }
    }
}

#[cfg(test)]
mod tests;
