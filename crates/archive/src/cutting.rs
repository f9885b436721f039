//! When a part closes, and when a segment does. Pure; time is decode time, which only rises.
//!
//! How long a picture lasts is known when the next one comes. Only then is it settled in which part it is: where it would make one longer
//! than playlists promise, it begins the next.

use std::time::Duration;

use ocelli_model::TimeBase;

use crate::lengths::{Fit, Lengths};

/// What a unit begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begins {
    /// Nothing: it goes on with what is there.
    Nothing,
    Part,
    Segment,
}

/// Where is cut as a unit comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cuts {
    /// What the unit before it begins after all.
    pub(crate) before: Begins,
    /// What it begins.
    pub(crate) here: Begins,
}

/// A unit that comes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Next {
    pub(crate) dts: i64,
    /// Decoding can start with it.
    pub(crate) opens: bool,
    /// It needs another initialisation segment.
    pub(crate) anew: bool,
}

/// Where a run stands.
#[derive(Clone, Debug)]
pub(crate) struct Cutting {
    base: TimeBase,
    part: i64,
    segment: i64,
    /// Ticks that playlists tell of the parts of the segment before the one that grows.
    stated: i64,
    /// Decoding can start with the segment. Where it cannot, the next unit with which it can does not wait.
    opens: bool,
    last: i64,
    /// Decoding can start with the last unit.
    last_opens: bool,
    /// From the unit before the last to the last.
    step: i64,
}

impl Cutting {
    /// The first unit of a run begins a part and a segment.
    pub(crate) fn new(base: TimeBase, dts: i64, opens: bool) -> Self {
        Self { base, part: dts, segment: dts, stated: 0, opens, last: dts, last_opens: opens, step: 0 }
    }

    /// What the next unit begins.
    pub(crate) fn next(&mut self, unit: Next, lengths: &Lengths) -> Cuts {
        let Next { dts, opens, .. } = unit;
        let before = self.before(dts, lengths);
        self.begin(before, (self.last, self.last_opens), lengths);
        self.step = dts.saturating_sub(self.last);
        (self.last, self.last_opens) = (dts, opens);
        let here = self.here(unit, lengths);
        self.begin(here, (dts, opens), lengths);
        Cuts { before, here }
    }

    /// Whether the last unit, which ends at `dts`, has no place in the part or segment it was given to.
    fn before(&self, dts: i64, lengths: &Lengths) -> Begins {
        let (so_far, step) = (self.last.saturating_sub(self.part), dts.saturating_sub(self.last));
        let told = |ticks| lengths.stated(ticks, self.base);
        let segment = self.stated.saturating_add(told(so_far)).saturating_add(told(step));
        if self.last > self.segment && lengths.is_too_long(segment, self.base) {
            return Begins::Segment;
        }
        let too_long = lengths.fit(dts.saturating_sub(self.part), step, self.base) == Fit::TooLong;
        if so_far > 0 && too_long { Begins::Part } else { Begins::Nothing }
    }

    fn here(&self, Next { dts, opens, anew }: Next, lengths: &Lengths) -> Begins {
        // Half a picture more: lengths that are no multiple of a picture are met as well as can be.
        let reached = |length: Duration, step: i64| {
            let twice = i128::from(dts.saturating_sub(self.segment)) * 2 + i128::from(step);
            twice * i128::from(self.base.num()) * 1000
                >= length.as_millis() as i128 * 2 * i128::from(self.base.den())
        };
        if anew
            || opens && (!self.opens || reached(lengths.segment(), self.step))
            || reached(lengths.cap(), 0)
        {
            Begins::Segment
        } else if lengths.fit(dts.saturating_sub(self.part), self.step, self.base) != Fit::Short {
            Begins::Part
        } else {
            Begins::Nothing
        }
    }

    fn begin(&mut self, begins: Begins, (dts, opens): (i64, bool), lengths: &Lengths) {
        match begins {
            Begins::Nothing => {}
            Begins::Part => {
                let part = lengths.stated(dts.saturating_sub(self.part), self.base);
                (self.part, self.stated) = (dts, self.stated.saturating_add(part));
            }
            Begins::Segment => {
                (self.part, self.segment, self.stated, self.opens) = (dts, dts, 0, opens);
            }
        }
    }

    /// The unit that was last given begins a part all the same.
    pub(crate) fn close_part(&mut self, lengths: &Lengths) {
        self.begin(Begins::Part, (self.last, self.last_opens), lengths);
    }

    /// Ticks from the last unit in which none that follows can end a part, unless it opens a segment or describes another.
    pub(crate) fn rest(&self, lengths: &Lengths) -> i64 {
        let part = lengths.rest_of_part(self.last.saturating_sub(self.part), self.base);
        let segment = self.segment.saturating_add(lengths.shortest_cap(self.base));
        part.min(segment.saturating_sub(self.last)).max(0)
    }

    /// Ticks between the last two units, as a guess for a unit that nothing follows.
    pub(crate) fn step(&self) -> i64 {
        self.step.max(1)
    }
}

#[cfg(test)]
mod tests;
