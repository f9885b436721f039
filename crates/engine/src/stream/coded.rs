//! What waits to be decoded of one stream, and what goes when there is too much of it.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use ocelli_ingest::WallAnchor;
use ocelli_media::{
    bitstream::{Access, CarriedSets},
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
    /// What follows does not go on from what came before.
    Gap,
    /// A choice whose unit went for want of time.
    Dropped(Passed),
    /// The run is over; chosen pictures and empty slots that it had.
    RunEnd { last_pts: i64, due: u64, whole: bool },
    /// What a clock showed at a PTS.
    Anchor(WallAnchor),
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
    gap: Gap,
}

/// What is amiss after units were dropped, at the end of the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Gap {
    /// Nothing.
    #[default]
    Closed,
    /// All is of no use up to where decoding can start.
    Open,
    /// Decoding started at a keyframe of this PTS: what is shown before it needs what was dropped.
    Leading(i64),
    /// Decoding started at a recovery point: pictures are right so many references later.
    Recovering(u32),
}

/// What becomes of a unit after a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Admitted {
    Whole,
    /// It is decoded for others; its own picture is not right.
    AsReference,
    No,
}

impl Gap {
    /// Judges the next unit in decode order; where decoding starts anew, the unit becomes a fresh one.
    fn admit(&mut self, feed: &mut Feed) -> Admitted {
        let keyframe = matches!(feed.info.access, Access::Keyframe { .. });
        // Leading pictures of a second keyframe refer to what is whole.
        let is_over = feed.fresh || (keyframe && matches!(self, Self::Leading(_)));
        match (*self, feed.info.access) {
            (Self::Closed, _) => {}
            _ if is_over => *self = Self::Closed,
            (Self::Open | Self::Recovering(_), Access::Keyframe { .. }) => {
                (*self, feed.fresh) = (Self::Leading(feed.unit.pts), true);
            }
            (Self::Open, Access::Recovery { after }) => {
                (*self, feed.fresh) = (Self::Recovering(after), true);
            }
            _ => {}
        }
        match self {
            Self::Open => Admitted::No,
            Self::Leading(start) if !keyframe && feed.unit.pts < *start => Admitted::No,
            Self::Leading(_) | Self::Closed => Admitted::Whole,
            Self::Recovering(0) => {
                *self = Self::Closed;
                Admitted::Whole
            }
            Self::Recovering(left) => {
                *left -= u32::from(feed.info.reference);
                Admitted::AsReference
            }
        }
    }
}

impl CodedQueue {
    /// Adds a step; of a live stream, what is too old goes first. Gives how many choices were dropped.
    pub(super) fn push(&mut self, item: Timed, live: bool) -> u64 {
        let now = item.planned;
        let mut dropped = self.take(item);
        while live && self.is_behind(now) {
            dropped += self.shed();
        }
        dropped
    }

    /// Queues a step, or what is left of it after a gap.
    fn take(&mut self, mut item: Timed) -> u64 {
        let Coded::Step(Step::Feed(feed)) = &mut item.coded else {
            self.items.push_back(item);
            return 0;
        };
        let admitted = self.gap.admit(feed);
        let lost = (admitted != Admitted::Whole).then(|| choice(feed)).flatten();
        let Timed { planned, arrived, .. } = item;
        if admitted == Admitted::No {
            self.carried.keep(&feed.unit);
        } else {
            self.carried.give(&mut feed.unit);
            self.bytes += feed.unit.data.len();
            if lost.is_some() {
                feed.chosen = None;
            }
            self.items.push_back(item);
        }
        let coded = lost.map(Coded::Dropped);
        self.items.extend(coded.map(|coded| Timed { coded, planned, arrived }));
        u64::from(lost.is_some())
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

    /// Drops the first unit, and what follows up to where decoding can start without it.
    fn shed(&mut self) -> u64 {
        let (mut dropped, mut began) = (0, false);
        self.bytes = 0;
        for mut item in std::mem::take(&mut self.items) {
            if let (false, Coded::Step(Step::Feed(feed))) = (began, &item.coded) {
                began = true;
                self.gap = Gap::Open;
                self.carried.keep(&feed.unit);
                let lost = choice(feed);
                dropped += u64::from(lost.is_some());
                let Timed { planned, arrived, .. } = item;
                self.items.push_back(Timed { coded: Coded::Gap, planned, arrived });
                item.coded = match lost {
                    Some(lost) => Coded::Dropped(lost),
                    None => continue,
                };
            }
            dropped += self.take(item);
        }
        dropped
    }
}

fn choice(feed: &Feed) -> Option<Passed> {
    feed.chosen.map(|chosen| Passed { pts: feed.unit.pts, slot: chosen.slot, floor: feed.floor })
}

#[cfg(test)]
mod tests;
