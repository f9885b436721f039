//! Scaling of one plane in 16-bit fixed point, eight output rows at a time.
//!
//! First down: each output row is a weighted sum of source rows, eight neighbours per register. Then across, where
//! neighbours in memory are neighbours in the sum: so the eight rows are transposed into columns of eight, summed with
//! the weights of the other axis, and transposed back. Eight rows of a 1080p picture (30 KB) stay in the cache.

use wide::{bytemuck, u8x16, u16x8};

use super::axis::Axis;
use crate::pixel::Plane;

/// Output rows per band.
pub(super) const LANES: usize = 8;

/// Scaled samples are `256 * sample + HALF_LEVEL`: above 0 by more than rounding takes away.
pub(super) const HALF_LEVEL: u16 = 128;

/// Samples of a row summed at once: eight registers of sums.
const BLOCK: usize = 64;

/// Registers per block.
const PARTS: usize = BLOCK / LANES;

/// Above this many taps, the rounding of 16-bit sums (half a unit of 1/256 grey level per tap) could be seen.
const NARROW_TAPS: usize = 16;

/// Axes of one plane.
#[derive(Debug)]
pub(super) struct PlaneAxes {
    /// Samples per source row.
    pub(super) width: usize,
    pub(super) vertical: Axis,
    pub(super) horizontal: Axis,
}

/// Buffers that live as long as the writer.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// Eight rows scaled down, one after the other.
    strip: Vec<u16x8>,
    /// The same as columns of eight.
    columns: Vec<u16x8>,
    /// Columns scaled across.
    narrow: Vec<u16x8>,
}

/// Registers per row that [`scale_band`] writes for `width` samples.
pub(super) fn registers(width: usize) -> usize {
    width.div_ceil(LANES)
}

/// Scales to output rows `first..first + count` (at most [`LANES`]). `rows` takes [`LANES`] rows one after the other.
pub(super) fn scale_band(
    plane: &Plane<'_>,
    axes: &PlaneAxes,
    (first, count): (usize, usize),
    scratch: &mut Scratch,
    rows: &mut [u16x8],
) {
    let length = axes.width.div_ceil(BLOCK) * PARTS;
    scratch.strip.resize(length * LANES, u16x8::ZERO);
    scratch.columns.resize(length * LANES, u16x8::ZERO);
    scratch.narrow.resize(rows.len(), u16x8::ZERO);
    for (index, strip) in scratch.strip.chunks_exact_mut(length).take(count).enumerate() {
        let (start, weights) = axes.vertical.output(first + index);
        scale_down(plane, axes.width, (start, weights), strip);
    }
    transpose(&scratch.strip, &mut scratch.columns, |block, lane| lane * length + block);
    scale_across(&axes.horizontal, &scratch.columns, &mut scratch.narrow);
    columns_to_rows(&scratch.narrow, rows);
}

/// Weighted sum of the source rows from `start`.
fn scale_down(plane: &Plane<'_>, width: usize, (start, weights): (usize, &[u16]), out: &mut [u16x8]) {
    // Outputs of a non-integer ratio touch one row fewer every now and then.
    let used = weights.iter().rposition(|&weight| weight > 0).map_or(1, |last| last + 1);
    if used > NARROW_TAPS {
        let row = |tap: usize| plane.row(start + tap, width);
        return scale_down_wide(row, &weights[..used], bytemuck::cast_slice_mut(out));
    }
    let (mut rows, mut factors) = ([&[][..]; NARROW_TAPS], [u16x8::ZERO; NARROW_TAPS]);
    for tap in 0..used {
        rows[tap] = plane.row(start + tap, width);
        factors[tap] = u16x8::splat(weights[tap]);
    }
    let (rows, factors) = (&rows[..used], &factors[..used]);
    let (blocks, _) = out.as_chunks_mut::<PARTS>();
    for (index, block) in blocks.iter_mut().enumerate() {
        let from = index * BLOCK;
        if from + BLOCK <= width {
            *block = sum_block(rows, from, factors);
        } else {
            let mut ends = [[0; BLOCK]; NARROW_TAPS];
            let mut cut = [&[][..]; NARROW_TAPS];
            for ((end, row), cut) in ends.iter_mut().zip(rows).zip(&mut cut) {
                end[..width - from].copy_from_slice(&row[from..]);
                *cut = end;
            }
            *block = sum_block(&cut[..used], 0, factors);
        }
    }
}

/// Samples `from..from + BLOCK` of all rows.
#[inline]
fn sum_block(rows: &[&[u8]], from: usize, factors: &[u16x8]) -> [u16x8; PARTS] {
    let half = u8x16::splat(HALF_LEVEL as u8);
    // Each product loses half a unit on average.
    let mut sums = [u16x8::splat(rows.len() as u16 / 2); PARTS];
    for (row, &factor) in rows.iter().zip(factors) {
        let (halves, _) = row[from..from + BLOCK].as_chunks::<16>();
        for (part, half_block) in halves.iter().enumerate() {
            // Interleaved with the half level, samples are already `256 * sample + HALF_LEVEL`, the low byte first.
            let samples = u8x16::new(*half_block);
            let low: u16x8 = bytemuck::cast(u8x16::unpack_low(half, samples));
            let high: u16x8 = bytemuck::cast(u8x16::unpack_high(half, samples));
            sums[2 * part] += low.mul_keep_high(factor);
            sums[2 * part + 1] += high.mul_keep_high(factor);
        }
    }
    sums
}

/// For strong shrinking: exact sums. Fewer rows come out, so this costs no more.
fn scale_down_wide<'a>(row: impl Fn(usize) -> &'a [u8], weights: &[u16], out: &mut [u16]) {
    const BLOCK: usize = 64;
    for (index, out) in out.chunks_mut(BLOCK).enumerate() {
        let mut sums = [0_u32; BLOCK];
        for (tap, &weight) in weights.iter().enumerate() {
            // Nothing is left where only padding of `out` is.
            let samples = row(tap).get(index * BLOCK..).unwrap_or_default();
            for (sum, &sample) in sums.iter_mut().zip(samples) {
                *sum += u32::from(u16::from(sample)) * u32::from(weight);
            }
        }
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = (sum >> 8) as u16 + HALF_LEVEL;
        }
    }
}

fn scale_across(axis: &Axis, columns: &[u16x8], out: &mut [u16x8]) {
    match axis.taps {
        1 => across_exactly::<1>(axis, columns, out),
        2 => across_exactly::<2>(axis, columns, out),
        3 => across_exactly::<3>(axis, columns, out),
        4 => across_exactly::<4>(axis, columns, out),
        5 => across_exactly::<5>(axis, columns, out),
        6 => across_exactly::<6>(axis, columns, out),
        7 => across_exactly::<7>(axis, columns, out),
        8 => across_exactly::<8>(axis, columns, out),
        9..=NARROW_TAPS => across(axis, columns, out),
        _ => across_wide(axis, columns, out),
    }
}

fn across_exactly<const N: usize>(axis: &Axis, columns: &[u16x8], out: &mut [u16x8]) {
    let (weights, _) = axis.weights.as_chunks::<N>();
    for ((out, &start), weights) in out.iter_mut().zip(&axis.starts).zip(weights) {
        let columns = &columns[start as usize..][..N];
        let mut sum = u16x8::splat(N as u16 / 2);
        for tap in 0..N {
            sum += columns[tap].mul_keep_high(u16x8::splat(weights[tap]));
        }
        *out = sum;
    }
}

fn across(axis: &Axis, columns: &[u16x8], out: &mut [u16x8]) {
    let weights = axis.weights.chunks_exact(axis.taps);
    for ((out, &start), weights) in out.iter_mut().zip(&axis.starts).zip(weights) {
        let mut sum = u16x8::splat(axis.taps as u16 / 2);
        for (column, &weight) in columns[start as usize..].iter().zip(weights) {
            sum += column.mul_keep_high(u16x8::splat(weight));
        }
        *out = sum;
    }
}

fn across_wide(axis: &Axis, columns: &[u16x8], out: &mut [u16x8]) {
    let weights = axis.weights.chunks_exact(axis.taps);
    for ((out, &start), weights) in out.iter_mut().zip(&axis.starts).zip(weights) {
        let mut sum = [0_u32; LANES];
        for (column, &weight) in columns[start as usize..].iter().zip(weights) {
            for (sum, &sample) in sum.iter_mut().zip(column.as_array()) {
                *sum += u32::from(sample) * u32::from(weight);
            }
        }
        *out = u16x8::new(sum.map(|sum| (sum >> 16) as u16));
    }
}

/// Blocks of eight by eight; `source` tells where register `lane` of a block lies.
#[inline]
fn transpose(from: &[u16x8], to: &mut [u16x8], source: impl Fn(usize, usize) -> usize) {
    let (blocks, _) = to.as_chunks_mut::<LANES>();
    for (index, block) in blocks.iter_mut().enumerate() {
        let row = |lane: usize| from[source(index, lane)];
        *block = u16x8::transpose([row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7)]);
    }
}

fn columns_to_rows(columns: &[u16x8], rows: &mut [u16x8]) {
    let length = rows.len() / LANES;
    let (blocks, _) = columns.as_chunks::<LANES>();
    for (index, block) in blocks.iter().enumerate() {
        let part = u16x8::transpose(*block);
        for lane in 0..LANES {
            rows[lane * length + index] = part[lane];
        }
    }
}
