//! What is said of pictures and sound before they come.

use ocelli_media::{AudioCodec, Codec, CodecParameters};

use super::super::{amf::Value, flv::FlvError};

/// Wider or higher pictures are a mistake of whoever announces them.
const LARGEST: u32 = 1 << 14;

/// What `onMetaData` says of pictures, for people and containers; 0 where it does not.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Announced {
    pub(super) size: (u32, u32),
    pub(super) frame_rate: f64,
}

impl Announced {
    pub(super) fn of(values: &[Value]) -> Option<Self> {
        let at = values.iter().position(|value| value.as_text() == Some("onMetaData"))?;
        let said = values.get(at + 1)?;
        let side =
            |name| said.get(name).and_then(Value::as_count).filter(|side| (1..=LARGEST).contains(side));
        let frame_rate = match said.get("framerate") {
            Some(Value::Number(rate)) if (0.1..=1000.0).contains(rate) => *rate,
            _ => 0.0,
        };
        // One without the other says nothing.
        let size = side("width").zip(side("height")).unwrap_or_default();
        Some(Self { size, frame_rate })
    }
}

/// Whether a record has at least its fixed part (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1).
pub(super) fn is_whole(codec: &Codec, record: &[u8]) -> bool {
    match codec {
        Codec::H264 => record.len() >= 7 && record[0] == 1,
        Codec::H265 => record.len() >= 23 && record[0] == 1,
        _ => true,
    }
}

/// Bytes of a NAL unit's length, where pictures are made of those.
pub(super) fn length_size(parameters: &CodecParameters) -> Option<usize> {
    let at = match parameters.codec {
        Codec::H264 => 4,
        Codec::H265 => 21,
        _ => return None,
    };
    parameters.extradata.get(at).map(|byte| usize::from(byte & 3) + 1)
}

/// Samples a second and channels, as a record says; 0 where it does not.
pub(super) fn sound_of(codec: &AudioCodec, record: &[u8]) -> Result<(u32, u16), FlvError> {
    match codec {
        AudioCodec::Aac => aac(record).ok_or(FlvError::Unknown("the configuration of AAC")),
        // RFC 7845 section 5.1: always decoded at 48 kHz.
        AudioCodec::Opus => match record.strip_prefix(b"OpusHead") {
            Some([_version, channels, rest @ ..]) if *channels > 0 && rest.len() >= 9 => {
                Ok((48_000, u16::from(*channels)))
            }
            _ => Err(FlvError::Unknown("the header of Opus")),
        },
        AudioCodec::Other(_) => Ok((0, 0)),
    }
}

/// `AudioSpecificConfig` (ISO/IEC 14496-3, 1.6.2.1): the rate at which its frames are counted, which with spectral band replication is
/// half of what is heard.
fn aac(record: &[u8]) -> Option<(u32, u16)> {
    const RATES: [u32; 13] =
        [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350];
    // At most 5 + 6 + 4 + 24 + 4 bits.
    let mut head = [0; 8];
    let length = record.len().min(8);
    head[..length].copy_from_slice(&record[..length]);
    let (bits, have) = (u64::from_be_bytes(head), 8 * length as u32);
    let mut at = 0;
    let mut take = |count: u32| {
        let value = (bits << at) >> (64 - count);
        at += count;
        (at <= have).then_some(value as u32)
    };
    // An object type beyond 31 has six bits more.
    if take(5)? == 31 {
        take(6)?;
    }
    let rate = match take(4)? {
        15 => take(24)?,
        index => *RATES.get(index as usize)?,
    };
    let channels = match take(4)? {
        // The bitstream itself says: nearly always stereo.
        0 => 2,
        count @ 1..7 => count as u16,
        11 => 7,
        7 | 12 | 14 => 8,
        _ => return None,
    };
    (rate > 0).then_some((rate, channels))
}
