//! How long parts and segments are to be, and what playlists promise of it (RFC 8216bis, sections 4.4.3.1 and 4.4.3.7).

use std::time::Duration;

use ocelli_model::TimeBase;

use crate::ArchiveConfig;

/// Parts that tell how long those of a stream are, at most.
const MOST_SEEN: usize = 1000;

/// The lengths, and the promises. These are made when the first segment is whole, before a playlist is shown to anybody, and kept as
/// long as the window goes on: a playlist may not change them.
#[derive(Clone, Debug)]
pub(crate) struct Lengths {
    part: Duration,
    segment: Duration,
    longest: Duration,
    promise: Option<Promise>,
    /// Microseconds of the parts before it.
    seen: Vec<u64>,
    /// Whole seconds of the longest segment before it, which a run's end cut short.
    ended: u32,
}

#[derive(Clone, Copy, Debug)]
struct Promise {
    seconds: u32,
    part_ms: u32,
}

/// How a part stands to the promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Shorter than it may be.
    Short,
    Fits,
    TooLong,
}

impl Lengths {
    pub(crate) fn new(config: &ArchiveConfig) -> Self {
        let (part, segment, longest) =
            (config.part, config.segment, config.longest_segment.max(config.segment));
        Self { part, segment, longest, promise: None, seen: Vec::new(), ended: 0 }
    }

    /// Longest segment in whole seconds, 0 where it is not known yet.
    pub(crate) fn target_seconds(&self) -> u32 {
        self.promise.map_or(0, |promise| promise.seconds)
    }

    /// Longest part, 0 where it is not known yet.
    pub(crate) fn part_target_ms(&self) -> u32 {
        self.promise.map_or(0, |promise| promise.part_ms)
    }

    /// A part is whole.
    pub(crate) fn part_closed(&mut self, ticks: i64, base: TimeBase) {
        if self.promise.is_none() && self.seen.len() < MOST_SEEN {
            self.seen.push(scaled(ticks, base, 1_000_000));
        }
    }

    /// A segment is whole, and ended because the next could begin, or was long enough.
    ///
    /// Of parts, 8 % more is promised than most of them had: they must not be longer, and shorter by 15 % at most, so that this leaves
    /// as much to either side. Most, not the first or the longest: a source may stumble as it starts.
    pub(crate) fn segment_closed(&mut self, ticks: i64, base: TimeBase) {
        if self.promise.is_some() {
            return;
        }
        let least = whole_seconds(self.segment).max(1);
        let most = whole_seconds(self.longest);
        let seconds = seconds(ticks, base).max(self.ended).clamp(least, most);
        let mut seen = std::mem::take(&mut self.seen);
        seen.sort_unstable();
        let usual = seen.get(seen.len() / 2).copied().unwrap_or(self.part.as_micros() as u64);
        let part_ms = usual.saturating_mul(27).div_ceil(25_000).clamp(1, u64::from(seconds) * 1000);
        self.promise = Some(Promise { seconds, part_ms: part_ms as u32 });
    }

    /// A segment is whole because its run is over: what that says of others is that there is one of this length.
    pub(crate) fn segment_ended(&mut self, ticks: i64, base: TimeBase) {
        self.ended = self.ended.max(seconds(ticks, base));
    }

    /// What playlists say that a part lasts: no longer than promised, however long its only picture was.
    pub(crate) fn stated(&self, ticks: i64, base: TimeBase) -> i64 {
        stated(ticks, base, self.part_target_ms())
    }

    /// How a part of so many ticks stands to the promise, or to what is aimed at while there is none. `step`: the last picture.
    pub(super) fn fit(&self, ticks: i64, step: i64, base: TimeBase) -> Fit {
        let per_mille = |ticks: i128| ticks * i128::from(base.num()) * 1000;
        let den = i128::from(base.den());
        let Some(Promise { part_ms, .. }) = self.promise else {
            // Half a picture more: lengths that are no multiple of a picture are met as well as can be.
            let twice = per_mille(i128::from(ticks) * 2 + i128::from(step));
            let aim = self.part.as_millis() as i128 * 2 * den;
            return if twice < aim { Fit::Short } else { Fit::Fits };
        };
        let (length, most) = (per_mille(i128::from(ticks)), i128::from(part_ms) * den);
        if length > most {
            Fit::TooLong
        } else if length * 100 < most * 85 {
            Fit::Short
        } else {
            Fit::Fits
        }
    }

    /// Whether a segment that playlists say to last so many ticks would be longer than promised: they compare in whole seconds, rounded.
    pub(super) fn is_too_long(&self, stated: i64, base: TimeBase) -> bool {
        let half = u128::from(scaled(stated, base, 2_000_000));
        half >= (self.cap().as_micros() * 2).saturating_add(1_000_000)
    }

    /// Ticks that a part of so many needs at least to close. While nothing is promised, half of the picture that brings it there counts.
    pub(super) fn rest_of_part(&self, so_far: i64, base: TimeBase) -> i64 {
        let Some(Promise { part_ms, .. }) = self.promise else {
            return ticks(self.part.as_micros() as u64, base).saturating_sub(so_far) / 3 * 2;
        };
        ticks(u64::from(part_ms) * 850, base).saturating_sub(so_far)
    }

    /// Ticks below which no segment ends without a keyframe.
    pub(super) fn shortest_cap(&self, base: TimeBase) -> i64 {
        ticks(self.cap().as_micros() as u64, base)
    }

    /// From this length on the next keyframe begins a segment.
    pub(super) fn segment(&self) -> Duration {
        self.segment
    }

    /// At this length a segment ends, whatever comes.
    pub(super) fn cap(&self) -> Duration {
        self.promise.map_or(self.longest, |promise| Duration::from_secs(u64::from(promise.seconds)))
    }
}

/// Ticks of a part that a playlist tells of; `part_target_ms` is 0 where nothing is promised yet.
pub(crate) fn stated(ticks: i64, base: TimeBase, part_target_ms: u32) -> i64 {
    let most = i64::from(part_target_ms) * i64::from(base.den()) / (i64::from(base.num()) * 1000);
    if part_target_ms == 0 { ticks } else { ticks.min(most) }
}

/// Microseconds in ticks, rounded down.
fn ticks(micros: u64, base: TimeBase) -> i64 {
    let ticks = i128::from(micros) * i128::from(base.den()) / (i128::from(base.num()) * 1_000_000);
    i64::try_from(ticks).unwrap_or(i64::MAX)
}

fn whole_seconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)
}

/// Whole seconds, rounded up.
fn seconds(ticks: i64, base: TimeBase) -> u32 {
    u32::try_from(scaled(ticks, base, 1)).unwrap_or(u32::MAX)
}

/// Ticks in units of `1/scale` seconds, rounded up.
fn scaled(ticks: i64, base: TimeBase, scale: u32) -> u64 {
    let scaled = i128::from(ticks.max(0)) * i128::from(base.num()) * i128::from(scale);
    let den = i128::from(base.den());
    u64::try_from((scaled + den - 1) / den).unwrap_or(u64::MAX)
}
