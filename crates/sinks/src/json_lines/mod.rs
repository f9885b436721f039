//! Results as JSON Lines: one object per looked-at frame, each line whole before the next begins.

mod line;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use ocelli_model::Verdict;

use crate::{
    FrameRecord,
    output::{Output, OutputError},
};

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

impl From<OutputError> for JsonLinesError {
    fn from(error: OutputError) -> Self {
        match error {
            OutputError::Closed => Self::Closed,
            OutputError::Write(cause) => Self::Write(cause),
            OutputError::Broken => Self::Broken,
        }
    }
}

/// Writes one object per line and flushes it, so that what a killed process leaves is valid up to the last full line.
///
/// A line of an analysed frame, keys in this order (wrapped here; one line in the output):
/// ```json
/// {"input": "street.mp4", "run": 0, "pts": 90000, "time_base": [1, 90000], "seconds": 1.0, "slot": 5,
///  "model": "ssdlite-mobilenet-v2", "verdict": "analysed", "width": 640, "height": 360,
///  "detections": [{"label": "car", "confidence": 0.9137, "box": {"x": 0.25, "y": 0.5, "width": 0.1, "height": 0.2},
///                  "box_px": {"x": 160.0, "y": 180.0, "width": 64.0, "height": 72.0}, "track": 12}],
///  "analyzer_version": "0123456789abcdef",
///  "timing_ms": {"analyze": 8.9}}
/// ```
/// `model` is the catalogue's id of the model. `box` is in fractions of the displayed picture, `box_px` in its pixels,
/// both from its top left corner. `track` names the object across frames of its run, from 1; detections of no confirmed
/// track have no such key. `slot` is null where every picture is due. A failed frame has `"verdict": "failed"` and
/// `"reason"` in place of the size, the detections and the timing. Decimals: 4 of confidences, 6 of fractions and
/// seconds, 3 of milliseconds, 1 of pixels.
#[derive(Debug)]
pub struct JsonLines<W> {
    output: Output<W>,
    line: Vec<u8>,
}

impl<W: Write> JsonLines<W> {
    /// Writes to `output` as it is; buffering is not needed.
    pub fn new(output: W) -> Self {
        Self { output: Output::new(output), line: Vec::new() }
    }

    /// Writes one line and gives the verdict in it: a frame with a detection that is not finite is *failed*.
    pub fn write(&mut self, frame: &FrameRecord<'_>) -> Result<Verdict, JsonLinesError> {
        self.output.check()?;
        let line = line::Line::of(frame);
        self.line.clear();
        serde_json::to_writer(&mut self.line, &line).expect("values with string keys, into memory");
        self.line.push(b'\n');
        self.output.write(&self.line)?;
        self.output.flush()?;
        Ok(line.verdict)
    }
}
