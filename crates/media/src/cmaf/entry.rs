//! Pictures in sample entries, and what a configuration record says of them.

use std::fmt::Write as _;

use bytes::{BufMut as _, Bytes};

use super::{
    CmafError,
    boxes::{Fields, children, put},
    framing::record,
};
use crate::{
    Codec, CodecParameters,
    bitstream::shape::{Av1Sequence, Colour, HevcProfile, Obu, SetKind, Shape, obus, shape_of_set},
};

/// Longest configuration record taken.
const LONGEST: usize = 1 << 20;

/// A codec that can be recorded.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The codec as RFC 6381 names it.
    pub(super) codecs: String,
    pub(super) shape: Shape,
    name: [u8; 4],
    record_name: [u8; 4],
    record: Bytes,
}

/// Names of sample entry and configuration record.
fn names(codec: &Codec) -> Result<([u8; 4], [u8; 4]), CmafError> {
    match codec {
        Codec::H264 => Ok((*b"avc1", *b"avcC")),
        Codec::H265 => Ok((*b"hvc1", *b"hvcC")),
        Codec::Av1 => Ok((*b"av01", *b"av1C")),
        Codec::Vp9 => Ok((*b"vp09", *b"vpcC")),
        other => Err(CmafError::Video(other.name().to_owned())),
    }
}

impl Entry {
    /// What the configuration record says.
    pub(super) fn of(video: &CodecParameters) -> Result<Self, CmafError> {
        let (name, record_name) = names(&video.codec)?;
        let record = video.extradata.clone();
        if record.is_empty() {
            return Err(CmafError::NoParameters("parameter set"));
        }
        if record.len() > LONGEST {
            return Err(CmafError::Configuration("configuration record"));
        }
        let (codecs, shape) = match video.codec {
            Codec::Av1 => describe_av1(&record)?,
            Codec::Vp9 => describe_vp9(&record, video)?,
            _ => describe_nal(&video.codec, &record)?,
        };
        Ok(Self { codecs, shape, name, record_name, record })
    }

    /// Appends the sample entry (ISO/IEC 14496-12, 12.1.3).
    pub(super) fn put(&self, out: &mut Vec<u8>, (width, height): (u32, u32)) {
        put(out, self.name, |out| {
            out.put_bytes(0, 6);
            out.put_u16(1); // data_reference_index
            out.put_bytes(0, 16);
            out.put_u16(width as u16);
            out.put_u16(height as u16);
            out.put_u32(0x48_0000); // 72 dpi
            out.put_u32(0x48_0000);
            out.put_u32(0);
            out.put_u16(1); // frame_count
            out.put_bytes(0, 32); // compressorname
            out.put_u16(24); // depth
            out.put_i16(-1);
            put(out, self.record_name, |out| out.put_slice(&self.record));
            if let Some(colour) = self.shape.colour {
                put_colour(out, colour);
            }
            let (across, down) = self.shape.pixel;
            if across != down {
                put(out, *b"pasp", |out| {
                    out.put_u32(across);
                    out.put_u32(down);
                });
            }
        });
    }
}

fn put_colour(out: &mut Vec<u8>, colour: Colour) {
    put(out, *b"colr", |out| {
        out.put_slice(b"nclx");
        out.put_u16(u16::from(colour.primaries));
        out.put_u16(u16::from(colour.transfer));
        out.put_u16(u16::from(colour.matrix));
        out.put_u8(u8::from(colour.full_range) << 7);
    });
}

/// Codec, configuration record and size of a sample entry.
pub(super) fn read(name: [u8; 4], body: &[u8]) -> Result<(Codec, Bytes, [u16; 2]), CmafError> {
    let within = "sample entry of pictures";
    let codec = match &name {
        b"avc1" => Codec::H264,
        b"hvc1" => Codec::H265,
        b"av01" => Codec::Av1,
        b"vp09" => Codec::Vp9,
        _ => return Err(CmafError::Foreign(within)),
    };
    let (_, record_name) = names(&codec)?;
    let mut fields = Fields::new(body, within);
    fields.slice(24)?;
    let size = [fields.u16()?, fields.u16()?];
    fields.slice(50)?;
    for atom in children(fields.rest(), within) {
        let atom = atom?;
        if atom.name == record_name {
            return Ok((codec, Bytes::copy_from_slice(atom.body), size));
        }
    }
    Err(CmafError::Foreign(within))
}

fn describe_nal(codec: &Codec, record: &[u8]) -> Result<(String, Shape), CmafError> {
    let unreadable = CmafError::Configuration("configuration record");
    let record = record::read(codec, record).ok_or(unreadable.clone())?;
    let set = record.sets.first(SetKind::Sequence).ok_or(unreadable.clone())?;
    let shape = shape_of_set(codec, set).map_err(|_damaged| unreadable.clone())?;
    let mut codecs = String::new();
    if *codec == Codec::H264 {
        let &[_, profile, constraints, level, ..] = &set[..] else { return Err(unreadable) };
        codecs = format!("avc1.{profile:02x}{constraints:02x}{level:02x}");
    } else {
        let profile = HevcProfile::of_set(set).map_err(|_damaged| unreadable)?;
        name_hevc(&mut codecs, profile.general);
    }
    Ok((codecs, shape))
}

/// ISO/IEC 14496-15, E.3.
fn name_hevc(out: &mut String, general: [u8; 12]) {
    let [first, compatible @ .., level] = general;
    let space = ["", "A", "B", "C"][usize::from(first >> 6)];
    let tier = if first & 0x20 == 0 { 'L' } else { 'H' };
    let [a, b, c, d, constraints @ ..] = compatible;
    let compatible = u32::from_be_bytes([a, b, c, d]).reverse_bits();
    // Writing to a string cannot fail.
    write!(out, "hvc1.{space}{}.{compatible:X}.{tier}{level}", first & 0x1f).ok();
    let used = constraints.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    for byte in &constraints[..used] {
        write!(out, ".{byte:X}").ok();
    }
}

/// AV1 codec ISO media file format binding, section 5.
fn describe_av1(record: &[u8]) -> Result<(String, Shape), CmafError> {
    let unreadable = CmafError::Configuration("av1C");
    let Some([0x81, _, _, _, rest @ ..]) = record.first_chunk::<4>().map(|_| record) else {
        return Err(unreadable);
    };
    let header = obus(rest).find(Obu::is_sequence_header).ok_or(unreadable.clone())?;
    let sequence = Av1Sequence::parse(header.payload).map_err(|_damaged| unreadable)?;
    let tier = if sequence.high_tier { 'H' } else { 'M' };
    let (profile, level, depth) = (sequence.profile, sequence.level, sequence.shape.bit_depth);
    Ok((format!("av01.{profile}.{level:02}{tier}.{depth:02}"), sequence.shape))
}

/// VP codec ISO media file format binding: the record has no size.
fn describe_vp9(record: &[u8], video: &CodecParameters) -> Result<(String, Shape), CmafError> {
    let [1, 0, 0, 0, profile, level, depths, primaries, transfer, matrix, 0, 0] = *record else {
        return Err(CmafError::Configuration("vpcC"));
    };
    let bit_depth = depths >> 4;
    let chroma_format = (depths >> 1 & 7).max(1);
    let colour = Colour { primaries, transfer, matrix, full_range: depths & 1 == 1 };
    let shape = Shape {
        width: video.width,
        height: video.height,
        chroma_format,
        bit_depth,
        chroma_bit_depth: bit_depth,
        pixel: (1, 1),
        colour: Some(colour),
    };
    Ok((format!("vp09.{profile:02}.{level:02}.{bit_depth:02}"), shape))
}
