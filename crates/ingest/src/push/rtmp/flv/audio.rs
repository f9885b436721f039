//! Tags of sound.

use bytes::Bytes;
use ocelli_media::AudioCodec;

use super::{
    FlvError,
    ex::{past_modifiers, track},
    shown, take,
};

/// What a tag of sound holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AudioTag {
    /// What a decoder must know: `AudioSpecificConfig`, the identification header of Opus.
    Configuration {
        /// How sound is coded.
        codec: AudioCodec,
        /// As the codec's own specification has it.
        record: Bytes,
    },
    /// A coded block.
    Sound {
        /// How it is coded.
        codec: AudioCodec,
        /// Samples a second, as the tag says; 0 where a configuration says it.
        sample_rate: u32,
        /// Channels, likewise.
        channels: u16,
        /// Coded.
        data: Bytes,
    },
    /// Nothing to decode.
    Nothing,
}

/// Reads a tag.
pub fn audio(mut body: Bytes) -> Result<AudioTag, FlvError> {
    const ENHANCED: u8 = 9;
    if body.is_empty() {
        return Ok(AudioTag::Nothing);
    }
    let [first] = take(&mut body)?;
    if first >> 4 == ENHANCED { enhanced(first & 0xf, body) } else { legacy(first, body) }
}

fn legacy(first: u8, mut body: Bytes) -> Result<AudioTag, FlvError> {
    const AAC: u8 = 10;
    let (mut sample_rate, mut channels) =
        ([5512, 11_025, 22_050, 44_100][usize::from(first >> 2 & 3)], u16::from(first & 1) + 1);
    let wide = first & 2 != 0;
    let name = match first >> 4 {
        AAC => {
            let [packet] = take(&mut body)?;
            return match packet {
                0 => Ok(AudioTag::Configuration { codec: AudioCodec::Aac, record: body }),
                1 => Ok(sound(AudioCodec::Aac, (0, 0), body)),
                _ => Err(FlvError::Unknown("the packet type")),
            };
        }
        0 | 3 if wide => "pcm_s16le",
        0 | 3 => "pcm_u8",
        1 => "adpcm_swf",
        2 => "mp3",
        4..=6 => {
            (sample_rate, channels) = match first >> 4 {
                4 => (16_000, 1),
                5 => (8000, 1),
                _ => (sample_rate, channels),
            };
            "nellymoser"
        }
        7 | 8 => {
            sample_rate = 8000;
            if first >> 4 == 7 { "pcm_alaw" } else { "pcm_mulaw" }
        }
        11 => {
            (sample_rate, channels) = (16_000, 1);
            "speex"
        }
        14 => {
            sample_rate = 8000;
            "mp3"
        }
        _ => return Err(FlvError::Unknown("the format of sound")),
    };
    Ok(sound(AudioCodec::Other(name.to_owned()), (sample_rate, channels), body))
}

fn sound(codec: AudioCodec, (sample_rate, channels): (u32, u16), data: Bytes) -> AudioTag {
    if data.is_empty() { AudioTag::Nothing } else { AudioTag::Sound { codec, sample_rate, channels, data } }
}

fn enhanced(packet: u8, mut body: Bytes) -> Result<AudioTag, FlvError> {
    const MULTIPLE: u8 = 5;
    let packet = past_modifiers(packet, &mut body)?;
    let Some((packet, fourcc, body)) = track(packet, MULTIPLE, body)? else {
        return Ok(AudioTag::Nothing);
    };
    let other = |name: &str| AudioCodec::Other(name.to_owned());
    let codec = match &fourcc {
        b"mp4a" => AudioCodec::Aac,
        b"Opus" => AudioCodec::Opus,
        b"fLaC" => other("flac"),
        b"ac-3" => other("ac3"),
        b"ec-3" => other("eac3"),
        b".mp3" => other("mp3"),
        _ => AudioCodec::Other(shown(fourcc)),
    };
    match packet {
        0 => Ok(AudioTag::Configuration { codec, record: body }),
        1 => Ok(sound(codec, (0, 0), body)),
        // End of a sequence; where the speakers of channels stand.
        2 | 4 => Ok(AudioTag::Nothing),
        _ => Err(FlvError::Unknown("the packet type")),
    }
}
