//! Sequence and picture parameter sets, as far as the reorder depth (H.265 7.3.2.2, 7.3.2.3).

use super::super::bits::Bits;
use super::super::{BitstreamError, MAX_REORDER_DEPTH};

/// Fields used here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sps {
    pub(super) highest_temporal_id: u8,
    /// `sps_max_num_reorder_pics` of the highest sub-layer.
    pub(super) reorder_depth: u32,
}

impl Sps {
    /// Reads the bytes behind the NAL unit header; gives the set's number first.
    pub(super) fn parse(body: &[u8]) -> Result<(usize, Self), BitstreamError> {
        let bits = &mut Bits::nal(body);
        bits.skip(4)?; // sps_video_parameter_set_id
        let last_sub_layer = bits.u(3)?;
        if last_sub_layer > 6 {
            return Err(BitstreamError::OutOfRange("sps_max_sub_layers_minus1"));
        }
        bits.flag()?; // sps_temporal_id_nesting_flag
        skip_profile_tier_level(bits, last_sub_layer)?;
        let id = bits.ue_to(15, "sps_seq_parameter_set_id")? as usize;
        if bits.ue_to(3, "chroma_format_idc")? == 3 {
            bits.flag()?; // separate_colour_plane_flag
        }
        bits.skip_codes(2)?; // width, height
        if bits.flag()? {
            bits.skip_codes(4)?; // conformance window
        }
        bits.skip_codes(3)?; // bit depths, log2_max_pic_order_cnt_lsb_minus4
        let coded_sub_layers = if bits.flag()? { last_sub_layer + 1 } else { 1 };
        let mut reorder_depth = 0;
        for _ in 0..coded_sub_layers {
            bits.ue()?; // sps_max_dec_pic_buffering_minus1
            reorder_depth = bits.ue()?;
            bits.ue()?; // sps_max_latency_increase_plus1
        }
        let reorder_depth = reorder_depth.min(MAX_REORDER_DEPTH);
        Ok((id, Self { highest_temporal_id: last_sub_layer as u8, reorder_depth }))
    }
}

/// 7.3.3.
fn skip_profile_tier_level(bits: &mut Bits<'_>, last_sub_layer: u32) -> Result<(), BitstreamError> {
    const PROFILE: u32 = 88;
    const LEVEL: u32 = 8;
    bits.skip(PROFILE + LEVEL)?;
    if last_sub_layer == 0 {
        return Ok(());
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
    Ok(())
}

/// The numbers of a picture parameter set and of its sequence parameter set.
pub(super) fn parse_pps(body: &[u8]) -> Result<(usize, u8), BitstreamError> {
    let bits = &mut Bits::nal(body);
    let id = bits.ue_to(63, "pps_pic_parameter_set_id")? as usize;
    let sps_id = bits.ue_to(15, "pps_seq_parameter_set_id")? as u8;
    Ok((id, sps_id))
}
