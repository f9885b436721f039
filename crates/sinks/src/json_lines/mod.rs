//! Results as JSON Lines: one object per looked-at frame, each line whole before the next begins.

mod line;
#[cfg(test)]
mod tests;

use std::{
    io::{self, Write},
    time::Duration,
};

use ocelli_model::{AnalyzerVersion, Detection, TimeBase, Verdict};

/// Reported in place of detections that JSON cannot hold.
const NOT_FINITE: &str = "the analyzer gave a detection whose numbers are not finite";

/// One frame that was due, and what became of it.
#[derive(Clone, Copy, Debug)]
pub struct FrameLine<'a> {
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

/// Why a line was not written.
#[derive(Debug, thiserror::Error)]
pub enum JsonLinesError {
    /// The reader has gone, as `head` does: no fault of anyone.
    #[error("the reader of the results has closed its end")]
    Closed,
    /// Such as a full disk. The last line may be cut short.
    #[error("cannot write the results")]
    Write(#[source] io::Error),
    /// An earlier line may have been cut short; another would be glued to it.
    #[error("no results are written after an earlier failure")]
    Broken,
}

/// Writes one object per line and flushes it, so that what a killed process leaves is valid up to the last full line.
///
/// A line of an analysed frame, keys in this order (wrapped here; one line in the output):
/// ```json
/// {"input": "street.mp4", "run": 0, "pts": 90000, "time_base": [1, 90000], "seconds": 1.0, "slot": 5,
///  "verdict": "analysed", "width": 640, "height": 360,
///  "detections": [{"label": "car", "confidence": 0.9137, "box": {"x": 0.25, "y": 0.5, "width": 0.1, "height": 0.2},
///                  "box_px": {"x": 160.0, "y": 180.0, "width": 64.0, "height": 72.0}}],
///  "analyzer_version": "0123456789abcdef",
///  "timing_ms": {"analyze": 8.9}}
/// ```
/// `box` is in fractions of the displayed picture, `box_px` in its pixels, both from its top left corner. `slot` is
/// null where every picture is due. A failed frame has `"verdict": "failed"` and `"reason"` in place of the size, the
/// detections and the timing. Decimals: 4 of confidences, 6 of fractions and seconds, 3 of milliseconds, 1 of pixels.
#[derive(Debug)]
pub struct JsonLines<W> {
    output: W,
    line: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Whole,
    Closed,
    Broken,
}

impl<W: Write> JsonLines<W> {
    /// Writes to `output` as it is; buffering is not needed.
    pub fn new(output: W) -> Self {
        Self { output, line: Vec::new(), state: State::Whole }
    }

    /// Writes one line and gives the verdict in it: a frame with a detection that is not finite is *failed*.
    pub fn write(&mut self, frame: &FrameLine<'_>) -> Result<Verdict, JsonLinesError> {
        match self.state {
            State::Whole => {}
            State::Closed => return Err(JsonLinesError::Closed),
            State::Broken => return Err(JsonLinesError::Broken),
        }
        let line = line::Line::of(frame).unwrap_or_else(|| {
            let failed = FrameLine { outcome: Outcome::Failed { reason: NOT_FINITE }, ..*frame };
            line::Line::of(&failed).expect("a failed frame has no detections")
        });
        self.line.clear();
        serde_json::to_writer(&mut self.line, &line).expect("values with string keys, into memory");
        self.line.push(b'\n');
        match self.output.write_all(&self.line).and_then(|()| self.output.flush()) {
            Ok(()) => Ok(line.verdict),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.state = State::Closed;
                Err(JsonLinesError::Closed)
            }
            Err(error) => {
                self.state = State::Broken;
                Err(JsonLinesError::Write(error))
            }
        }
    }
}
