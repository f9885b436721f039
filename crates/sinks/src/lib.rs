//! Frames, results and events to the outside: the frame folder, JSON Lines.

mod folder;
mod json_lines;

pub use folder::{Existing, FolderError, FrameFolder};
pub use json_lines::{FrameLine, JsonLines, JsonLinesError, Outcome, Timing};
