//! Sequence and picture parameter sets, as far as the reorder depth (H.265 7.3.2.2, 7.3.2.3).

use super::super::bits::Bits;
use super::super::shape::Shape;
use super::super::{BitstreamError, MAX_REORDER_DEPTH};

/// Fields used to read pictures.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sps {
    pub(super) highest_temporal_id: u8,
    /// `sps_max_num_reorder_pics` of the highest sub-layer.
    pub(super) reorder_depth: u32,
}

/// Fields that describe the stream to others (7.3.3 and 7.3.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Profile {
    /// `general_profile_space`, `general_tier_flag`, `general_profile_idc`; compatibility flags; constraint flags; `general_level_idc`.
    pub(crate) general: [u8; 12],
    pub(crate) temporal_layers: u8,
    pub(crate) temporal_nesting: bool,
}

impl Sps {
    /// Reads the bytes behind the NAL unit header; gives the set's number first.
    pub(super) fn parse(body: &[u8]) -> Result<(usize, Self), BitstreamError> {
        Self::parse_all(body).map(|(id, sps, ..)| (id, sps))
    }

    /// As above, with what the pictures look like.
    pub(super) fn parse_all(body: &[u8]) -> Result<(usize, Self, Profile, Shape), BitstreamError> {
        let bits = &mut Bits::nal(body);
        bits.skip(4)?; // sps_video_parameter_set_id
        let last_sub_layer = bits.u(3)?;
        if last_sub_layer > 6 {
            return Err(BitstreamError::OutOfRange("sps_max_sub_layers_minus1"));
        }
        let temporal_nesting = bits.flag()?;
        let general = profile_tier_level(bits, last_sub_layer)?;
        let profile = Profile { general, temporal_layers: last_sub_layer as u8 + 1, temporal_nesting };
        let id = bits.ue_to(15, "sps_seq_parameter_set_id")? as usize;
        let shape = read_shape(bits)?;
        bits.skip_codes(1)?; // log2_max_pic_order_cnt_lsb_minus4
        let coded_sub_layers = if bits.flag()? { last_sub_layer + 1 } else { 1 };
        let mut reorder_depth = 0;
        for _ in 0..coded_sub_layers {
            bits.ue()?; // sps_max_dec_pic_buffering_minus1
            reorder_depth = bits.ue()?;
            bits.ue()?; // sps_max_latency_increase_plus1
        }
        let reorder_depth = reorder_depth.min(MAX_REORDER_DEPTH);
        Ok((id, Self { highest_temporal_id: last_sub_layer as u8, reorder_depth }, profile, shape))
    }
}

/// From `chroma_format_idc` to the bit depths. What the VUI says far behind is left to those who decode.
fn read_shape(bits: &mut Bits<'_>) -> Result<Shape, BitstreamError> {
    let chroma_format = bits.ue_to(3, "chroma_format_idc")?;
    if chroma_format == 3 {
        bits.flag()?; // separate_colour_plane_flag
    }
    let size = [bits.ue()?, bits.ue()?];
    let mut window = [0; 4];
    if bits.flag()? {
        for offset in &mut window {
            *offset = bits.ue()?;
        }
    }
    let [left, right, top, bottom] = window.map(u64::from);
    let across = if matches!(chroma_format, 1 | 2) { 2 } else { 1 };
    let down = if chroma_format == 1 { 2 } else { 1 };
    let rest = |all: u32, cut: u64| u64::from(all).checked_sub(cut).map_or(all, |rest| rest as u32);
    Ok(Shape {
        width: rest(size[0], (left + right) * across),
        height: rest(size[1], (top + bottom) * down),
        chroma_format: chroma_format as u8,
        bit_depth: bits.ue_to(8, "bit_depth_luma_minus8")? as u8 + 8,
        chroma_bit_depth: bits.ue_to(8, "bit_depth_chroma_minus8")? as u8 + 8,
        pixel: (1, 1),
        colour: None,
    })
}

/// 7.3.3: gives what is said of all sub-layers.
fn profile_tier_level(bits: &mut Bits<'_>, last_sub_layer: u32) -> Result<[u8; 12], BitstreamError> {
    const PROFILE: u32 = 88;
    const LEVEL: u32 = 8;
    let mut general = [0; 12];
    for byte in &mut general {
        *byte = bits.u(8)? as u8;
    }
    if last_sub_layer == 0 {
        return Ok(general);
    }
    // Two flags for each of eight sub-layers, the unused ones reserved.
    let flags = bits.u(16)?;
    for sub_layer in 0..last_sub_layer {
        let present = flags >> (14 - 2 * sub_layer);
        if present & 2 != 0 {
            bits.skip(PROFILE)?;
        }
        if present & 1 != 0 {
            bits.skip(LEVEL)?;
        }
    }
    Ok(general)
}

/// The numbers of a picture parameter set and of its sequence parameter set.
pub(super) fn parse_pps(body: &[u8]) -> Result<(usize, u8), BitstreamError> {
    let bits = &mut Bits::nal(body);
    let id = bits.ue_to(63, "pps_pic_parameter_set_id")? as usize;
    let sps_id = bits.ue_to(15, "pps_seq_parameter_set_id")? as u8;
    Ok((id, sps_id))
}
