//! VP9 (VP codec ISO media file format binding).

use bytes::Bytes;

use super::Described;
use crate::bitstream::shape::{Colour, Vp9Header, read_vp9_header};

/// Levels: number, most luma samples a second, most luma samples of a picture (VP9 levels, annex A).
const LEVELS: [(u8, u64, u64); 14] = [
    (10, 829_440, 36_864),
    (11, 2_764_800, 73_728),
    (20, 4_608_000, 122_880),
    (21, 9_216_000, 245_760),
    (30, 20_736_000, 552_960),
    (31, 36_864_000, 983_040),
    (40, 83_558_400, 2_228_224),
    (41, 160_432_128, 2_228_224),
    (50, 311_951_360, 8_912_896),
    (51, 588_251_136, 8_912_896),
    (52, 1_176_502_272, 8_912_896),
    (60, 1_176_502_272, 35_651_584),
    (61, 2_353_004_544, 35_651_584),
    (62, 4_706_009_088, 35_651_584),
];

/// Watches keyframes.
#[derive(Debug, Default)]
pub(super) struct Vp9 {
    newest: Option<Vp9Header>,
}

impl Vp9 {
    pub(super) fn see(&mut self, unit: &[u8]) {
        if let Ok(Some(header)) = read_vp9_header(unit) {
            self.newest = Some(header);
        }
    }

    /// `VPCodecConfigurationRecord` with version and flags.
    pub(super) fn describe(&self, frame_rate: f64) -> Option<Described> {
        const LIKELY: f64 = 30.0;
        let Vp9Header { profile, shape } = self.newest?;
        let rate = if frame_rate > 0.0 { frame_rate } else { LIKELY };
        let picture = u64::from(shape.width) * u64::from(shape.height);
        let a_second = (picture as f64 * rate) as u64;
        let fits = |level: &&(u8, u64, u64)| a_second <= level.1 && picture <= level.2;
        let level = LEVELS.iter().find(fits).map_or(62, |level| level.0);
        // 4:2:0 with chroma between or beside luma; the stream does not say: beside, as everyone does.
        let chroma = shape.chroma_format;
        let unknown = Colour {
            primaries: Colour::UNKNOWN,
            transfer: Colour::UNKNOWN,
            matrix: Colour::UNKNOWN,
            full_range: false,
        };
        let Colour { primaries, transfer, matrix, full_range } = shape.colour.unwrap_or(unknown);
        let depths = shape.bit_depth << 4 | chroma << 1 | u8::from(full_range);
        let record = [1, 0, 0, 0, profile, level, depths, primaries, transfer, matrix, 0, 0];
        Some(Described { record: Bytes::copy_from_slice(&record), shape })
    }
}
