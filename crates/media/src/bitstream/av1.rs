//! AV1 (bitstream and decoding process specification, 5.3 to 5.9): temporal units of open bitstream units.

mod sequence;

use super::bits::Bits;
use super::{Access, BitstreamError, PictureInfo};
pub(crate) use sequence::Sequence;

// obu_type.
const SEQUENCE_HEADER: u8 = 1;
const TEMPORAL_DELIMITER: u8 = 2;
const FRAME_HEADER: u8 = 3;
const FRAME: u8 = 6;

#[derive(Debug)]
pub(super) struct Reader {
    /// `reduced_still_picture_header`; nothing before the first sequence header.
    still: Option<bool>,
}

impl Reader {
    /// `av1C` (AV1 in ISO base media, 2.3) has four bytes before its OBUs; other containers may give bare OBUs.
    pub(super) fn new(extradata: &[u8]) -> Self {
        const AV1C_VERSION_1: u8 = 0x81;
        let obus = match extradata {
            [AV1C_VERSION_1, _, _, _, obus @ ..] => obus,
            _ => extradata,
        };
        let mut reader = Self { still: None };
        for obu in Obus(obus).filter(|obu| obu.kind == SEQUENCE_HEADER) {
            reader.keep_sequence(obu.payload);
        }
        reader
    }

    fn keep_sequence(&mut self, payload: &[u8]) {
        let mut bits = Bits::plain(payload);
        // seq_profile and still_picture come first.
        if let Ok(head) = bits.u(5) {
            self.still = Some(head & 1 == 1);
        }
    }

    /// Decoding can start at a key frame that is shown. One that is hidden and shown later (a delayed random access
    /// point) is not used to start at: leading pictures may come between.
    pub(super) fn read(&mut self, unit: &[u8]) -> Result<PictureInfo, BitstreamError> {
        let mut info: Option<PictureInfo> = None;
        for obu in Obus(unit) {
            match (obu.kind, &mut info) {
                (SEQUENCE_HEADER, _) => self.keep_sequence(obu.payload),
                (FRAME_HEADER | FRAME, None) => info = Some(self.read_frame(obu.payload)?),
                (FRAME_HEADER | FRAME, Some(info)) => {
                    info.shown |= self.read_frame(obu.payload).is_ok_and(|frame| frame.shown);
                }
                _ => {}
            }
        }
        info.ok_or(BitstreamError::NoPicture)
    }

    /// `uncompressed_header`, 5.9.2.
    fn read_frame(&self, header: &[u8]) -> Result<PictureInfo, BitstreamError> {
        const KEY_FRAME: u32 = 0;
        let still = self.still.ok_or(BitstreamError::MissingParameterSet { set: "sequence", id: 0 })?;
        if still {
            return Ok(PictureInfo::of_unread_references(Access::Keyframe { leading: false }, 0));
        }
        let mut bits = Bits::plain(header);
        if bits.flag()? {
            // show_existing_frame.
            return Ok(PictureInfo::of_unread_references(Access::None, 0));
        }
        let key = bits.u(2)? == KEY_FRAME;
        let shown = bits.flag()?;
        let access = if key && shown { Access::Keyframe { leading: false } } else { Access::None };
        Ok(PictureInfo { shown, ..PictureInfo::of_unread_references(access, 0) })
    }
}

/// An open bitstream unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Obu<'a> {
    /// `obu_type`.
    pub(crate) kind: u8,
    pub(crate) payload: &'a [u8],
    /// With its header.
    pub(crate) whole: &'a [u8],
}

impl Obu<'_> {
    pub(crate) fn is_sequence_header(&self) -> bool {
        self.kind == SEQUENCE_HEADER
    }

    /// Marks where a temporal unit begins; MP4 does without.
    pub(crate) fn is_temporal_delimiter(&self) -> bool {
        self.kind == TEMPORAL_DELIMITER
    }
}

/// The OBUs of a unit, up to the first that makes no sense.
pub(crate) fn obus(unit: &[u8]) -> impl Iterator<Item = Obu<'_>> {
    Obus(unit)
}

/// Walks OBUs; ends at the first that makes no sense.
struct Obus<'a>(&'a [u8]);

impl<'a> Iterator for Obus<'a> {
    type Item = Obu<'a>;

    fn next(&mut self) -> Option<Obu<'a>> {
        let all = self.0;
        let (&header, mut rest) = all.split_first()?;
        if header & 0x80 != 0 {
            return None; // obu_forbidden_bit
        }
        if header & 4 != 0 {
            rest = rest.get(1..)?; // temporal and spatial layer
        }
        let mut size = rest.len();
        if header & 2 != 0 {
            (size, rest) = leb128(rest)?;
        }
        // An OBU cut short still shows its head.
        let (payload, tail) = rest.split_at(size.min(rest.len()));
        self.0 = tail;
        Some(Obu { kind: header >> 3 & 15, payload, whole: &all[..all.len() - tail.len()] })
    }
}

/// At most eight bytes, the lowest seven bits first (4.10.5).
fn leb128(data: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_u64;
    for (at, &byte) in data.iter().take(8).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, &data[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests;
