//! Frames, results and events to the outside: the frame folder, JSON Lines, and the formats that other tools read
//! (COCO, MOT, CSV). Every writer of results is fed the same [`FrameRecord`]s and rounds alike.

mod coco;
mod csv;
mod export;
mod folder;
mod frame_cache;
mod frame_record;
mod json_lines;
mod mot;
mod output;
mod seen;

pub use self::csv::CsvWriter;
pub use coco::CocoWriter;
pub use export::ExportError;
pub use folder::{Existing, FolderError, FrameFolder, Retention};
pub use frame_cache::FrameCache;
pub use frame_record::{FrameRecord, Outcome, Timing};
pub use json_lines::{JsonLines, JsonLinesError};
pub use mot::MotWriter;
