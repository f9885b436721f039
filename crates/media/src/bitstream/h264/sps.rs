//! Sequence parameter set: frame numbers, what slice headers look like, and how far pictures are reordered (H.264 7.3.2.1, E.1).

use super::super::bits::Bits;
use super::super::{BitstreamError, MAX_REORDER_DEPTH};

/// Fields used here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sps {
    pub(super) separate_colour_planes: bool,
    /// 0 where luma stands alone (`ChromaArrayType`).
    pub(super) chroma_array_type: u32,
    pub(super) log2_max_frame_num: u32,
    pub(super) order_count: OrderCount,
    pub(super) gaps_allowed: bool,
    pub(super) frames_only: bool,
    pub(super) reorder_depth: u32,
}

/// How picture order counts are coded (`pic_order_cnt_type`).
#[derive(Clone, Copy, Debug)]
pub(super) enum OrderCount {
    /// Type 0, with the width of its field in slice headers.
    Explicit { log2_max_lsb: u32 },
    /// Type 1; the flag is `delta_pic_order_always_zero_flag`.
    Cyclic { deltas_zero: bool },
    /// Type 2.
    DecodeOrder,
}

/// Profile, its constraint flags and level, with the frame size: what the depth is inferred from.
struct Limits {
    profile: u32,
    constraint_set3: bool,
    level: u32,
    frame_macroblocks: u64,
}

impl Sps {
    /// Reads the bytes behind the NAL unit header; gives the set's number first.
    pub(super) fn parse(body: &[u8]) -> Result<(usize, Self), BitstreamError> {
        let bits = &mut Bits::nal(body);
        let profile = bits.u(8)?;
        let constraint_set3 = bits.u(8)? & 0x10 != 0;
        let level = bits.u(8)?;
        let id = bits.ue_to(31, "seq_parameter_set_id")? as usize;
        let (chroma_format, separate_colour_planes) =
            if has_chroma_info(profile) { chroma_info(bits)? } else { (1, false) };
        let log2_max_frame_num = bits.ue_to(12, "log2_max_frame_num_minus4")? + 4;
        let order_count = order_count(bits)?;
        bits.skip_codes(1)?; // max_num_ref_frames
        let gaps_allowed = bits.flag()?;
        let width = u64::from(bits.ue_to(0xffff, "pic_width_in_mbs_minus1")?) + 1;
        let map_units = u64::from(bits.ue_to(0xffff, "pic_height_in_map_units_minus1")?) + 1;
        let frames_only = bits.flag()?;
        let frame_macroblocks = width * map_units * if frames_only { 1 } else { 2 };
        let limits = Limits { profile, constraint_set3, level, frame_macroblocks };
        // Damage from here on costs only the depth that the stream may declare.
        let declared = declared_reorder_depth(bits, frames_only).unwrap_or_default();
        let reorder_depth = match order_count {
            OrderCount::DecodeOrder => 0,
            _ => declared.unwrap_or_else(|| inferred_reorder_depth(&limits)).min(MAX_REORDER_DEPTH),
        };
        let chroma_array_type = if separate_colour_planes { 0 } else { chroma_format };
        let sps = Self {
            separate_colour_planes,
            chroma_array_type,
            log2_max_frame_num,
            order_count,
            gaps_allowed,
            frames_only,
            reorder_depth,
        };
        Ok((id, sps))
    }
}

/// The profiles whose parameter sets tell chroma format and bit depth (7.3.2.1.1).
fn has_chroma_info(profile: u32) -> bool {
    matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135)
}

fn chroma_info(bits: &mut Bits<'_>) -> Result<(u32, bool), BitstreamError> {
    let format = bits.ue_to(3, "chroma_format_idc")?;
    let separate = format == 3 && bits.flag()?;
    bits.skip_codes(2)?; // bit depths
    bits.flag()?; // qpprime_y_zero_transform_bypass_flag
    if bits.flag()? {
        for list in 0..if format == 3 { 12 } else { 8 } {
            if bits.flag()? {
                skip_scaling_list(bits, if list < 6 { 16 } else { 64 })?;
            }
        }
    }
    Ok((format, separate))
}

/// 7.3.2.1.1.1: deltas are coded until the next scale is 0.
fn skip_scaling_list(bits: &mut Bits<'_>, size: u32) -> Result<(), BitstreamError> {
    let mut scale = 8;
    for _ in 0..size {
        let next = (scale + bits.se()?.rem_euclid(256)) % 256;
        if next == 0 {
            break;
        }
        scale = next;
    }
    Ok(())
}

fn order_count(bits: &mut Bits<'_>) -> Result<OrderCount, BitstreamError> {
    match bits.ue_to(2, "pic_order_cnt_type")? {
        0 => {
            let log2_max_lsb = bits.ue_to(12, "log2_max_pic_order_cnt_lsb_minus4")? + 4;
            Ok(OrderCount::Explicit { log2_max_lsb })
        }
        1 => {
            let deltas_zero = bits.flag()?;
            bits.skip_codes(2)?;
            let cycle = bits.ue_to(255, "num_ref_frames_in_pic_order_cnt_cycle")?;
            bits.skip_codes(cycle)?;
            Ok(OrderCount::Cyclic { deltas_zero })
        }
        _ => Ok(OrderCount::DecodeOrder),
    }
}

/// `max_num_reorder_frames` of the VUI (E.1.1), where the stream has it.
fn declared_reorder_depth(bits: &mut Bits<'_>, frames_only: bool) -> Result<Option<u32>, BitstreamError> {
    bits.skip(if frames_only { 1 } else { 2 })?; // mb_adaptive_frame_field_flag, direct_8x8_inference_flag
    if bits.flag()? {
        bits.skip_codes(4)?; // cropping
    }
    if !bits.flag()? {
        return Ok(None);
    }
    if bits.flag()? && bits.u(8)? == 255 {
        bits.skip(32)?; // sample aspect ratio
    }
    if bits.flag()? {
        bits.flag()?; // overscan
    }
    if bits.flag()? {
        bits.skip(4)?; // video_format, video_full_range_flag
        if bits.flag()? {
            bits.skip(24)?; // colour description
        }
    }
    if bits.flag()? {
        bits.skip_codes(2)?; // chroma sample location
    }
    if bits.flag()? {
        bits.skip(65)?; // num_units_in_tick, time_scale, fixed_frame_rate_flag
    }
    let mut any_hrd = false;
    for _ in 0..2 {
        if bits.flag()? {
            skip_hrd(bits)?;
            any_hrd = true;
        }
    }
    bits.skip(if any_hrd { 2 } else { 1 })?; // low_delay_hrd_flag, pic_struct_present_flag
    if !bits.flag()? {
        return Ok(None);
    }
    bits.flag()?; // motion_vectors_over_pic_boundaries_flag
    bits.skip_codes(4)?;
    bits.ue().map(Some)
}

/// E.1.2.
fn skip_hrd(bits: &mut Bits<'_>) -> Result<(), BitstreamError> {
    let count = bits.ue_to(31, "cpb_cnt_minus1")? + 1;
    bits.skip(8)?;
    for _ in 0..count {
        bits.skip_codes(2)?;
        bits.flag()?;
    }
    bits.skip(20)
}

/// E.2.1 where `max_num_reorder_frames` is absent: 0 for the intra profiles, else what the decoded picture buffer holds.
/// Baseline, which has no B slices, is taken as 0 too: no encoder is known to reorder P pictures there, and cameras that
/// send it declare nothing.
fn inferred_reorder_depth(limits: &Limits) -> u32 {
    const BASELINE: u32 = 66;
    let intra_only = matches!(limits.profile, 44 | 86 | 100 | 110 | 122 | 244) && limits.constraint_set3;
    if intra_only || limits.profile == BASELINE {
        return 0;
    }
    let frames = max_dpb_macroblocks(limits) / limits.frame_macroblocks;
    frames.min(u64::from(MAX_REORDER_DEPTH)) as u32
}

/// `MaxDpbMbs`, table A-1; without limit for levels it does not list.
fn max_dpb_macroblocks(limits: &Limits) -> u64 {
    match limits.level {
        // Level 1b is written as 11 with a flag in the old profiles.
        11 if limits.constraint_set3 && matches!(limits.profile, 66 | 77 | 88) => 396,
        9 | 10 => 396,
        11 => 900,
        12 | 13 | 20 => 2376,
        21 => 4752,
        22 | 30 => 8100,
        31 => 18_000,
        32 => 20_480,
        40 | 41 => 32_768,
        42 => 34_816,
        50 => 110_400,
        51 | 52 => 184_320,
        60..=62 => 696_320,
        _ => u64::MAX,
    }
}
