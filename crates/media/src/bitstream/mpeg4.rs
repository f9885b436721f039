//! MPEG-4 part 2 (ISO/IEC 14496-2, 6.2 and 6.3): VOP coding types, closed groups, low delay.

use super::bits::Bits;
use super::nal::{Framing, Nals};
use super::{Access, BitstreamError, MAX_REORDER_DEPTH, PictureInfo};

const VOL: std::ops::RangeInclusive<u8> = 0x20..=0x2f;
const GROUP_OF_VOP: u8 = 0xb3;
const VOP: u8 = 0xb6;

#[derive(Debug)]
pub(super) struct Reader {
    /// What the container says; used where the stream does not.
    reorder_hint: u32,
    layer: Layer,
}

/// What the video object layer says.
#[derive(Clone, Copy, Debug, Default)]
struct Layer {
    /// Nothing without `vol_control_parameters`.
    low_delay: Option<bool>,
    /// Width of `vop_time_increment`; 0 before the first layer header.
    time_increment_bits: u32,
}

impl Reader {
    pub(super) fn new(extradata: &[u8], reorder_hint: u32) -> Self {
        let mut reader = Self { reorder_hint: reorder_hint.min(MAX_REORDER_DEPTH), layer: Layer::default() };
        for section in Nals::new(extradata, Framing::StartCodes) {
            reader.keep_layer(section);
        }
        reader
    }

    fn keep_layer(&mut self, section: &[u8]) {
        if VOL.contains(&section[0])
            && let Ok(layer) = Layer::parse(&section[1..])
        {
            self.layer = layer;
        }
    }

    /// B-VOPs are held back by one picture: no deeper reordering exists.
    fn reorder_depth(&self) -> u32 {
        match self.layer.low_delay {
            Some(true) => 0,
            Some(false) => 1,
            None => self.reorder_hint,
        }
    }

    pub(super) fn read(&mut self, unit: &[u8]) -> Result<PictureInfo, BitstreamError> {
        let mut closed = false;
        for section in Nals::new(unit, Framing::StartCodes) {
            match section[0] {
                // time_code is 18 bits.
                GROUP_OF_VOP => closed = Bits::plain(&section[1..]).u(19)? & 1 == 1,
                VOP => return self.describe(&section[1..], closed),
                _ => self.keep_layer(section),
            }
        }
        Err(BitstreamError::NoPicture)
    }

    fn describe(&self, vop: &[u8], closed: bool) -> Result<PictureInfo, BitstreamError> {
        let mut bits = Bits::plain(vop);
        let intra = bits.u(2)? == 0;
        // Packed bitstreams put two VOPs in one unit and a placeholder, coded as nothing, in the next.
        if !intra && self.layer.time_increment_bits > 0 && !self.is_coded(&mut bits)? {
            return Err(BitstreamError::NoPicture);
        }
        let reorder_depth = self.reorder_depth();
        // B-VOPs that follow an I-VOP may be shown before it and use what came before, unless the group is closed.
        let leading = reorder_depth > 0 && !closed;
        let access = if intra { Access::Keyframe { leading } } else { Access::None };
        Ok(PictureInfo::of_unread_references(access, reorder_depth))
    }

    /// `vop_coded`, 6.2.5.
    fn is_coded(&self, bits: &mut Bits<'_>) -> Result<bool, BitstreamError> {
        while bits.flag()? {} // modulo_time_base
        bits.skip(1 + self.layer.time_increment_bits + 1)?;
        bits.flag()
    }
}

impl Layer {
    /// 6.2.3, as far as the width of `vop_time_increment`.
    fn parse(body: &[u8]) -> Result<Self, BitstreamError> {
        const EXTENDED_ASPECT_RATIO: u32 = 15;
        const GRAYSCALE: u32 = 3;
        let bits = &mut Bits::plain(body);
        bits.skip(1 + 8)?; // random_accessible_vol, video_object_type_indication
        let mut version = 1;
        if bits.flag()? {
            version = bits.u(4)?;
            bits.skip(3)?; // video_object_layer_priority
        }
        if bits.u(4)? == EXTENDED_ASPECT_RATIO {
            bits.skip(16)?;
        }
        let mut low_delay = None;
        if bits.flag()? {
            bits.skip(2)?; // chroma_format
            low_delay = Some(bits.flag()?);
            if bits.flag()? {
                bits.skip(79)?; // rates and buffer sizes with their markers
            }
        }
        if bits.u(2)? == GRAYSCALE && version != 1 {
            bits.skip(4)?;
        }
        bits.flag()?; // marker
        let resolution = bits.u(16)?;
        let time_increment_bits = (u32::BITS - resolution.saturating_sub(1).leading_zeros()).max(1);
        Ok(Self { low_delay, time_increment_bits })
    }
}

#[cfg(test)]
mod tests;
