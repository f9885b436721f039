//! VP8 (RFC 6386, 9.1) and VP9 (VP9 bitstream specification, 6.2 and annex B).

use super::bits::Bits;
use super::shape::{Colour, Shape};
use super::{Access, BitstreamError, PictureInfo};

/// What a VP8 frame is.
pub(super) fn read_vp8(frame: &[u8]) -> Result<PictureInfo, BitstreamError> {
    let Some((&[tag, ..], rest)) = frame.split_first_chunk::<3>() else {
        // An empty frame stands for a dropped one.
        return Err(if frame.is_empty() { BitstreamError::NoPicture } else { BitstreamError::Truncated });
    };
    let key = tag & 1 == 0;
    if key && !rest.starts_with(&[0x9d, 0x01, 0x2a]) {
        return Err(BitstreamError::OutOfRange("start code of a key frame"));
    }
    let access = if key { Access::Keyframe { leading: false } } else { Access::None };
    Ok(PictureInfo { shown: tag & 0x10 != 0, ..PictureInfo::of_unread_references(access, 0) })
}

/// What a VP9 frame or superframe is. Decoding can start where its first frame is a key frame: intra-only frames leave
/// other references behind.
pub(super) fn read_vp9(unit: &[u8]) -> Result<PictureInfo, BitstreamError> {
    let mut rest = unit;
    let mut info: Option<PictureInfo> = None;
    for size in Superframe::of(unit) {
        // A size beyond the unit takes what is there.
        let (frame, tail) = rest.split_at(size.min(rest.len()));
        rest = tail;
        if frame.is_empty() {
            continue;
        }
        match (&mut info, read_vp9_frame(frame)) {
            (None, frame) => info = Some(frame?),
            (Some(info), Ok(frame)) => info.shown |= frame.shown,
            // The first frame stands; damage behind it is for the decoder to find.
            (Some(_), Err(_)) => break,
        }
    }
    info.ok_or(BitstreamError::NoPicture)
}

fn read_vp9_frame(frame: &[u8]) -> Result<PictureInfo, BitstreamError> {
    const FRAME_MARKER: u32 = 2;
    let bits = &mut Bits::plain(frame);
    if bits.u(2)? != FRAME_MARKER {
        return Err(BitstreamError::OutOfRange("frame_marker"));
    }
    if bits.u(2)? == 3 {
        bits.flag()?; // reserved_zero of profile 3
    }
    if bits.flag()? {
        // show_existing_frame: an old picture is shown, nothing is decoded.
        return Ok(PictureInfo::of_unread_references(Access::None, 0));
    }
    let key = !bits.flag()?;
    let shown = bits.flag()?;
    bits.flag()?; // error_resilient_mode
    if key && bits.u(24)? != 0x49_8342 {
        return Err(BitstreamError::OutOfRange("frame_sync_code"));
    }
    let access = if key { Access::Keyframe { leading: false } } else { Access::None };
    Ok(PictureInfo { shown, ..PictureInfo::of_unread_references(access, 0) })
}

/// What the first frame of a unit says, if it is a key frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Vp9Header {
    pub(crate) profile: u8,
    pub(crate) shape: Shape,
}

/// Reads a key frame's header as far as the size (6.2). Other frames are no error, but `None`.
pub(crate) fn read_vp9_header(unit: &[u8]) -> Result<Option<Vp9Header>, BitstreamError> {
    let bits = &mut Bits::plain(unit);
    if bits.u(2)? != 2 {
        return Err(BitstreamError::OutOfRange("frame_marker"));
    }
    let profile = bits.u(1)? | bits.u(1)? << 1;
    if profile == 3 {
        bits.flag()?; // reserved_zero
    }
    // show_existing_frame, frame_type.
    if bits.flag()? || bits.flag()? {
        return Ok(None);
    }
    bits.skip(2)?; // show_frame, error_resilient_mode
    if bits.u(24)? != 0x49_8342 {
        return Err(BitstreamError::OutOfRange("frame_sync_code"));
    }
    let bit_depth = match profile {
        2 | 3 => 10 + 2 * bits.u(1)? as u8,
        _ => 8,
    };
    let (colour_space, full_range, chroma_format) = read_vp9_colour(bits, profile)?;
    let (width, height) = (bits.u(16)? + 1, bits.u(16)? + 1);
    // `color_space` in the codes of ISO/IEC 23091-2: primaries, transfer, matrix.
    let [primaries, transfer, matrix] = match colour_space {
        1 | 3 => [6, 6, 6],
        2 => [1, 1, 1],
        4 => [7, 7, 7],
        5 => [9, Colour::UNKNOWN, 9],
        7 => [1, 13, 0],
        _ => [Colour::UNKNOWN; 3],
    };
    let shape = Shape {
        width,
        height,
        chroma_format,
        bit_depth,
        chroma_bit_depth: bit_depth,
        pixel: (1, 1),
        colour: Some(Colour { primaries, transfer, matrix, full_range }),
    };
    Ok(Some(Vp9Header { profile: profile as u8, shape }))
}

/// `color_config` behind the bit depth (6.2.2): colour space, full range, chroma format.
fn read_vp9_colour(bits: &mut Bits<'_>, profile: u32) -> Result<(u32, bool, u8), BitstreamError> {
    const RGB: u32 = 7;
    let any_format = matches!(profile, 1 | 3);
    let space = bits.u(3)?;
    if space == RGB {
        if any_format {
            bits.flag()?; // reserved_zero
        }
        return Ok((space, true, 3));
    }
    let full_range = bits.flag()?;
    if !any_format {
        return Ok((space, full_range, 1));
    }
    let subsampling = (bits.flag()?, bits.flag()?);
    bits.flag()?; // reserved_zero
    // 4:4:0 has no number of its own.
    Ok((
        space,
        full_range,
        if subsampling == (true, true) {
            1
        } else if subsampling.0 {
            2
        } else {
            3
        },
    ))
}

/// The sizes of the frames of a superframe; those of a bare frame are its own.
#[derive(Clone, Debug)]
struct Superframe<'a> {
    sizes: std::slice::ChunksExact<'a, u8>,
    bare: Option<usize>,
}

impl<'a> Superframe<'a> {
    fn of(unit: &'a [u8]) -> Self {
        let index = Self::index(unit);
        let bare = if index.is_some() { None } else { Some(unit.len()) };
        Self { sizes: index.unwrap_or_else(|| [].chunks_exact(1)), bare }
    }

    /// The index at the end of the unit: a marker, sizes in little-endian order, the marker again (annex B.2).
    fn index(unit: &'a [u8]) -> Option<std::slice::ChunksExact<'a, u8>> {
        let (&marker, rest) = unit.split_last()?;
        if marker >> 5 != 0b110 {
            return None;
        }
        let bytes = usize::from(marker >> 3 & 3) + 1;
        let frames = usize::from(marker & 7) + 1;
        let (_, index) = rest.split_at_checked(rest.len().checked_sub(bytes * frames + 1)?)?;
        let (&first, sizes) = index.split_first()?;
        (first == marker).then(|| sizes.chunks_exact(bytes))
    }
}

impl Iterator for Superframe<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.bare.take().or_else(|| {
            let size = self.sizes.next()?;
            Some(size.iter().rev().fold(0, |sum, &byte| sum << 8 | usize::from(byte)))
        })
    }
}

#[cfg(test)]
mod tests;
