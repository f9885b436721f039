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
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Shared {
    line: Mutex<Line>,
    ready: Condvar,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<(Arc<dyn Turns>, Stage)>,
    closed: bool,
}

impl Pool {
    /// Starts `threads` threads, at least one.
    pub(super) fn start(threads: usize) -> io::Result<Self> {
        let shared = Arc::new(Shared { line: Mutex::default(), ready: Condvar::new() });
        let pool = Self { shared, threads: Mutex::default() };
        for index in 0..threads.max(1) {
            let shared = Arc::clone(&pool.shared);
            let thread =
                thread::Builder::new().name(format!("pool-{index}")).spawn(move || shared.serve())?;
            pool.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        }
        Ok(pool)
    }

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
            self.shared.enqueue(who, stage);
        }
    }

    /// Stages that wait for a thread.
    pub(super) fn waiting(&self) -> usize {
        self.shared.line.lock().unwrap_or_else(PoisonError::into_inner).waiting.len()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.line.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.shared.ready.notify_all();
        for thread in self.threads.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // A turn's panic was caught.
            thread.join().ok();
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("waiting", &self.waiting()).finish_non_exhaustive()
    }
}

impl Shared {
    fn enqueue(&self, who: Arc<dyn Turns>, stage: Stage) {
        self.line.lock().unwrap_or_else(PoisonError::into_inner).waiting.push_back((who, stage));
        self.ready.notify_one();
    }

    fn serve(&self) {
        loop {
            let line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
            let idle = |line: &mut Line| line.waiting.is_empty() && !line.closed;
            let mut line = self.ready.wait_while(line, idle).unwrap_or_else(PoisonError::into_inner);
            let Some((who, stage)) = line.waiting.pop_front() else { return };
            drop(line);
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
