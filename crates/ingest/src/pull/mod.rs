//! Sources that we go and read.

mod driver;
mod file;
mod rtsp;

pub use file::{FileIdentity, FileSource};
pub use rtsp::{RtspError, RtspOptions, RtspSource, RtspUrl};

pub use crate::Stop;

#[cfg(test)]
mod tests;
