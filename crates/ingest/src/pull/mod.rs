//! Sources that we go and read.

mod file;
mod rtsp;

pub use file::{FileIdentity, FileSource};
pub use rtsp::{Fault, RtspError, RtspOptions, RtspSource, RtspUrl, Stop, WallAnchor};

#[cfg(test)]
mod tests;
