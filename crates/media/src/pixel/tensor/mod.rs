//! Pictures to model tensors in one pass: each plane is scaled once from where it lies, colours are converted at the
//! small size.

mod axis;
mod colour;
mod kernel;
mod spec;
#[cfg(test)]
mod tests;

pub use spec::{ChannelOrder, Fit, Placement, TensorSpec};

use self::axis::Axis;
use self::colour::{Affine, Conversion};
use self::kernel::{LANES, PlaneAxes, Scratch, registers, scale_band};
use super::picture::{Picture, PictureError};
use thiserror::Error;
use wide::u16x8;

/// Chroma samples lie on even luma columns (H.264 and H.265: chroma sample location type 0), a quarter of a chroma
/// sample left of the centre of the two columns they stand for.
const CHROMA_SHIFT: f64 = 0.25;

/// Why no tensor was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TensorError {
    /// The picture is not whole.
    #[error("unusable picture")]
    Picture(#[from] PictureError),
    /// The tensor has no pixels.
    #[error("a tensor of {width}x{height} has no pixels")]
    Empty {
        /// Tensor pixels.
        width: u32,
        /// Tensor pixels.
        height: u32,
    },
    /// The output slice does not match the spec.
    #[error("tensor of {expected} floats, output of {found}")]
    Length {
        /// Floats.
        expected: usize,
        /// Floats.
        found: usize,
    },
}

/// Writes tensors of one spec. Keeps weights and buffers for the last picture size, so that a frame allocates nothing.
///
/// Shrinking averages over area, enlarging is bilinear; each axis of each plane chooses for itself, so 4:2:0 chroma may
/// be enlarged while luma shrinks. Within 0.15 grey levels of the exact result.
#[derive(Debug)]
pub struct TensorWriter {
    spec: TensorSpec,
    plan: Option<Plan>,
    scratch: Scratch,
    /// Eight scaled rows of Y, Cb, Cr.
    rows: [Vec<u16x8>; 3],
}

#[derive(Debug)]
struct Plan {
    size: (u32, u32),
    placement: Placement,
    luma: PlaneAxes,
    chroma: PlaneAxes,
}

impl Plan {
    fn new(picture: &Picture<'_>, spec: &TensorSpec) -> Self {
        let placement = spec.placement(picture.width, picture.height);
        let (width, height) = (f64::from(picture.width), f64::from(picture.height));
        let axes = |plane: usize, part: f64, shift: f64| {
            let (columns, rows) = picture.plane_size(plane);
            PlaneAxes {
                width: columns,
                vertical: Axis::new(rows, height * part, 0.0, placement.height as usize),
                horizontal: Axis::new(columns, width * part, shift, placement.width as usize),
            }
        };
        Self {
            size: (picture.width, picture.height),
            placement,
            luma: axes(0, 1.0, 0.0),
            chroma: axes(1, 0.5, CHROMA_SHIFT),
        }
    }
}

impl TensorWriter {
    /// A writer for any number of pictures of any size.
    pub fn new(spec: TensorSpec) -> Self {
        Self { spec, plan: None, scratch: Scratch::default(), rows: Default::default() }
    }

    /// What it writes.
    pub fn spec(&self) -> &TensorSpec {
        &self.spec
    }

    /// Fills `out`, which has [`TensorSpec::len`] floats, padding included.
    pub fn write(&mut self, picture: &Picture<'_>, out: &mut [f32]) -> Result<Placement, TensorError> {
        let spec = self.spec;
        picture.check()?;
        if spec.is_empty() {
            return Err(TensorError::Empty { width: spec.width, height: spec.height });
        }
        if out.len() != spec.len() {
            return Err(TensorError::Length { expected: spec.len(), found: out.len() });
        }
        let plan = match self.plan.take() {
            Some(plan) if plan.size == (picture.width, picture.height) => plan,
            _ => Plan::new(picture, &spec),
        };
        pad(&spec, &plan.placement, out);
        self.write_inner(picture, &plan, out);
        let placement = plan.placement;
        self.plan = Some(plan);
        Ok(placement)
    }

    fn write_inner(&mut self, picture: &Picture<'_>, plan: &Plan, out: &mut [f32]) {
        let conversion = Conversion::new(picture.range, picture.matrix);
        let Placement { width, height, left, top, .. } = plan.placement;
        let (width, height) = (width as usize, height as usize);
        let length = registers(width);
        for first in (0..height).step_by(LANES) {
            let count = LANES.min(height - first);
            for (index, rows) in self.rows.iter_mut().enumerate() {
                let axes = if index == 0 { &plan.luma } else { &plan.chroma };
                rows.resize(length * LANES, u16x8::ZERO);
                scale_band(&picture.planes[index], axes, (first, count), &mut self.scratch, rows);
            }
            for row in 0..count {
                let yuv = self.rows.each_ref().map(|rows| &rows[row * length..][..length]);
                let start = (top as usize + first + row) * self.spec.width as usize + left as usize;
                conversion.row(yuv, channels(&self.spec, out, start..start + width));
            }
        }
    }
}

/// R, G, B parts of one tensor row, wherever the spec wants them.
fn channels<'a>(
    spec: &TensorSpec,
    out: &'a mut [f32],
    row: std::ops::Range<usize>,
) -> [(&'a mut [f32], Affine); 3] {
    let plane = spec.len() / 3;
    let (first, rest) = out.split_at_mut(plane);
    let (second, third) = rest.split_at_mut(plane);
    let affine = |c: usize| Affine { scale: spec.scale[c], offset: spec.offset[c] }.in_units();
    let [first, second, third] = [
        (&mut first[row.clone()], affine(0)),
        (&mut second[row.clone()], affine(1)),
        (&mut third[row], affine(2)),
    ];
    match spec.order {
        ChannelOrder::Rgb => [first, second, third],
        ChannelOrder::Bgr => [third, second, first],
    }
}

/// Fills what the picture leaves free.
fn pad(spec: &TensorSpec, placement: &Placement, out: &mut [f32]) {
    let (Fit::LetterboxTopLeft { pad } | Fit::LetterboxCentre { pad }) = spec.fit else { return };
    let width = spec.width as usize;
    let (left, right) = (placement.left as usize, (placement.left + placement.width) as usize);
    let (top, bottom) = (placement.top as usize, (placement.top + placement.height) as usize);
    for (c, plane) in out.chunks_exact_mut(width * spec.height as usize).enumerate() {
        let value = f32::from(pad) * spec.scale[c] + spec.offset[c];
        plane[..top * width].fill(value);
        plane[bottom * width..].fill(value);
        for row in plane[top * width..bottom * width].chunks_exact_mut(width) {
            row[..left].fill(value);
            row[right..].fill(value);
        }
    }
}
