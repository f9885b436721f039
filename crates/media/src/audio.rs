//! Coded sound on its way from a source to the recording. Nothing here decodes it.

mod adts;
mod queue;

use std::sync::Arc;

use bytes::Bytes;
use ocelli_model::TimeBase;

pub(crate) use self::adts::Adts;
pub use self::queue::AudioQueue;

/// How sound is coded. `Other` holds libav's name of a codec that browsers need not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AudioCodec {
    /// AAC, ISO/IEC 14496-3: raw access units, without ADTS headers.
    Aac,
    /// Opus, RFC 6716.
    Opus,
    /// Anything else, such as `pcm_alaw`, `pcm_mulaw`, `mp2`, `adpcm_g726`.
    Other(String),
}

/// What a decoder of sound must know before the first unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioParameters {
    /// How sound is coded.
    pub codec: AudioCodec,
    /// `AudioSpecificConfig` of AAC, the identification header of Opus (RFC 7845 section 5.1), or empty.
    pub extradata: Bytes,
    /// Samples a second.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u16,
    /// Seconds per tick of every PTS.
    pub time_base: TimeBase,
}

/// One coded block of sound, with its time in a time base of its own. Its zero is that of the pictures beside it.
#[derive(Clone, Debug)]
pub struct AudioUnit {
    /// When its first sample is heard.
    pub pts: i64,
    /// The coded bytes.
    pub data: Bytes,
    /// What its decoder must know; a new allocation where it changes.
    pub parameters: Arc<AudioParameters>,
}
