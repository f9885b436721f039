//! Errors of libav's that cross from child to parent, and are the same there.

use std::io;

use ocelli_media::{
    decode::DecodeError,
    libav::{AvError, DemuxError},
};
use ocelli_model::TimeBase;
use serde::{Deserialize, Serialize};

use super::ending::clean;

/// A [`DemuxError`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Container {
    Read { code: Option<i32>, words: String },
    NotMedia { code: i32 },
    Broken(String),
    NoVideo,
    Ticks { num: u32, den: u32 },
    NoTimes,
    NoDecoder(String),
    Damaged { code: i32 },
}

impl From<DemuxError> for Container {
    fn from(error: DemuxError) -> Self {
        match error {
            DemuxError::Read(error) => Self::Read { code: error.raw_os_error(), words: error.to_string() },
            DemuxError::NotMedia(error) => Self::NotMedia { code: error.code() },
            DemuxError::Broken(line) => Self::Broken(line),
            DemuxError::NoVideo => Self::NoVideo,
            DemuxError::TimeBase(base) => Self::Ticks { num: base.num, den: base.den },
            DemuxError::Ticks { num, den } => Self::Ticks { num, den },
            DemuxError::NoTimes => Self::NoTimes,
            DemuxError::NoDecoder(name) => Self::NoDecoder(name),
            DemuxError::Damaged(error) => Self::Damaged { code: error.code() },
        }
    }
}

impl From<Container> for DemuxError {
    fn from(told: Container) -> Self {
        match told {
            Container::Read { code: Some(code), .. } => Self::Read(io::Error::from_raw_os_error(code)),
            Container::Read { code: None, words } => Self::Read(io::Error::other(clean(&words))),
            Container::NotMedia { code } => Self::NotMedia(AvError::of_code(code)),
            Container::Broken(line) => Self::Broken(clean(&line)),
            Container::NoVideo => Self::NoVideo,
            Container::Ticks { num, den } => {
                TimeBase::new(num, den).map_or_else(Self::TimeBase, |_valid| Self::Ticks { num, den })
            }
            Container::NoTimes => Self::NoTimes,
            Container::NoDecoder(name) => Self::NoDecoder(clean(&name)),
            Container::Damaged { code } => Self::Damaged(AvError::of_code(code)),
        }
    }
}

/// A [`DecodeError`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Coded {
    NoDecoder(String),
    Codec { code: i32 },
    Damaged(String),
    ReferenceLost(String),
    Gone(String),
}

impl From<DecodeError> for Coded {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::NoDecoder(name) => Self::NoDecoder(name),
            DecodeError::Codec(error) => Self::Codec { code: error.code() },
            DecodeError::Damaged(line) => Self::Damaged(line),
            DecodeError::ReferenceLost(line) => Self::ReferenceLost(line),
            DecodeError::Gone(why) => Self::Gone(why),
            DecodeError::Hardware(why) => Self::Gone(why.to_string()),
        }
    }
}

impl From<Coded> for DecodeError {
    fn from(told: Coded) -> Self {
        match told {
            Coded::NoDecoder(name) => Self::NoDecoder(clean(&name)),
            Coded::Codec { code } => Self::Codec(AvError::of_code(code)),
            Coded::Damaged(line) => Self::Damaged(clean(&line)),
            Coded::ReferenceLost(line) => Self::ReferenceLost(clean(&line)),
            Coded::Gone(why) => Self::Gone(clean(&why)),
        }
    }
}
