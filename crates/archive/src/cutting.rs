//! When a part closes, and when a segment does. Pure; time is decode time, which only rises.

use std::time::Duration;

use ocelli_model::TimeBase;

use crate::ArchiveConfig;

/// What a unit begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begins {
    /// Nothing: it goes on with what is there.
    Nothing,
    Part,
    Segment,
}

/// The lengths, and those that only the first of their kind tell: playlists promise the longest part and segment, and a promise
/// is kept as long as a stream is recorded.
#[derive(Clone, Debug)]
pub(crate) struct Lengths {
    part: Duration,
    segment: Duration,
    longest: Duration,
    /// Whole seconds; `None` before the first segment is whole.
    cap: Option<u32>,
    part_target_ms: Option<u32>,
}

impl Lengths {
    pub(crate) fn new(config: &ArchiveConfig) -> Self {
        let (part, segment, longest) =
            (config.part, config.segment, config.longest_segment.max(config.segment));
        Self { part, segment, longest, cap: None, part_target_ms: None }
    }

    /// Longest segment in whole seconds, 0 where it is not known yet.
    pub(crate) fn target_seconds(&self) -> u32 {
        self.cap.unwrap_or(0)
    }

    /// Longest part, 0 where it is not known yet.
    pub(crate) fn part_target_ms(&self) -> u32 {
        self.part_target_ms.unwrap_or(0)
    }

    /// A part is whole.
    pub(crate) fn part_closed(&mut self, ticks: i64, base: TimeBase) {
        let least = self.part.as_millis() as u32;
        self.part_target_ms.get_or_insert_with(|| least.max(ceil(ticks, base, 1000)));
    }

    /// A segment is whole, and ended because the next could begin, or was long enough.
    pub(crate) fn segment_closed(&mut self, ticks: i64, base: TimeBase) {
        let least = whole_seconds(self.segment).max(1);
        let most = whole_seconds(self.longest);
        self.cap.get_or_insert_with(|| ceil(ticks, base, 1).clamp(least, most));
    }

    fn cap(&self) -> Duration {
        self.cap.map_or(self.longest, |seconds| Duration::from_secs(u64::from(seconds)))
    }
}

fn whole_seconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)
}

/// Ticks in units of `1/scale` seconds, rounded up.
fn ceil(ticks: i64, base: TimeBase, scale: u32) -> u32 {
    let scaled = i128::from(ticks.max(0)) * i128::from(base.num()) * i128::from(scale);
    let den = i128::from(base.den());
    u32::try_from((scaled + den - 1) / den).unwrap_or(u32::MAX)
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
    /// Decoding can start with the segment. Where it cannot, the next unit with which it can does not wait.
    opens: bool,
    last: i64,
    /// From the unit before the last to the last.
    step: i64,
}

impl Cutting {
    /// The first unit of a run begins a part and a segment.
    pub(crate) fn new(base: TimeBase, dts: i64, opens: bool) -> Self {
        Self { base, part: dts, segment: dts, opens, last: dts, step: 0 }
    }

    /// What the next unit begins.
    pub(crate) fn next(&mut self, unit: Next, lengths: &Lengths) -> Begins {
        let Next { dts, opens, anew } = unit;
        self.step = dts.saturating_sub(self.last);
        self.last = dts;
        // Half a picture more: lengths that are no multiple of a picture are met as well as can be.
        let reached = |from: i64, length: Duration, step: i64| {
            let twice = i128::from(dts.saturating_sub(from)) * 2 + i128::from(step);
            twice * i128::from(self.base.num()) * 1000
                >= length.as_millis() as i128 * 2 * i128::from(self.base.den())
        };
        let begins = if anew
            || opens && (!self.opens || reached(self.segment, lengths.segment, self.step))
            || reached(self.segment, lengths.cap(), 0)
        {
            Begins::Segment
        } else if reached(self.part, lengths.part, self.step) {
            Begins::Part
        } else {
            Begins::Nothing
        };
        match begins {
            Begins::Nothing => {}
            Begins::Part => self.part = dts,
            Begins::Segment => (self.part, self.segment, self.opens) = (dts, dts, opens),
        }
        begins
    }

    /// The unit that was last given begins a part all the same.
    pub(crate) fn close_part(&mut self) {
        self.part = self.last;
    }

    /// Ticks between the last two units, as a guess for a unit that nothing follows.
    pub(crate) fn step(&self) -> i64 {
        self.step.max(1)
    }
}

#[cfg(test)]
mod tests;
