//! Recorded media: fragmented MP4 (ISO/IEC 14496-12, CMAF) written and read back, times exact to the tick.
//!
//! A segment file is an initialisation segment ([`init`]) and whole parts ([`part`]). Pictures are track 1, sound track 2, in the same
//! fragments. A track's timescale is the denominator of its time base, and times in the file are ticks times the numerator: nothing is
//! rounded, and there are no edit lists. Each part holds a checksum of itself, so that a torn or holed tail is found ([`scan`]).

mod boxes;
mod decode_times;
mod entry;
mod framing;
mod init;
mod layout;
mod part;
mod read_init;
mod scan;
mod sound;

use std::sync::Arc;

use bytes::Bytes;

use crate::{AccessUnit, AudioParameters, AudioUnit, CodecParameters};

pub use boxes::{put as put_box, put_full as put_full_box};
pub use decode_times::DecodeTimes;
pub use framing::{Framed, Framing};
pub use init::{InitSegment, init};
pub use part::{Part, part, read_part};
pub use read_init::read_init;
pub use scan::{Scan, scan};

/// `track_ID` of pictures.
const VIDEO_TRACK: u32 = 1;
/// `track_ID` of sound.
const SOUND_TRACK: u32 = 2;

/// One coded picture of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When it is shown, in ticks of its stream.
    pub pts: i64,
    /// When it is decoded; not negative.
    pub dts: i64,
    /// From its DTS to that of the next picture.
    pub ticks: u32,
    /// Playback can start here.
    pub keyframe: bool,
    /// As [`Framing::sample`] makes it.
    pub data: Bytes,
}

/// One coded block of sound of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoundSample {
    /// When its first sample is heard, in ticks of its own stream.
    pub pts: i64,
    /// From its PTS to that of the next block.
    pub ticks: u32,
    /// The coded bytes.
    pub data: Bytes,
}

/// What an initialisation segment describes.
#[derive(Clone, Debug)]
pub struct Tracks {
    /// Pictures; the extradata are `avcC`, `hvcC`, `av1C` or `vpcC`.
    pub video: Arc<CodecParameters>,
    /// Sound, where there is any.
    pub sound: Option<Arc<AudioParameters>>,
}

impl Tracks {
    /// A picture as a source would give it.
    pub fn unit(&self, sample: &Sample) -> AccessUnit {
        let mut unit = AccessUnit::new(sample.pts, sample.data.clone(), Arc::clone(&self.video));
        unit.dts = Some(sample.dts);
        unit.container_keyframe = sample.keyframe;
        unit
    }

    /// A block of sound as a source would give it; nothing where there is no track of sound.
    pub fn audio(&self, sample: &SoundSample) -> Option<AudioUnit> {
        let parameters = Arc::clone(self.sound.as_ref()?);
        Some(AudioUnit { pts: sample.pts, data: sample.data.clone(), parameters })
    }
}

/// Why media cannot be written as fragmented MP4, or read back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CmafError {
    /// Pictures that this file format, or every browser, cannot hold.
    #[error("{0} video cannot be recorded: only H.264, H.265, AV1 and VP9")]
    Video(String),
    /// As above, of sound.
    #[error("{0} sound cannot be recorded: only AAC and Opus")]
    Sound(String),
    /// Nothing a decoder could start with has come so far.
    #[error("no {0} has come yet, so the pictures cannot be described")]
    NoParameters(&'static str),
    /// A configuration that makes no sense.
    #[error("the {0} cannot be read")]
    Configuration(&'static str),
    /// A part of nothing.
    #[error("a part needs a picture or sound")]
    Empty,
    /// More than 2 GiB.
    #[error("a part of {0} bytes is too large")]
    TooLarge(u64),
    /// A time that the file format cannot hold.
    #[error("{what} of the unit at PTS {pts} is out of range")]
    Time {
        /// Which.
        what: &'static str,
        /// Of the unit.
        pts: i64,
    },
    /// The DTS (PTS of sound) of a unit is not where the one before it ends.
    #[error("the unit at PTS {pts} does not begin where the one before it ends")]
    NotContiguous {
        /// Of the second unit.
        pts: i64,
    },
    /// The bytes end too soon.
    #[error("the recording is cut short in {0}")]
    Truncated(&'static str),
    /// Not as this crate writes it.
    #[error("the recording's {0} is not one of ours")]
    Foreign(&'static str),
    /// The part is not what was written.
    #[error("the part is damaged: its checksum is wrong")]
    Checksum,
}

#[cfg(test)]
mod tests;
