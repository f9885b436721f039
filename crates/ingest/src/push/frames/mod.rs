//! Pictures that somebody posts, one by one.

mod hub;
pub mod picture;
mod source;
#[cfg(test)]
mod tests;

use std::io;

pub use self::{
    hub::{Accepted, FrameHub, FrameRefused, PostedAt},
    picture::PictureError,
    source::FrameSource,
};
use crate::Fault;

/// Why posted pictures cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FramesError {
    /// Nobody takes them.
    #[error("posted frames are not taken here")]
    NoHub,
    /// One key, one reader.
    #[error("another stream reads the frames of this key")]
    Taken,
    /// No runtime to wait in.
    #[error("cannot start waiting for frames")]
    Runtime(#[source] io::Error),
}

impl FramesError {
    /// What failed, and with that whether trying again soon may help.
    pub fn fault(&self) -> Fault {
        match self {
            Self::NoHub | Self::Taken => Fault::Caller,
            Self::Runtime(_) => Fault::Machine,
        }
    }
}
