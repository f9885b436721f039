//! H.263 (ITU-T H.263, 5.1): intra or not. Containers without an index call every picture of it a keyframe.

use super::bits::Bits;
use super::{Access, BitstreamError, PictureInfo};

/// Every picture shown when it is decoded, and counted as a reference.
pub(super) fn read(unit: &[u8]) -> Result<PictureInfo, BitstreamError> {
    const START_CODE: u32 = 0b10_0000;
    /// Source format that announces an extended picture type.
    const EXTENDED: u32 = 7;
    let mut bits = Bits::plain(unit);
    if bits.u(22)? != START_CODE {
        return Err(BitstreamError::NoPicture);
    }
    bits.skip(8 + 5)?; // temporal reference; marker, split screen, document camera, freeze release
    let intra = if bits.u(3)? == EXTENDED {
        if bits.u(3)? == 1 {
            bits.skip(18)?; // OPPTYPE, 5.1.4.2
        }
        bits.u(3)? == 0
    } else {
        !bits.flag()?
    };
    let access = if intra { Access::Keyframe { leading: false } } else { Access::None };
    Ok(PictureInfo::of_unread_references(access, 0))
}

#[cfg(test)]
mod tests;
