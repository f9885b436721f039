//! Presentation times where the container gives none.

use std::collections::VecDeque;

use super::DemuxError;
use crate::{AccessUnit, Codec, CodecParameters};

/// More pictures between two references than any MPEG-2 or MPEG-4 stream holds: then the times are not what they seem.
const LONGEST_WAIT: usize = 64;

/// Gives each unit its PTS, in decode order. Units that have one pass through.
///
/// - Without reordering a picture is shown when it is decoded; where there is no DTS either (raw streams), pictures
///   follow each other at the stream's nominal rate from 0.
/// - MPEG-1, 2 and 4 hold a reference back until the next one is decoded: its PTS is that one's DTS (ISO/IEC 13818-2,
///   6.1.1.11), and pictures that are not references are shown when they are decoded. AVI files are like this.
/// - Anything else would be guessing.
#[derive(Debug)]
pub(super) struct Times {
    rule: Rule,
    /// A reference that waits for the next one, and what followed it.
    waiting: VecDeque<AccessUnit>,
    ready: VecDeque<AccessUnit>,
    newest_dts: Option<i64>,
    /// H.264: the PTS of the unit before, if that had times of its own. One PES packet may hold both fields of a
    /// frame, and libavformat gives its times to the first.
    first_field: Option<i64>,
    has_fields: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Rule {
    AsDecoded {
        /// Ticks per picture.
        step: Option<f64>,
        pictures: u64,
    },
    NextReference,
    None,
}

impl Times {
    pub(super) fn new(parameters: &CodecParameters) -> Self {
        let delayed = match &parameters.codec {
            Codec::Mpeg4 => true,
            Codec::Other(name) => matches!(name.as_str(), "mpeg1video" | "mpeg2video"),
            _ => false,
        };
        let base = parameters.time_base;
        let ticks = f64::from(base.den()) / f64::from(base.num());
        let rule = match parameters.reorder_hint {
            0 => {
                let rate = parameters.frame_rate;
                Rule::AsDecoded { step: (rate > 0.0).then(|| ticks / rate), pictures: 0 }
            }
            1 if delayed => Rule::NextReference,
            _ => Rule::None,
        };
        Self {
            rule,
            waiting: VecDeque::new(),
            ready: VecDeque::new(),
            newest_dts: None,
            first_field: None,
            has_fields: parameters.codec == Codec::H264,
        }
    }

    /// Takes a unit whose own `pts` counts only if `pts` is given.
    pub(super) fn push(&mut self, mut unit: AccessUnit, pts: Option<i64>) -> Result<(), DemuxError> {
        let timed = pts.is_some() && unit.dts.is_some();
        let pts = pts.or(self.first_field.filter(|_| unit.dts.is_none()));
        self.first_field = pts.filter(|_| timed && self.has_fields);
        let reference = pts.is_none() || pts != unit.dts;
        if let (true, Some(dts)) = (reference, unit.dts) {
            self.release(dts);
        }
        self.newest_dts = unit.dts.or(self.newest_dts);
        match (pts, self.rule, unit.dts) {
            (Some(pts), ..) => unit.pts = pts,
            (None, Rule::AsDecoded { .. }, Some(dts)) => unit.pts = dts,
            (None, Rule::AsDecoded { step: Some(step), pictures }, None) => {
                unit.pts = (pictures as f64 * step).round() as i64;
                self.rule = Rule::AsDecoded { step: Some(step), pictures: pictures + 1 };
            }
            (None, Rule::NextReference, Some(_)) => {
                self.waiting.push_back(unit);
                return Ok(());
            }
            _ => return Err(DemuxError::NoTimes),
        }
        if self.waiting.len() >= LONGEST_WAIT {
            return Err(DemuxError::NoTimes);
        }
        let queue = if self.waiting.is_empty() { &mut self.ready } else { &mut self.waiting };
        queue.push_back(unit);
        Ok(())
    }

    /// No unit follows: the last reference is shown after everything before it.
    pub(super) fn end(&mut self) {
        if let Some(dts) = self.newest_dts {
            self.release(dts.saturating_add(1));
        }
    }

    /// The next unit whose time is known.
    pub(super) fn next(&mut self) -> Option<AccessUnit> {
        self.ready.pop_front()
    }

    /// The reference that waits is shown at `dts`.
    fn release(&mut self, dts: i64) {
        if let Some(reference) = self.waiting.front_mut() {
            reference.pts = dts;
        }
        self.ready.append(&mut self.waiting);
    }
}
