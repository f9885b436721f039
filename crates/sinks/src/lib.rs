//! Frames, results and events to the outside: the frame folder, JSON Lines.

mod folder;

pub use folder::{Existing, FolderError, FrameFolder};
