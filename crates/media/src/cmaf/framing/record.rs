//! `avcC` and `hvcC` (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1), read and written.

use bytes::{BufMut as _, Bytes};

use super::sets::Sets;
use crate::{
    Codec,
    bitstream::{
        nal::{Framing, whole_nals},
        shape::{HevcProfile, SetKind, parameter_set, shape_of_set},
    },
};

/// Bytes of a NAL unit's length in every sample.
pub(super) const LENGTH: usize = 4;

// NAL unit types of H.265, table 7-1.
const VPS: u8 = 32;
const SPS: u8 = 33;
const PPS: u8 = 34;

/// A configuration record, read.
#[derive(Debug, Default)]
pub(in super::super) struct Record {
    pub(in super::super) sets: Sets,
    /// Bytes of a length as declared.
    pub(super) length: Option<usize>,
    /// It says all that a record of ours says: it can stand as it is.
    pub(super) complete: bool,
    /// Arrays of `hvcC` that hold no parameter sets, such as SEI messages, as they stand there.
    pub(super) others: Vec<u8>,
    pub(super) other_arrays: u8,
}

/// Reads `avcC` or `hvcC`; nothing where the bytes end too soon.
pub(in super::super) fn read(codec: &Codec, record: &[u8]) -> Option<Record> {
    match codec {
        Codec::H264 => read_avcc(record),
        Codec::H265 => read_hvcc(record),
        _ => None,
    }
}

/// Reads whatever stands in extradata: a record, NAL units, nothing.
pub(super) fn read_any(codec: &Codec, extradata: &[u8]) -> Record {
    // Early `hvcC` have version 0. Start codes begin with two zero bytes and a small third.
    let coded = match codec {
        Codec::H265 => !matches!(extradata, [] | [0, 0, 0 | 1, ..]),
        _ => extradata.first() == Some(&1),
    };
    if coded {
        return read(codec, extradata).unwrap_or_default();
    }
    let mut record = Record::default();
    for nal in whole_nals(extradata, Framing::of(None, extradata)) {
        if let Some(key) = parameter_set(codec, nal) {
            record.sets.keep(key, nal);
        }
    }
    record
}

fn split_nal(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = rest.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

fn read_avcc(bytes: &[u8]) -> Option<Record> {
    let (head, mut rest) = bytes.split_first_chunk::<5>()?;
    let mut record = Record { length: Some(usize::from(head[4] & 3) + 1), ..Record::default() };
    let mut kept = true;
    for mask in [0x1f, 0xff] {
        let (&count, sets) = rest.split_first()?;
        rest = sets;
        for _ in 0..count & mask {
            let (nal, tail) = split_nal(rest)?;
            rest = tail;
            kept &= keep(&mut record.sets, &Codec::H264, nal);
        }
    }
    record.complete = kept && record.length == Some(LENGTH) && is_complete(&Codec::H264, &record.sets);
    Some(record)
}

fn read_hvcc(bytes: &[u8]) -> Option<Record> {
    let (head, mut rest) = bytes.split_first_chunk::<23>()?;
    let mut record = Record { length: Some(usize::from(head[21] & 3) + 1), ..Record::default() };
    let mut kept = head[0] == 1;
    for _ in 0..head[22] {
        let array = rest;
        let (&[kind, high, low], sets) = rest.split_first_chunk()?;
        rest = sets;
        let of_sets = matches!(kind & 0x3f, VPS..=PPS);
        // All of its kind must be here: `array_completeness`.
        kept &= kind & 0x80 != 0 || !of_sets;
        for _ in 0..u16::from_be_bytes([high, low]) {
            let (nal, tail) = split_nal(rest)?;
            rest = tail;
            kept &= !of_sets || keep(&mut record.sets, &Codec::H265, nal);
        }
        if !of_sets && record.other_arrays < 64 {
            record.other_arrays += 1;
            record.others.extend_from_slice(&array[..array.len() - rest.len()]);
        }
    }
    record.complete = kept && record.length == Some(LENGTH) && is_complete(&Codec::H265, &record.sets);
    Some(record)
}

fn keep(sets: &mut Sets, codec: &Codec, nal: &[u8]) -> bool {
    parameter_set(codec, nal).is_some_and(|key| sets.keep(key, nal))
}

/// Whether decoding can start with these.
pub(super) fn is_complete(codec: &Codec, sets: &Sets) -> bool {
    let needed = [SetKind::Sequence, SetKind::Picture, SetKind::Video];
    let needed = if *codec == Codec::H265 { &needed[..] } else { &needed[..2] };
    needed.iter().all(|kind| sets.first(*kind).is_some())
}

/// Writes the record of these sets; nothing where they are not all there.
pub(super) fn write(codec: &Codec, sets: &Sets, others: (&[u8], u8)) -> Option<Bytes> {
    if !is_complete(codec, sets) {
        return None;
    }
    match codec {
        Codec::H264 => write_avcc(sets),
        _ => write_hvcc(sets, others),
    }
}

fn put_sets(out: &mut Vec<u8>, sets: &Sets, kind: SetKind) {
    for set in sets.of(kind) {
        out.put_u16(set.len() as u16);
        out.put_slice(set);
    }
}

fn write_avcc(sets: &Sets) -> Option<Bytes> {
    let set = sets.first(SetKind::Sequence)?;
    let &[_, profile, constraints, level, ..] = &set[..] else { return None };
    let mut out = vec![1, profile, constraints, level, 0xfc | (LENGTH as u8 - 1)];
    out.put_u8(0xe0 | sets.of(SetKind::Sequence).count() as u8);
    put_sets(&mut out, sets, SetKind::Sequence);
    out.put_u8(sets.of(SetKind::Picture).count() as u8);
    put_sets(&mut out, sets, SetKind::Picture);
    // The profiles that have no such end are the three old ones.
    if !matches!(profile, 66 | 77 | 88) {
        let shape = shape_of_set(&Codec::H264, set).ok()?;
        out.put_u8(0xfc | shape.chroma_format);
        out.put_u8(0xf8 | (shape.bit_depth - 8));
        out.put_u8(0xf8 | (shape.chroma_bit_depth - 8));
        out.put_u8(0);
    }
    Some(out.into())
}

fn write_hvcc(sets: &Sets, (others, other_arrays): (&[u8], u8)) -> Option<Bytes> {
    const COMPLETE: u8 = 0x80;
    let set = sets.first(SetKind::Sequence)?;
    let profile = HevcProfile::of_set(set).ok()?;
    let shape = shape_of_set(&Codec::H265, set).ok()?;
    let mut out = vec![1];
    out.put_slice(&profile.general);
    out.put_u16(0xf000); // min_spatial_segmentation_idc, unknown
    out.put_u8(0xfc); // parallelismType, unknown
    out.put_u8(0xfc | shape.chroma_format);
    out.put_u8(0xf8 | (shape.bit_depth - 8));
    out.put_u8(0xf8 | (shape.chroma_bit_depth - 8));
    out.put_u16(0); // avgFrameRate, unknown
    out.put_u8(profile.temporal_layers << 3 | u8::from(profile.temporal_nesting) << 2 | (LENGTH as u8 - 1));
    out.put_u8(3 + other_arrays);
    for (kind, name) in [(SetKind::Video, VPS), (SetKind::Sequence, SPS), (SetKind::Picture, PPS)] {
        out.put_u8(COMPLETE | name);
        out.put_u16(sets.of(kind).count() as u16);
        put_sets(&mut out, sets, kind);
    }
    out.put_slice(others);
    Some(out.into())
}
