//! Scaled Y, Cb, Cr rows to rows of floats.

use wide::{bytemuck, f32x8, i16x8, i32x8, u16x8};

use super::kernel::HALF_LEVEL;
use crate::pixel::{Matrix, Range};

/// Units per grey level of the 16-bit sums below. The largest number for which the greatest coefficient (2.11 for Cb in
/// limited BT.709) times 256 and the greatest sum (about 525 grey levels) stay in an i16, rounded down to a multiple of 8.
const UNITS: f64 = 56.0;

/// YCbCr to RGB in 16-bit fixed point. Held as registers: built in the loop, they are stored in parts and loaded whole,
/// which stalls.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conversion {
    luma: u16x8,
    red_cr: i16x8,
    green_cb: i16x8,
    green_cr: i16x8,
    blue_cb: i16x8,
    /// Added to each sum: the level of black, and half a unit for each product that was cut off.
    level: [i16x8; 3],
}

/// One output channel: `value = rgb * scale + offset`, with `rgb` of 0 to 255.
#[derive(Clone, Copy, Debug)]
pub(super) struct Affine {
    pub(super) scale: f32,
    pub(super) offset: f32,
}

impl Matrix {
    /// Weights of red and blue in luma (BT.601-7 section 2.5.1, BT.709-6 section 3.2).
    pub(crate) fn luma_weights(self) -> (f64, f64) {
        match self {
            Matrix::Bt601 => (0.299, 0.114),
            Matrix::Bt709 => (0.2126, 0.0722),
        }
    }
}

impl Range {
    /// Level of black, and what luma and chroma are multiplied with to span 0 to 255.
    pub(crate) fn expansion(self) -> (f64, f64, f64) {
        match self {
            Range::Limited => (16.0, 255.0 / 219.0, 255.0 / 224.0),
            Range::Full => (0.0, 1.0, 1.0),
        }
    }
}

impl Conversion {
    pub(super) fn new(range: Range, matrix: Matrix) -> Self {
        let (red, blue) = matrix.luma_weights();
        let green = 1.0 - red - blue;
        let (black, luma, chroma) = range.expansion();
        // Samples come times 256 and lose 16 bits in the product.
        let fixed = |coefficient: f64| i16x8::splat((coefficient * UNITS * 256.0).round() as i16);
        let half = f64::from(HALF_LEVEL) / 256.0;
        let level = |products: f64, chroma: f64| {
            i16x8::splat((((-black - half) * luma - half * chroma) * UNITS + products / 2.0).round() as i16)
        };
        let red_cr = chroma * 2.0 * (1.0 - red);
        let green_cb = -chroma * 2.0 * blue * (1.0 - blue) / green;
        let green_cr = -chroma * 2.0 * red * (1.0 - red) / green;
        let blue_cb = chroma * 2.0 * (1.0 - blue);
        Self {
            luma: bytemuck::cast(fixed(luma)),
            red_cr: fixed(red_cr),
            green_cb: fixed(green_cb),
            green_cr: fixed(green_cr),
            blue_cb: fixed(blue_cb),
            level: [level(2.0, red_cr), level(3.0, green_cb + green_cr), level(2.0, blue_cb)],
        }
    }

    /// One row. `planes` are R, G, B of one length with what makes them tensor values.
    pub(super) fn row(&self, [y, cb, cr]: [&[u16x8]; 3], planes: [(&mut [f32], Affine); 3]) {
        let [(red, red_to), (green, green_to), (blue, blue_to)] = planes;
        let (red, red_end) = red.as_chunks_mut::<8>();
        let (green, green_end) = green.as_chunks_mut::<8>();
        let (blue, blue_end) = blue.as_chunks_mut::<8>();
        let whole = red.len();
        let outputs = red.iter_mut().zip(green).zip(blue);
        for ((&y, (&cb, &cr)), ((red, green), blue)) in y.iter().zip(cb.iter().zip(cr)).zip(outputs) {
            let sums = self.convert(y, cb, cr);
            *red = red_to.values(sums[0]);
            *green = green_to.values(sums[1]);
            *blue = blue_to.values(sums[2]);
        }
        if !red_end.is_empty() {
            let sums = self.convert(y[whole], cb[whole], cr[whole]);
            let ends = [(red_end, red_to), (green_end, green_to), (blue_end, blue_to)];
            for (sums, (end, to)) in sums.into_iter().zip(ends) {
                end.copy_from_slice(&to.values(sums)[..end.len()]);
            }
        }
    }

    /// Eight pixels to R, G, B in units.
    #[inline]
    fn convert(&self, y: u16x8, cb: u16x8, cr: u16x8) -> [i16x8; 3] {
        // Flipping the top bit takes 128 grey levels off and makes the number signed.
        let centred = |chroma: u16x8| -> i16x8 { bytemuck::cast(chroma ^ u16x8::splat(0x8000)) };
        let luma: i16x8 = bytemuck::cast(y.mul_keep_high(self.luma));
        let (cb, cr) = (centred(cb), centred(cr));
        let [red, green, blue] = self.level;
        [
            luma + cr.mul_keep_high(self.red_cr) + red,
            luma + cb.mul_keep_high(self.green_cb) + cr.mul_keep_high(self.green_cr) + green,
            luma + cb.mul_keep_high(self.blue_cb) + blue,
        ]
    }
}

impl Affine {
    /// Tensor values from sums in units; `self` is made for them by [`Affine::in_units`].
    #[inline]
    fn values(self, units: i16x8) -> [f32; 8] {
        let clamped = units.max(i16x8::ZERO).min(i16x8::splat(255 * UNITS as i16));
        let levels = i32x8::from_i16x8(clamped).round_float();
        (levels * f32x8::splat(self.scale) + f32x8::splat(self.offset)).to_array()
    }

    /// The same for samples in units of `row`.
    pub(super) fn in_units(self) -> Self {
        Self { scale: self.scale / UNITS as f32, offset: self.offset }
    }
}
