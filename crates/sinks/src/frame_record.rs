//! What every writer of results is fed: one frame that was due, and what became of it.

use std::time::Duration;

use ocelli_model::{AnalyzerVersion, Detection, TimeBase, TrackId};

use crate::seen::Seen;

/// Reported in place of detections that no format has a form for.
const NOT_FINITE: &str = "the analyzer gave a detection whose numbers are not finite";

/// One frame that was due, and what became of it.
#[derive(Clone, Copy, Debug)]
pub struct FrameRecord<'a> {
    /// The input as the user named it.
    pub input: &'a str,
    /// Which unbroken piece of the input, from 0; media time starts anew with each.
    pub run: u64,
    /// Media time in ticks of `time_base`.
    pub pts: i64,
    /// Seconds per tick.
    pub time_base: TimeBase,
    /// The slot that the frame fills; `None` where every picture is due.
    pub slot: Option<i64>,
    /// The catalogue's id of the model that looked, or was to look.
    pub model: &'a str,
    /// Which analyzer looked, or was to look.
    pub analyzer_version: &'a AnalyzerVersion,
    /// What became of the frame.
    pub outcome: Outcome<'a>,
}

/// What became of a frame.
#[derive(Clone, Copy, Debug)]
pub enum Outcome<'a> {
    /// Looked at.
    Analysed {
        /// Width of the displayed picture in pixels.
        width: u32,
        /// Height of the displayed picture in pixels.
        height: u32,
        /// What was seen, in the order in which it is to be written.
        detections: &'a [Detection],
        /// Whose detection each one is: `None` for those of no confirmed track, and for all beyond the end of this
        /// list, which is empty where nothing is tracked.
        tracks: &'a [Option<TrackId>],
        /// Where the time went.
        timing: Timing,
    },
    /// Not decodable, or the analyzer refused it.
    Failed {
        /// Why, for people.
        reason: &'a str,
    },
}

/// Wall time spent on one frame, as the caller measures it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Planes to detections: preprocessing, model, reading its outputs. Decoding serves several frames at once and
    /// is not in it.
    pub analyze: Duration,
}

/// An analysed frame in the numbers that are written.
#[derive(Debug)]
pub(crate) struct Analysed<'a> {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) seen: Vec<Seen<'a>>,
    pub(crate) timing: Timing,
}

impl<'a> FrameRecord<'a> {
    /// What is written of the frame, or why it is *failed*: one number that is not finite fails it as a whole.
    pub(crate) fn analysed(&self) -> Result<Analysed<'a>, &'a str> {
        match self.outcome {
            Outcome::Failed { reason } => Err(reason),
            Outcome::Analysed { width, height, detections, tracks, timing } => {
                let tracks = tracks.iter().copied().chain(std::iter::repeat(None));
                let seen =
                    detections.iter().zip(tracks).map(|(seen, track)| Seen::of(seen, track, width, height));
                let seen = seen.collect::<Option<_>>().ok_or(NOT_FINITE)?;
                Ok(Analysed { width, height, seen, timing })
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
