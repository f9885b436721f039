//! What waits to be decoded of one stream, and what goes when there is too much of it.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use ocelli_media::{
    bitstream::CarriedSets,
    sampler::{Feed, Passed, Step},
};

/// A live stream's units wait at most this long since they were planned.
const PATIENCE: Duration = Duration::from_secs(2);
/// And have at most this many bytes: 2 s of 64 Mb/s.
const MOST_BYTES: usize = 16 << 20;
/// Steps of any kind. Files wait for room at a fraction of it; a live stream that gets there is decoded by nobody.
const MOST_STEPS: usize = 4096;
/// A file is read ahead by this many steps.
const AHEAD: usize = 64;

/// One thing to do for the decoding side, in decode order.
#[derive(Debug)]
pub(super) enum Coded {
    /// As the sampler said.
    Step(Step),
    /// A choice whose unit went for want of time.
    Dropped(Passed),
    /// The run is over; chosen pictures and empty slots that it had.
    RunEnd { last_pts: i64, due: u64, whole: bool },
    /// Nothing follows.
    End,
}

/// A step with the time at which it was planned, and that of its unit's arrival.
#[derive(Debug)]
pub(super) struct Timed {
    pub(super) coded: Coded,
    pub(super) planned: Instant,
    pub(super) arrived: Instant,
}

/// Bounded by time and bytes where media does not wait; a keyframe, or any unit that needs nothing before it, is where
/// decoding goes on after a gap.
#[derive(Debug, Default)]
pub(super) struct CodedQueue {
    items: VecDeque<Timed>,
    bytes: usize,
    carried: CarriedSets,
    /// What was dropped reaches to the end of the queue: what follows is of no use before the next fresh unit.
    awaiting_fresh: bool,
}

impl CodedQueue {
    /// Adds a step; of a live stream, what is too old goes first. Gives how many choices were dropped.
    pub(super) fn push(&mut self, mut item: Timed, live: bool) -> u64 {
        let now = item.planned;
        let mut dropped = 0;
        if let Coded::Step(Step::Feed(feed)) = &mut item.coded {
            self.awaiting_fresh &= !feed.fresh;
            if self.awaiting_fresh {
                self.carried.keep(&feed.unit);
                dropped += u64::from(feed.chosen.is_some());
                match choice(feed) {
                    Some(choice) => item.coded = Coded::Dropped(choice),
                    None => return 0,
                }
            } else {
                self.carried.give(&mut feed.unit);
                self.bytes += feed.unit.data.len();
            }
        }
        self.items.push_back(item);
        if live && self.is_behind(now) {
            dropped += self.shed();
        }
        dropped
    }

    pub(super) fn pop(&mut self) -> Option<Timed> {
        let item = self.items.pop_front()?;
        if let Coded::Step(Step::Feed(feed)) = &item.coded {
            self.bytes -= feed.unit.data.len();
        }
        Some(item)
    }

    /// Whether a file may be read further.
    pub(super) fn has_room(&self) -> bool {
        self.items.len() < AHEAD && self.bytes < MOST_BYTES
    }

    /// Whether nobody decodes: not even what is no picture finds room.
    pub(super) fn is_overrun(&self) -> bool {
        self.items.len() >= MOST_STEPS
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    fn is_behind(&self, now: Instant) -> bool {
        let waiting = |item: &&Timed| matches!(item.coded, Coded::Step(Step::Feed(_)));
        let oldest = self.items.iter().find(waiting).map(|item| item.planned);
        self.bytes > MOST_BYTES
            || oldest.is_some_and(|planned| now.saturating_duration_since(planned) > PATIENCE)
    }

    /// Drops units up to the next that needs nothing before it, or all of them.
    fn shed(&mut self) -> u64 {
        let mut dropped = 0;
        let mut kept = VecDeque::with_capacity(self.items.len());
        let mut began = false;
        self.awaiting_fresh = true;
        for mut item in std::mem::take(&mut self.items) {
            if let Coded::Step(Step::Feed(feed)) = &mut item.coded {
                self.awaiting_fresh &= !(began && feed.fresh);
                began = true;
                if self.awaiting_fresh {
                    self.bytes -= feed.unit.data.len();
                    self.carried.keep(&feed.unit);
                    match choice(feed) {
                        Some(choice) => item.coded = Coded::Dropped(choice),
                        None => continue,
                    }
                    dropped += 1;
                } else {
                    let before = feed.unit.data.len();
                    self.carried.give(&mut feed.unit);
                    self.bytes += feed.unit.data.len() - before;
                }
            }
            kept.push_back(item);
        }
        self.items = kept;
        dropped
    }
}

fn choice(feed: &Feed) -> Option<Passed> {
    feed.chosen.map(|chosen| Passed { pts: feed.unit.pts, slot: chosen.slot, floor: feed.floor })
}

#[cfg(test)]
mod tests;
