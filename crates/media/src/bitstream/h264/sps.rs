//! Sequence parameter set: frame numbers, what slice headers look like, and how far pictures are reordered (H.264 7.3.2.1, E.1).

use super::super::bits::Bits;
use super::super::shape::{Colour, Shape, pixel_of};
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
        Self::parse_all(body).map(|(id, sps, _)| (id, sps))
    }

    /// As above, with what the pictures look like.
    pub(super) fn parse_all(body: &[u8]) -> Result<(usize, Self, Shape), BitstreamError> {
        let bits = &mut Bits::nal(body);
        let profile = bits.u(8)?;
        let constraint_set3 = bits.u(8)? & 0x10 != 0;
        let level = bits.u(8)?;
        let id = bits.ue_to(31, "seq_parameter_set_id")? as usize;
        let chroma = if has_chroma_info(profile) { chroma_info(bits)? } else { Chroma::default() };
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
        let crop = crop(bits, frames_only);
        let (vui, declared) = crop.and_then(|_| read_vui(bits)).unwrap_or_default();
        let reorder_depth = match order_count {
            OrderCount::DecodeOrder => 0,
            _ => declared.unwrap_or_else(|| inferred_reorder_depth(&limits)).min(MAX_REORDER_DEPTH),
        };
        let chroma_array_type = if chroma.separate { 0 } else { chroma.format };
        let rows = if frames_only { 1 } else { 2 };
        let size = cropped((width, map_units * rows), crop.unwrap_or_default(), chroma_array_type, rows);
        let shape = Shape {
            width: size.0,
            height: size.1,
            chroma_format: chroma.format as u8,
            bit_depth: chroma.depths[0],
            chroma_bit_depth: chroma.depths[1],
            pixel: vui.pixel.unwrap_or((1, 1)),
            colour: vui.colour,
        };
        let sps = Self {
            separate_colour_planes: chroma.separate,
            chroma_array_type,
            log2_max_frame_num,
            order_count,
            gaps_allowed,
            frames_only,
            reorder_depth,
        };
        Ok((id, sps, shape))
    }
}

/// `chroma_format_idc`, `separate_colour_plane_flag` and bits per sample.
#[derive(Clone, Copy)]
struct Chroma {
    format: u32,
    separate: bool,
    depths: [u8; 2],
}

impl Default for Chroma {
    fn default() -> Self {
        Self { format: 1, separate: false, depths: [8, 8] }
    }
}

/// What the VUI says of looks (E.1.1).
#[derive(Clone, Copy, Default)]
struct Vui {
    pixel: Option<(u32, u32)>,
    colour: Option<Colour>,
}

/// The profiles whose parameter sets tell chroma format and bit depth (7.3.2.1.1).
fn has_chroma_info(profile: u32) -> bool {
    matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135)
}

fn chroma_info(bits: &mut Bits<'_>) -> Result<Chroma, BitstreamError> {
    let format = bits.ue_to(3, "chroma_format_idc")?;
    let separate = format == 3 && bits.flag()?;
    let mut depths = [8; 2];
    for depth in &mut depths {
        *depth += bits.ue_to(6, "bit_depth_minus8")? as u8;
    }
    bits.flag()?; // qpprime_y_zero_transform_bypass_flag
    if bits.flag()? {
        for list in 0..if format == 3 { 12 } else { 8 } {
            if bits.flag()? {
                skip_scaling_list(bits, if list < 6 { 16 } else { 64 })?;
            }
        }
    }
    Ok(Chroma { format, separate, depths })
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

/// Offsets of the cropping rectangle: left, right, top, bottom.
fn crop(bits: &mut Bits<'_>, frames_only: bool) -> Result<[u32; 4], BitstreamError> {
    bits.skip(if frames_only { 1 } else { 2 })?; // mb_adaptive_frame_field_flag, direct_8x8_inference_flag
    let mut offsets = [0; 4];
    if bits.flag()? {
        for offset in &mut offsets {
            *offset = bits.ue()?;
        }
    }
    Ok(offsets)
}

/// Macroblocks to pixels, 7.4.2.1.1. Cropping that leaves nothing is passed over.
fn cropped(macroblocks: (u64, u64), crop: [u32; 4], chroma_array_type: u32, rows: u64) -> (u32, u32) {
    let across = if matches!(chroma_array_type, 1 | 2) { 2 } else { 1 };
    let down = rows * if chroma_array_type == 1 { 2 } else { 1 };
    let [left, right, top, bottom] = crop.map(u64::from);
    let rest = |all: u64, cut: u64| all.checked_sub(cut).filter(|rest| *rest > 0).unwrap_or(all) as u32;
    (rest(macroblocks.0 * 16, (left + right) * across), rest(macroblocks.1 * 16, (top + bottom) * down))
}

/// The VUI, with `max_num_reorder_frames` where the stream has it (E.1.1). Damage costs the rest of it.
fn read_vui(bits: &mut Bits<'_>) -> Result<(Vui, Option<u32>), BitstreamError> {
    let mut vui = Vui::default();
    if !bits.flag()? {
        return Ok((vui, None));
    }
    let depth = read_looks(bits, &mut vui).and_then(|()| declared_reorder_depth(bits));
    Ok((vui, depth.unwrap_or_default()))
}

/// Shape of pixels and colours.
fn read_looks(bits: &mut Bits<'_>, vui: &mut Vui) -> Result<(), BitstreamError> {
    const EXPLICIT: u32 = 255;
    if bits.flag()? {
        vui.pixel = Some(match bits.u(8)? {
            EXPLICIT => (bits.u(16)?, bits.u(16)?),
            index => pixel_of(index),
        });
        vui.pixel = vui.pixel.filter(|pixel| pixel.0 > 0 && pixel.1 > 0);
    }
    if bits.flag()? {
        bits.flag()?; // overscan
    }
    if bits.flag()? {
        bits.skip(3)?; // video_format
        let full_range = bits.flag()?;
        let mut codes = [Colour::UNKNOWN; 3];
        if bits.flag()? {
            for code in &mut codes {
                *code = bits.u(8)? as u8;
            }
        }
        let [primaries, transfer, matrix] = codes;
        vui.colour = Some(Colour { primaries, transfer, matrix, full_range });
    }
    Ok(())
}

/// `max_num_reorder_frames`, which comes last.
fn declared_reorder_depth(bits: &mut Bits<'_>) -> Result<Option<u32>, BitstreamError> {
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
