//! Frames, results and events to the outside: the frame folder, JSON Lines.

mod folder;
mod frame_record;
mod json_lines;
mod output;
mod seen;

pub use folder::{Existing, FolderError, FrameFolder};
pub use frame_record::{FrameRecord, Outcome, Timing};
pub use json_lines::{JsonLines, JsonLinesError};
