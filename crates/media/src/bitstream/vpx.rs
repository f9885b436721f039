//! VP8 (RFC 6386, 9.1) and VP9 (VP9 bitstream specification, 6.2 and annex B).

use super::bits::Bits;
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
