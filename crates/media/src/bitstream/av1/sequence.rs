//! Sequence header OBU (5.5), as far as the colours.

use super::super::bits::Bits;
use super::super::shape::{Colour, Shape};
use super::BitstreamError;

/// What describes a stream to players.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sequence {
    pub(crate) profile: u8,
    pub(crate) level: u8,
    pub(crate) high_tier: bool,
    pub(crate) monochrome: bool,
    pub(crate) subsampling: [bool; 2],
    /// `chroma_sample_position`.
    pub(crate) position: u8,
    pub(crate) shape: Shape,
}

/// `color_config`, 5.5.2.
struct Config {
    bit_depth: u8,
    monochrome: bool,
    colour: Option<Colour>,
    subsampling: [bool; 2],
    position: u8,
}

impl Sequence {
    /// Reads the payload of a sequence header.
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, BitstreamError> {
        let bits = &mut Bits::plain(payload);
        let profile = bits.u(3)? as u8;
        bits.flag()?; // still_picture
        let reduced = bits.flag()?;
        let (level, high_tier) = if reduced { (bits.u(5)?, false) } else { operating_points(bits)? };
        let lengths = [bits.u(4)? + 1, bits.u(4)? + 1];
        let (width, height) = (bits.u(lengths[0])? + 1, bits.u(lengths[1])? + 1);
        skip_tools(bits, reduced)?;
        let config = Config::parse(bits, profile)?;
        let chroma_format = match config.subsampling {
            _ if config.monochrome => 0,
            [true, true] => 1,
            [true, false] => 2,
            [false, _] => 3,
        };
        let shape = Shape {
            width,
            height,
            chroma_format,
            bit_depth: config.bit_depth,
            chroma_bit_depth: config.bit_depth,
            pixel: (1, 1),
            colour: config.colour,
        };
        Ok(Self {
            profile,
            level: level as u8,
            high_tier,
            monochrome: config.monochrome,
            subsampling: config.subsampling,
            position: config.position,
            shape,
        })
    }
}

/// Level and tier of the first operating point, which is the whole stream.
fn operating_points(bits: &mut Bits<'_>) -> Result<(u32, bool), BitstreamError> {
    let mut delay_length = None;
    if bits.flag()? {
        bits.skip(64)?; // num_units_in_display_tick, time_scale
        if bits.flag()? {
            bits.ue()?; // num_ticks_per_picture_minus_1, which is coded alike (4.10.3)
        }
        if bits.flag()? {
            delay_length = Some(bits.u(5)? + 1);
            bits.skip(42)?; // num_units_in_decoding_tick and two lengths
        }
    }
    let display_delays = bits.flag()?;
    let count = bits.u(5)? + 1;
    let mut first = None;
    for _ in 0..count {
        bits.skip(12)?; // operating_point_idc
        let level = bits.u(5)?;
        let high_tier = level > 7 && bits.flag()?;
        if let Some(length) = delay_length
            && bits.flag()?
        {
            bits.skip(2 * length + 1)?;
        }
        if display_delays && bits.flag()? {
            bits.skip(4)?;
        }
        first.get_or_insert((level, high_tier));
    }
    first.ok_or(BitstreamError::Truncated)
}

/// From `frame_id_numbers_present_flag` to `enable_restoration`.
fn skip_tools(bits: &mut Bits<'_>, reduced: bool) -> Result<(), BitstreamError> {
    if !reduced && bits.flag()? {
        bits.skip(7)?; // lengths of frame ids
    }
    bits.skip(3)?; // use_128x128_superblock, enable_filter_intra, enable_intra_edge_filter
    if !reduced {
        bits.skip(4)?; // interintra, masked compound, warped motion, dual filter
        let order_hint = bits.flag()?;
        if order_hint {
            bits.skip(2)?; // jnt_comp, ref_frame_mvs
        }
        // seq_choose_screen_content_tools, else seq_force_screen_content_tools.
        let screen_content = bits.flag()? || bits.flag()?;
        if screen_content && !bits.flag()? {
            bits.flag()?; // seq_force_integer_mv
        }
        if order_hint {
            bits.skip(3)?; // order_hint_bits_minus_1
        }
    }
    bits.skip(3) // superres, cdef, restoration
}

impl Config {
    fn parse(bits: &mut Bits<'_>, profile: u8) -> Result<Self, BitstreamError> {
        let high = bits.flag()?;
        let twelve = profile == 2 && high && bits.flag()?;
        let bit_depth = match (high, twelve) {
            (_, true) => 12,
            (true, false) => 10,
            (false, false) => 8,
        };
        let monochrome = profile != 1 && bits.flag()?;
        let described = bits.flag()?;
        let mut codes = [Colour::UNKNOWN; 3];
        if described {
            for code in &mut codes {
                *code = bits.u(8)? as u8;
            }
        }
        let [primaries, transfer, matrix] = codes;
        let colour = |full_range| Some(Colour { primaries, transfer, matrix, full_range });
        if monochrome {
            let colour = colour(bits.flag()?);
            return Ok(Self { bit_depth, monochrome, colour, subsampling: [true; 2], position: 0 });
        }
        // RGB: BT.709 primaries, sRGB transfer, identity matrix.
        if codes == [1, 13, 0] {
            let colour = colour(true);
            return Ok(Self { bit_depth, monochrome, colour, subsampling: [false; 2], position: 0 });
        }
        let colour = colour(bits.flag()?);
        let subsampling = match profile {
            0 => [true; 2],
            1 => [false; 2],
            _ if twelve => {
                let across = bits.flag()?;
                [across, across && bits.flag()?]
            }
            _ => [true, false],
        };
        let position = if subsampling == [true; 2] { bits.u(2)? as u8 } else { 0 };
        Ok(Self { bit_depth, monochrome, colour, subsampling, position })
    }
}
