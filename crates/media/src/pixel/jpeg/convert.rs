//! Decoded planes to what JFIF defines: full range, BT.601, both sides even (JFIF 1.02, "Color Space").
//!
//! The matrix is changed in YCbCr, where it costs two products per luma sample and four per pair of chroma samples. Luma
//! is corrected by the chroma sample it shares with its neighbours.

use wide::{bytemuck, i16x8, u8x16, u16x8};

use crate::pixel::{Matrix, Picture, Range};

/// Samples converted at once.
const BLOCK: usize = 16;

/// Factors are times 2^14: with samples times 256, the high half of the product is in 1/64 grey levels.
const ONE: f64 = 16_384.0;

/// `JPEG sample = level + sum of factor * video sample`. Held as registers: built in the loop, they are stored in parts
/// and loaded whole, which stalls.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conversion {
    luma: u16x8,
    /// Level of black, and what makes the final shift round to nearest.
    luma_level: i16x8,
    chroma_level: i16x8,
    /// Of Cb and Cr in Y, Cb, Cr.
    factors: [[i16x8; 2]; 3],
}

/// Planes of a JPEG picture: both sides even, rows whole blocks apart, outer samples repeated.
#[derive(Debug, Default)]
pub(super) struct Planes {
    pub(super) samples: [Vec<u8>; 3],
    pub(super) strides: [usize; 3],
    /// What chroma adds to a row of luma.
    correction: Vec<[i16x8; 2]>,
}

impl Conversion {
    pub(super) fn new(range: Range, matrix: Matrix) -> Self {
        let (black, luma, chroma) = range.expansion();
        let level = |value: f64| i16x8::splat(value.round() as i16);
        let factors = to_bt601(matrix).map(|row| row.map(|factor| level(factor * chroma * ONE)));
        // Each high product that is not 0 loses half a unit on average.
        let lost = if matrix == Matrix::Bt601 { 0.0 } else { 0.5 };
        Self {
            luma: bytemuck::cast(level(luma * ONE)),
            luma_level: level(32.0 - black * luma * 64.0 + 2.0 * lost),
            chroma_level: level(32.0 + 128.0 * 64.0 + lost),
            factors,
        }
    }

    /// Fills `planes` from a picture that passed [`Picture::check`].
    pub(super) fn run(&self, picture: &Picture<'_>, planes: &mut Planes) {
        planes.resize(picture);
        let [luma, cb, cr] = &mut planes.samples;
        let (chroma_width, chroma_height) = picture.plane_size(1);
        let width = picture.width as usize;
        for row in 0..chroma_height {
            let [source_cb, source_cr] = [1, 2].map(|plane| picture.planes[plane].row(row, chroma_width));
            let [cb, cr] =
                [&mut *cb, cr].map(|plane| &mut plane[row * planes.strides[1]..][..planes.strides[1]]);
            let outputs = cb.as_chunks_mut().0.iter_mut().zip(cr.as_chunks_mut().0);
            let corrections = planes.correction.as_chunks_mut::<2>().0;
            for (index, ((out_cb, out_cr), correction)) in outputs.zip(corrections).enumerate() {
                let (cb, cr) = (block(source_cb, index), block(source_cr, index));
                [*out_cb, *out_cr] = self.chroma(cb, cr);
                *correction = self.corrections(cb, cr);
            }
            for y in [2 * row, 2 * row + 1] {
                let source = picture.planes[0].row(y.min(picture.height as usize - 1), width);
                let out = &mut luma[y * planes.strides[0]..][..planes.strides[0]];
                let outputs = out.as_chunks_mut().0.iter_mut().zip(&planes.correction);
                for (index, (out, correction)) in outputs.enumerate() {
                    *out = self.luma(block(source, index), *correction);
                }
            }
        }
    }

    #[inline]
    fn luma(&self, samples: u8x16, correction: [i16x8; 2]) -> [u8; BLOCK] {
        let sums = halves(samples).map(|half| bytemuck::cast::<_, i16x8>(half.mul_keep_high(self.luma)));
        u8x16::narrow_i16x8((sums[0] + correction[0]) >> 6, (sums[1] + correction[1]) >> 6).to_array()
    }

    #[inline]
    fn chroma(&self, cb: u8x16, cr: u8x16) -> [[u8; BLOCK]; 2] {
        let (cb, cr) = (centred(cb), centred(cr));
        [1, 2].map(|output| {
            let [low, high] = [0, 1].map(|half| self.mix(output, cb[half], cr[half], self.chroma_level) >> 6);
            u8x16::narrow_i16x8(low, high).to_array()
        })
    }

    /// For the 32 luma samples over these 16 of chroma.
    #[inline]
    fn corrections(&self, cb: u8x16, cr: u8x16) -> [[i16x8; 2]; 2] {
        let twice =
            |chroma| [u8x16::unpack_low(chroma, chroma), u8x16::unpack_high(chroma, chroma)].map(centred);
        let (cb, cr) = (twice(cb), twice(cr));
        [0, 1].map(|block| [0, 1].map(|half| self.mix(0, cb[block][half], cr[block][half], self.luma_level)))
    }

    #[inline]
    fn mix(&self, output: usize, cb: i16x8, cr: i16x8, level: i16x8) -> i16x8 {
        let [of_cb, of_cr] = self.factors[output];
        level + cb.mul_keep_high(of_cb) + cr.mul_keep_high(of_cr)
    }
}

impl Planes {
    fn resize(&mut self, picture: &Picture<'_>) {
        let (width, height) = picture.plane_size(1);
        let stride = width.next_multiple_of(BLOCK);
        self.strides = [2 * stride, stride, stride];
        self.samples[0].resize(4 * stride * height, 0);
        self.samples[1].resize(stride * height, 0);
        self.samples[2].resize(stride * height, 0);
        self.correction.resize(2 * stride / BLOCK, [i16x8::ZERO; 2]);
    }
}

/// Sixteen samples of a row, which ends in repetitions of its last one.
#[inline]
fn block(row: &[u8], index: usize) -> u8x16 {
    let (blocks, rest) = row.as_chunks::<BLOCK>();
    if let Some(block) = blocks.get(index) {
        return u8x16::new(*block);
    }
    let mut end = [row.last().copied().unwrap_or_default(); BLOCK];
    if index == blocks.len() {
        end[..rest.len()].copy_from_slice(rest);
    }
    u8x16::new(end)
}

/// Samples times 256.
#[inline]
fn halves(samples: u8x16) -> [u16x8; 2] {
    let zero = u8x16::ZERO;
    [u8x16::unpack_low(zero, samples), u8x16::unpack_high(zero, samples)].map(bytemuck::cast)
}

/// Samples less 128, times 256.
#[inline]
fn centred(samples: u8x16) -> [i16x8; 2] {
    halves(samples).map(|half| bytemuck::cast(half ^ u16x8::splat(0x8000)))
}

/// Full-range YCbCr of `matrix` to that of BT.601: what Cb and Cr give to Y (beside Y itself), Cb and Cr.
fn to_bt601(matrix: Matrix) -> [[f64; 2]; 3] {
    let (red, blue) = matrix.luma_weights();
    let (to_red, to_blue) = Matrix::Bt601.luma_weights();
    let column = |cb: f64, cr: f64| {
        let (r, b) = (2.0 * (1.0 - red) * cr, 2.0 * (1.0 - blue) * cb);
        let g = -(red * r + blue * b) / (1.0 - red - blue);
        let y = to_red * r + (1.0 - to_red - to_blue) * g + to_blue * b;
        [y, (b - y) / (2.0 * (1.0 - to_blue)), (r - y) / (2.0 * (1.0 - to_red))]
    };
    let (of_cb, of_cr) = (column(1.0, 0.0), column(0.0, 1.0));
    std::array::from_fn(|row| [of_cb[row], of_cr[row]])
}
