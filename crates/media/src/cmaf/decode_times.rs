//! Decode times for pictures that have none, or bad ones.

use std::{cmp::Reverse, collections::BinaryHeap};

use ocelli_model::TimeBase;

/// Pictures that can be reordered, at most.
const DEEPEST: u32 = 16;

/// Gives each picture of a run its DTS, in decode order: the source's where it makes sense, else one worked out from the PTS so far. Never
/// negative, and each later than the one before. Not after the PTS either, if that is not negative: FFmpeg's reader shifts every PTS of a
/// file in which one is. Where a stream starts near 0 and its ticks are so few that both cannot be had, the first DTS are equal.
#[derive(Debug)]
pub struct DecodeTimes {
    time_base: TimeBase,
    /// Ticks between pictures, for those before the first.
    step: i64,
    /// PTS of pictures that are decoded and not yet due, as many as the reorder depth.
    held: BinaryHeap<Reverse<i64>>,
    last: Option<i64>,
}

impl DecodeTimes {
    /// For a run; `frame_rate` as [`crate::CodecParameters::frame_rate`] says.
    pub fn new(time_base: TimeBase, frame_rate: f64) -> Self {
        const LIKELY: f64 = 30.0;
        let rate = if frame_rate.is_normal() && frame_rate > 0.0 { frame_rate } else { LIKELY };
        let step = time_base.ticks_from_seconds(1.0 / rate).max(1);
        Self { time_base, step, held: BinaryHeap::new(), last: None }
    }

    /// The DTS of the next picture. `depth` is how many pictures may be decoded before one, yet shown after it
    /// ([`crate::bitstream::PictureInfo::reorder_depth`]).
    pub fn push(&mut self, pts: i64, dts: Option<i64>, depth: u32) -> i64 {
        let derived = self.derive(pts, depth.min(DEEPEST));
        let sensible = |dts: &i64| *dts <= pts && self.fits(pts, *dts);
        let dts = dts.filter(sensible).unwrap_or(derived);
        let dts = dts.max(self.earliest(pts));
        self.last = Some(dts);
        dts
    }

    /// The least DTS that may follow.
    fn earliest(&self, pts: i64) -> i64 {
        let Some(last) = self.last else { return 0 };
        let next = last.saturating_add(1);
        // Pictures that are still to come may have a lower PTS: only ticks much finer than pictures leave room for certain.
        if next <= pts && self.step > i64::from(DEEPEST) { next } else { last }
    }

    /// Of all PTS so far in their order, the one that lies `depth` before the last: as many pictures at most are decoded before the new
    /// one and shown after it, so it is not after its PTS, and nothing later lies before it.
    fn derive(&mut self, pts: i64, depth: u32) -> i64 {
        if self.last.is_none() {
            let before = |n| Reverse(pts.saturating_sub(self.step.saturating_mul(i64::from(n))));
            self.held.extend((1..=depth).map(before));
        }
        self.held.push(Reverse(pts));
        let mut due = None;
        while self.held.len() > depth as usize {
            due = self.held.pop();
        }
        // Where the depth has grown, the delay grows: nothing is due.
        due.map_or(i64::MIN, |Reverse(pts)| pts)
    }

    /// Whether the file can hold the distance.
    fn fits(&self, pts: i64, dts: i64) -> bool {
        let distance = i128::from(pts) - i128::from(dts);
        distance * i128::from(self.time_base.num()) <= i128::from(i32::MAX)
    }
}
