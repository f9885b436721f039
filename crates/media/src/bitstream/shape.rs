//! What pictures look like, as their sequence headers say: for those who describe a stream to players.

use super::{BitstreamError, av1, h264, h265, vpx};
use crate::Codec;

/// Size and colour of the pictures of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// In pixels, cropped.
    pub(crate) width: u32,
    /// See `width`.
    pub(crate) height: u32,
    /// 0 monochrome, 1 4:2:0, 2 4:2:2, 3 4:4:4 (`chroma_format_idc`).
    pub(crate) chroma_format: u8,
    /// Bits of luma.
    pub(crate) bit_depth: u8,
    /// Bits of chroma.
    pub(crate) chroma_bit_depth: u8,
    /// Width and height of a pixel.
    pub(crate) pixel: (u32, u32),
    /// Where the stream says it.
    pub(crate) colour: Option<Colour>,
}

/// ISO/IEC 23091-2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Colour {
    pub(crate) primaries: u8,
    pub(crate) transfer: u8,
    pub(crate) matrix: u8,
    pub(crate) full_range: bool,
}

impl Colour {
    /// "Unspecified" in all three tables.
    pub(crate) const UNKNOWN: u8 = 2;
}

/// Parameter sets of H.264 and H.265, in the order in which decoders want them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SetKind {
    Video,
    Sequence,
    Picture,
}

/// Which parameter set a NAL unit of H.264 or H.265 is, with its number. Nothing for other NAL units, and for damaged sets.
pub(crate) fn parameter_set(codec: &Codec, nal: &[u8]) -> Option<(SetKind, u16)> {
    match codec {
        Codec::H264 => h264::parameter_set(nal),
        Codec::H265 => h265::parameter_set(nal),
        _ => None,
    }
}

/// What a sequence parameter set of H.264 or H.265 says.
pub(crate) fn shape_of_set(codec: &Codec, nal: &[u8]) -> Result<Shape, BitstreamError> {
    match codec {
        Codec::H264 => h264::shape(nal),
        Codec::H265 => h265::shape(nal),
        _ => Err(BitstreamError::NoPicture),
    }
}

pub(crate) use av1::{Obu, Sequence as Av1Sequence, obus};
pub(crate) use h265::Profile as HevcProfile;
pub(crate) use vpx::{Vp9Header, read_vp9_header};

/// `aspect_ratio_idc`, H.264 table E-1 and H.265 table E.1.
pub(super) fn pixel_of(index: u32) -> (u32, u32) {
    const TABLE: [(u32, u32); 16] = [
        (1, 1),
        (12, 11),
        (10, 11),
        (16, 11),
        (40, 33),
        (24, 11),
        (20, 11),
        (32, 11),
        (80, 33),
        (18, 11),
        (15, 11),
        (64, 33),
        (160, 99),
        (4, 3),
        (3, 2),
        (2, 1),
    ];
    let at = (index as usize).checked_sub(1);
    at.and_then(|at| TABLE.get(at)).copied().unwrap_or((1, 1))
}
