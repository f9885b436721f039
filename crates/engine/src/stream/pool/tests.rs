use std::sync::{
    Barrier,
    atomic::{AtomicBool, AtomicUsize},
    mpsc,
};

use super::*;

/// Takes so many turns, and tells of each.
struct Taker {
    name: u32,
    seats: Seats,
    left: AtomicUsize,
    told: mpsc::SyncSender<u32>,
    panics: AtomicBool,
    /// Before its first turn is over, both come here.
    gate: Option<(Barrier, Barrier)>,
}

impl Taker {
    fn new(name: u32, turns: usize, told: &mpsc::SyncSender<u32>) -> Self {
        let (seats, left) = (Seats::default(), AtomicUsize::new(turns));
        Self { name, seats, left, told: told.clone(), panics: AtomicBool::default(), gate: None }
    }
}

impl Turns for Taker {
    fn turn(&self, _stage: Stage) -> bool {
        if let Some((entered, leave)) = self.gate.as_ref().filter(|_| self.left.load(Ordering::Relaxed) > 0) {
            entered.wait();
            leave.wait();
        }
        assert!(!self.panics.swap(false, Ordering::Relaxed), "as the test asked");
        let left = self.left.load(Ordering::Relaxed).saturating_sub(1);
        self.left.store(left, Ordering::Relaxed);
        self.told.send(self.name).unwrap();
        left > 0
    }

    fn panicked(&self, _stage: Stage) {
        self.told.send(self.name + 100).unwrap();
    }

    fn seats(&self) -> &Seats {
        &self.seats
    }
}

/// Holds the only thread until what is to be compared stands in line.
fn gated(told: &mpsc::SyncSender<u32>) -> Arc<Taker> {
    let mut first = Taker::new(0, 1, told);
    first.gate = Some((Barrier::new(2), Barrier::new(2)));
    Arc::new(first)
}

#[test]
fn who_has_much_to_do_waits_as_long_as_any_other() {
    let (told, heard) = mpsc::sync_channel(64);
    let pool = Pool::start(1).unwrap();
    let first = gated(&told);
    let (entered, leave) = first.gate.as_ref().unwrap();
    pool.line().poke(&first, Stage::Decode);
    entered.wait();
    let busy = Arc::new(Taker::new(1, 5, &told));
    let others = [2, 3].map(|name| Arc::new(Taker::new(name, 2, &told)));
    pool.line().poke(&busy, Stage::Decode);
    for other in &others {
        pool.line().poke(other, Stage::Look);
    }
    assert_eq!(pool.line().waiting(), 3);
    leave.wait();
    let order: Vec<u32> = heard.iter().take(10).collect();
    assert_eq!(order, [0, 1, 2, 3, 1, 2, 3, 1, 1, 1]);
}

#[test]
fn what_comes_during_a_turn_is_another_turn_and_never_two_at_once() {
    let (told, heard) = mpsc::sync_channel(64);
    let pool = Pool::start(2).unwrap();
    let first = gated(&told);
    let (entered, leave) = first.gate.as_ref().unwrap();
    pool.line().poke(&first, Stage::Decode);
    entered.wait();
    // In its turn: the second thread is idle and must not take it up.
    for _ in 0..3 {
        pool.line().poke(&first, Stage::Decode);
    }
    assert_eq!(pool.line().waiting(), 0);
    leave.wait();
    assert_eq!(heard.iter().take(2).collect::<Vec<_>>(), [0, 0], "one more, for all three");
    drop(pool);
    assert!(heard.try_recv().is_err());
}

#[test]
fn a_panic_ends_one_and_the_others_go_on() {
    let (told, heard) = mpsc::sync_channel(64);
    let pool = Pool::start(1).unwrap();
    let bad = Arc::new(Taker::new(1, 3, &told));
    bad.panics.store(true, Ordering::Relaxed);
    let good = Arc::new(Taker::new(2, 2, &told));
    pool.line().poke(&bad, Stage::Decode);
    pool.line().poke(&good, Stage::Decode);
    assert_eq!(heard.iter().take(3).collect::<Vec<_>>(), [101, 2, 2]);
    // Its seat is free again: whoever owns it decides what that means.
    pool.line().poke(&bad, Stage::Look);
    assert_eq!(heard.iter().take(3).collect::<Vec<_>>(), [1, 1, 1]);
}

#[test]
fn the_pool_may_go_before_the_last_of_those_who_take_turns() {
    let (told, heard) = mpsc::sync_channel(64);
    let pool = Pool::start(1).unwrap();
    let line = pool.line().clone();
    let last = Arc::new(Taker::new(1, 1, &told));
    line.poke(&last, Stage::Decode);
    assert_eq!(heard.recv(), Ok(1));
    drop(pool);
    line.poke(&last, Stage::Decode);
    assert_eq!(line.waiting(), 1, "nobody serves any more");
}
