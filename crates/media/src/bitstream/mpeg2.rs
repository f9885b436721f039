//! MPEG-1 and MPEG-2 video (ISO/IEC 11172-2, ITU-T H.262 6.2.2): picture types and closed groups.

use super::bits::Bits;
use super::nal::{Framing, Nals};
use super::{Access, BitstreamError, PictureInfo};

const PICTURE: u8 = 0x00;
const GROUP: u8 = 0xb8;

/// What a unit is; these streams declare no reorder depth, so the container's is taken.
pub(super) fn read(unit: &[u8], reorder_depth: u32) -> Result<PictureInfo, BitstreamError> {
    const INTRA: u32 = 1;
    let mut closed = false;
    for section in Nals::new(unit, Framing::StartCodes) {
        let mut bits = Bits::plain(&section[1..]);
        match section[0] {
            GROUP => {
                bits.skip(25)?; // time_code
                closed = bits.flag()?;
            }
            PICTURE => {
                bits.skip(10)?; // temporal_reference
                let intra = bits.u(3)? == INTRA;
                let leading = reorder_depth > 0 && !closed;
                let access = if intra { Access::Keyframe { leading } } else { Access::None };
                return Ok(PictureInfo::of_unread_references(access, reorder_depth));
            }
            _ => {}
        }
    }
    Err(BitstreamError::NoPicture)
}

#[cfg(test)]
mod tests;
