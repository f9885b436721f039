//! Sound in sample entries: AAC as `mp4a` with `esds`, Opus as `Opus` with `dOps`.

use bytes::{BufMut as _, Bytes};

use super::{
    CmafError,
    boxes::{Fields, children, put, put_full},
};
use crate::{AudioCodec, AudioParameters};

// Tags of descriptors, ISO/IEC 14496-1 7.2.2.1.
const ES: u8 = 3;
const DECODER_CONFIG: u8 = 4;
const DECODER_SPECIFIC: u8 = 5;
const SL_CONFIG: u8 = 6;

/// How the identification header of Opus begins (RFC 7845, 5.1).
const OPUS_HEAD: &[u8; 8] = b"OpusHead";

/// Longest configuration taken: both are a few bytes, or a few hundred with channel mappings.
const LONGEST: usize = 4096;

/// The codec as RFC 6381 names it.
pub(super) fn name(sound: &AudioParameters) -> Result<String, CmafError> {
    check(sound)?;
    Ok(match &sound.codec {
        AudioCodec::Aac => format!("mp4a.40.{}", object_type(&sound.extradata)?),
        _ => "opus".to_owned(),
    })
}

/// Refuses what cannot be described.
fn check(sound: &AudioParameters) -> Result<(), CmafError> {
    let data = &sound.extradata;
    if data.len() > LONGEST {
        return Err(CmafError::Configuration("configuration of the sound"));
    }
    match &sound.codec {
        AudioCodec::Aac if data.is_empty() => Err(CmafError::NoParameters("configuration of the sound")),
        AudioCodec::Aac => object_type(data).map(|_| ()),
        AudioCodec::Opus => OpusHead::read(data).map(|_| ()),
        AudioCodec::Other(name) => Err(CmafError::Sound(name.clone())),
    }
}

/// `audioObjectType` of an `AudioSpecificConfig` (ISO/IEC 14496-3, 1.6.2.1).
fn object_type(config: &[u8]) -> Result<u8, CmafError> {
    const ESCAPE: u8 = 31;
    let [first, second, ..] = config else { return Err(CmafError::Configuration("AudioSpecificConfig")) };
    Ok(match first >> 3 {
        0 => return Err(CmafError::Configuration("AudioSpecificConfig")),
        ESCAPE => 32 + ((first & 7) << 3 | second >> 5),
        kind => kind,
    })
}

/// Appends the sample entry (ISO/IEC 14496-12, 12.2.3).
pub(super) fn put_entry(out: &mut Vec<u8>, sound: &AudioParameters) -> Result<(), CmafError> {
    check(sound)?;
    let aac = sound.codec == AudioCodec::Aac;
    put(out, if aac { *b"mp4a" } else { *b"Opus" }, |out| {
        out.put_bytes(0, 6);
        out.put_u16(1); // data_reference_index
        out.put_bytes(0, 8);
        out.put_u16(sound.channels);
        out.put_u16(16); // samplesize
        out.put_u32(0);
        // 16.16; what does not fit stands in a box of ours.
        out.put_u32(u16::try_from(sound.sample_rate).map_or(0, |rate| u32::from(rate) << 16));
        if aac { put_esds(out, &sound.extradata) } else { put_dops(out, &sound.extradata) }
    });
    Ok(())
}

fn put_descriptor(out: &mut Vec<u8>, tag: u8, body: &[u8]) {
    out.put_u8(tag);
    // Always four bytes of length, seven bits each, as most writers do.
    for shift in [21, 14, 7] {
        out.put_u8(0x80 | (body.len() >> shift & 0x7f) as u8);
    }
    out.put_u8((body.len() & 0x7f) as u8);
    out.put_slice(body);
}

/// ISO/IEC 14496-14, 5.6.
fn put_esds(out: &mut Vec<u8>, config: &[u8]) {
    const MPEG4_AUDIO: u8 = 0x40;
    const AUDIO_STREAM: u8 = 0x15;
    let mut decoder = vec![MPEG4_AUDIO, AUDIO_STREAM];
    decoder.put_bytes(0, 11); // buffer size and rates, unknown
    put_descriptor(&mut decoder, DECODER_SPECIFIC, config);
    let mut stream = vec![0, super::SOUND_TRACK as u8, 0];
    put_descriptor(&mut stream, DECODER_CONFIG, &decoder);
    put_descriptor(&mut stream, SL_CONFIG, &[2]);
    put_full(out, *b"esds", (0, 0), |out| put_descriptor(out, ES, &stream));
}

/// What `OpusHead` and `dOps` share.
struct OpusHead<'a> {
    channels: u8,
    pre_skip: u16,
    sample_rate: u32,
    gain: u16,
    family: u8,
    mapping: &'a [u8],
}

impl<'a> OpusHead<'a> {
    /// RFC 7845, 5.1: little-endian.
    fn read(header: &'a [u8]) -> Result<Self, CmafError> {
        let within = "identification header of Opus";
        let Some([_version, rest @ ..]) = header.strip_prefix(OPUS_HEAD) else {
            return Err(CmafError::NoParameters(within));
        };
        let mut fields = Fields::new(rest, within);
        let channels = fields.u8()?;
        let pre_skip = u16::from_le_bytes(fields.bytes()?);
        let sample_rate = u32::from_le_bytes(fields.bytes()?);
        let gain = u16::from_le_bytes(fields.bytes()?);
        let family = fields.u8()?;
        Self { channels, pre_skip, sample_rate, gain, family, mapping: fields.rest() }.checked()
    }

    /// `dOps` (encapsulation of Opus in ISO base media, 4.3.2): big-endian.
    fn read_box(body: &'a [u8]) -> Result<Self, CmafError> {
        let mut fields = Fields::new(body, "dOps");
        fields.u8()?; // Version
        let channels = fields.u8()?;
        let (pre_skip, sample_rate, gain) = (fields.u16()?, fields.u32()?, fields.u16()?);
        let family = fields.u8()?;
        Self { channels, pre_skip, sample_rate, gain, family, mapping: fields.rest() }.checked()
    }

    fn checked(self) -> Result<Self, CmafError> {
        let mapping = if self.family == 0 { 0 } else { 2 + usize::from(self.channels) };
        if self.channels == 0 || self.mapping.len() != mapping {
            return Err(CmafError::Configuration("identification header of Opus"));
        }
        Ok(self)
    }
}

fn put_dops(out: &mut Vec<u8>, header: &[u8]) {
    let Ok(head) = OpusHead::read(header) else { return };
    put(out, *b"dOps", |out| {
        out.put_u8(0);
        out.put_u8(head.channels);
        out.put_u16(head.pre_skip);
        out.put_u32(head.sample_rate);
        out.put_u16(head.gain);
        out.put_u8(head.family);
        out.put_slice(head.mapping);
    });
}

/// Codec, extradata and channels of a sample entry.
pub(super) fn read_entry(name: [u8; 4], body: &[u8]) -> Result<(AudioCodec, Bytes, u16), CmafError> {
    let mut fields = Fields::new(body, "sample entry of sound");
    fields.slice(16)?;
    let channels = fields.u16()?;
    fields.slice(10)?;
    let wanted = if name == *b"mp4a" { *b"esds" } else { *b"dOps" };
    for atom in children(fields.rest(), "sample entry of sound") {
        let atom = atom?;
        if atom.name != wanted {
            continue;
        }
        return match &name {
            b"mp4a" => Ok((AudioCodec::Aac, read_esds(atom.body)?, channels)),
            b"Opus" => Ok((AudioCodec::Opus, opus_head(atom.body)?, channels)),
            _ => Err(CmafError::Foreign("sample entry of sound")),
        };
    }
    Err(CmafError::Foreign("sample entry of sound"))
}

fn opus_head(body: &[u8]) -> Result<Bytes, CmafError> {
    let head = OpusHead::read_box(body)?;
    let mut out = OPUS_HEAD.to_vec();
    out.put_u8(1);
    out.put_u8(head.channels);
    out.put_u16_le(head.pre_skip);
    out.put_u32_le(head.sample_rate);
    out.put_u16_le(head.gain);
    out.put_u8(head.family);
    out.put_slice(head.mapping);
    Ok(out.into())
}

fn read_esds(body: &[u8]) -> Result<Bytes, CmafError> {
    let mut fields = Fields::new(body, "esds");
    fields.expect_version(0, 0)?;
    let mut stream = Fields::new(descriptor(&mut fields, ES)?, "esds");
    stream.slice(3)?;
    let mut decoder = Fields::new(descriptor(&mut stream, DECODER_CONFIG)?, "esds");
    decoder.slice(13)?;
    let config = descriptor(&mut decoder, DECODER_SPECIFIC)?;
    object_type(config)?;
    Ok(Bytes::copy_from_slice(config))
}

/// The body of the next descriptor, which must be this one.
fn descriptor<'a>(fields: &mut Fields<'a>, tag: u8) -> Result<&'a [u8], CmafError> {
    if fields.u8()? != tag {
        return Err(CmafError::Foreign("esds"));
    }
    let mut size = 0_usize;
    for _ in 0..4 {
        let byte = fields.u8()?;
        size = size << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return fields.slice(size);
        }
    }
    Err(CmafError::Foreign("esds"))
}
