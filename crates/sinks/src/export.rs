//! Why an export breaks off.

use std::io;

use crate::output::OutputError;

/// Why a frame, or the end of a file, was not written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The reader has gone, as `head` does: no fault of anyone.
    #[error("the reader of the export has closed its end")]
    Closed,
    /// Such as a full disk. What is written so far is cut short.
    #[error("cannot write the export")]
    Write(#[source] io::Error),
    /// An earlier write failed; what would follow might be glued to half a line.
    #[error("nothing is exported after an earlier failure")]
    Broken,
    /// COCO: the images wait in a temporary file until the annotations are written.
    #[error("cannot keep the list of images in a temporary file")]
    Images(#[source] io::Error),
    /// MOT: another input, run, analyzer or way of counting than that of the frames before. The file stays whole and
    /// goes on taking frames of the first.
    #[error("a MOT file holds one sequence: '{first}' is in it, '{second}' needs a file of its own")]
    OtherSequence {
        /// What the file holds.
        first: String,
        /// What was to be added.
        second: String,
    },
    /// MOT: counts frames from 1.
    #[error("slot {slot} has no frame number in a MOT file, which counts from 1")]
    NoFrameNumber {
        /// As given.
        slot: i64,
    },
}

impl From<OutputError> for ExportError {
    fn from(error: OutputError) -> Self {
        match error {
            OutputError::Closed => Self::Closed,
            OutputError::Write(cause) => Self::Write(cause),
            OutputError::Broken => Self::Broken,
        }
    }
}
