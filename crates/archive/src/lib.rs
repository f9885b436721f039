//! The media log. Every access unit of a recorded stream goes into parts (about 200 ms) of segments (about 2 s, beginning with a
//! keyframe), untranscoded and under its own media time. Players, clips and analyzers read the same bytes.
//!
//! # What is written, in which order
//!
//! A segment is one file: its initialisation segment, then whole parts ([`ocelli_media::cmaf`]). It alone can be played, and nothing
//! else is needed to find out what it holds.
//!
//! 1. While it grows it is `open/<stream>/<run>-<number>-<began>.mp4`; each part is one write. One thread syncs the files of all
//!    streams that grew, [`ArchiveConfig::sync_every`] after the first did.
//! 2. When it is whole it is synced, and linked as the object `media/<stream>/<run>/<number>.mp4`; the folder is synced.
//! 3. Its row goes into the index ([`ocelli_store::Segments`]).
//! 4. Its open name is removed.
//!
//! At the next start whatever has an open name is cut after its last whole part, whose checksum tells, and goes through 2 to 4
//! (again). So after a crash at any point a segment is in the index or has an open name, and never neither. A killed process loses
//! what was in memory, at most the last part; a power cut what was not synced, at most a second where the disk is quick.
//!
//! Retention goes the other way: the keys of a batch are written to `removing`, its rows go, its objects go, `removing` goes. What
//! `removing` names at the next start and the index does not hold is removed. Whoever has an object open reads it to its end.
//!
//! # When a clock is set
//!
//! Media time is the source's. Wall time is what people look for: each segment has it as the clock stood when it began. Ages are counted on
//! [`ArchiveConfig::steady_ms`], which nobody sets; `clock` keeps from which segment on the two were how far apart.
//!
//! # When the disk does not do its work
//!
//! The stream's thread never waits: parts go to a thread of the stream's own through a queue that is bounded in bytes. Where that is
//! full, or a write fails, the segment is sealed as far as it is whole, and media is left out until a segment begins that can be
//! written: that is a gap in the index. Where there is no room, the oldest that is not pinned goes first; if there is none,
//! recording pauses and tries again with each segment. The live window goes on meanwhile, from memory.

mod archive;
mod check;
mod clip;
mod clock;
mod config;
mod cutting;
mod error;
mod events;
mod files;
mod lane;
mod lengths;
mod live;
mod object;
mod reader;
mod recorder;
mod recovery;
mod retention;
mod run;
mod sound;
mod syncing;
mod window;
mod writer;

pub use archive::Archive;
pub use check::{Finding, Mismatch};
pub use clip::Clip;
pub use config::{ArchiveConfig, Retention};
pub use error::ArchiveError;
pub use lane::LiveHold;
pub use live::{Init, LivePart, LiveSegment, LiveView, LiveWindow};
pub use reader::{ArchiveReader, Media};
pub use recorder::{Phase, Recorder, RecorderState};
pub use recovery::Recovered;
pub use retention::Removed;

#[cfg(test)]
mod tests;
