//! Untrusted media in a process without rights. Files that somebody handed over are read, probed and decoded in a child
//! of the same program: it has the one open file, a socket to its parent and a pipe for its last words; it can open
//! nothing, reach no network and start nothing, and memory and time are limited. Whoever takes it over by a fault in
//! libav has the pixels of that very file and nothing else. What it answers is checked as if it were taken over.
//!
//! The sampler stays in the parent: [`ChildSource`] gives the coded units, [`Source::decoder`](crate::Source::decoder)
//! the decoder, in the same process, for those that were chosen. Decoded pictures are the same to the bit as in-process.
//!
//! One child per file in hand, ended with its source. It needs Linux with seccomp, as every kernel and container runtime
//! in use has; where the filter is refused nothing is decoded, unless [`ChildLimits::require_filter`] says otherwise.

mod command;
mod decoder;
mod ending;
mod faults;
mod filter;
mod lock_down;
mod message;
mod picture;
mod process;
mod serve;
mod source;
mod video_info;
mod wire;

pub use command::{ChildCommand, ChildLimits};
pub use ending::{ChildEnd, ChildError};
pub use lock_down::{LockDownError, lock_down};
pub use serve::serve;
pub use source::ChildSource;
pub use video_info::{ProbeError, VideoInfo, video_info};

/// The argument that makes the product's binary such a child.
pub const WORD: &str = "media-child";
