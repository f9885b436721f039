//! Borrowed and owned 8-bit 4:2:0 pictures.

#[cfg(test)]
mod tests;

use thiserror::Error;

/// Meaning of the sample values (`color_range`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// 16 to 235 and 16 to 240, what cameras send.
    Limited,
    /// 0 to 255, what JPEG uses.
    Full,
}

/// Conversion between YCbCr and RGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matrix {
    /// ITU-R BT.601.
    Bt601,
    /// ITU-R BT.709.
    Bt709,
}

/// One plane; rows start `stride` bytes apart.
#[derive(Clone, Copy, Debug)]
pub struct Plane<'a> {
    /// At least `stride * (rows - 1) + row width` bytes.
    pub data: &'a [u8],
    /// Bytes between the starts of two rows.
    pub stride: usize,
}

/// A planar 8-bit 4:2:0 picture. Chroma planes are `ceil(width / 2) x ceil(height / 2)`, sited left (MPEG-2).
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    /// Pixels; positive.
    pub width: u32,
    /// Pixels; positive.
    pub height: u32,
    /// Y, Cb, Cr.
    pub planes: [Plane<'a>; 3],
    /// Meaning of the sample values.
    pub range: Range,
    /// Conversion to RGB.
    pub matrix: Matrix,
}

/// A picture that owns its planes, rows without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedPicture {
    /// Pixels; positive.
    pub width: u32,
    /// Pixels; positive.
    pub height: u32,
    /// Y, Cb, Cr.
    pub planes: [Vec<u8>; 3],
    /// Meaning of the sample values.
    pub range: Range,
    /// Conversion to RGB.
    pub matrix: Matrix,
}

/// Planes that do not hold the picture they claim to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PictureError {
    /// Width or height is 0.
    #[error("a picture of {width}x{height} has no pixels")]
    Empty {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// Rows would overlap.
    #[error("plane {plane}: stride {stride} is less than a row of {row} bytes")]
    Stride {
        /// 0, 1, 2 = Y, Cb, Cr.
        plane: usize,
        /// Bytes.
        stride: usize,
        /// Bytes.
        row: usize,
    },
    /// Rows are missing.
    #[error("plane {plane}: {found} bytes where {needed} are needed")]
    Short {
        /// 0, 1, 2 = Y, Cb, Cr.
        plane: usize,
        /// Bytes.
        found: usize,
        /// Bytes; `usize::MAX` where the size does not fit.
        needed: usize,
    },
}

impl<'a> Plane<'a> {
    /// Whether this holds `width` x `height` samples. `plane` is how errors call it.
    pub(crate) fn check(&self, plane: usize, (width, height): (usize, usize)) -> Result<(), PictureError> {
        if width == 0 || height == 0 {
            return Err(PictureError::Empty { width: width as u32, height: height as u32 });
        }
        if self.stride < width {
            return Err(PictureError::Stride { plane, stride: self.stride, row: width });
        }
        let needed = self.stride.checked_mul(height - 1).and_then(|bytes| bytes.checked_add(width));
        let needed = needed.unwrap_or(usize::MAX);
        if self.data.len() < needed {
            return Err(PictureError::Short { plane, found: self.data.len(), needed });
        }
        Ok(())
    }

    /// The first `width` samples of row `y`. It or the picture it belongs to must have passed its check.
    pub(crate) fn row(&self, y: usize, width: usize) -> &'a [u8] {
        &self.data[y * self.stride..][..width]
    }
}

impl Picture<'_> {
    /// A copy without padding between rows.
    pub fn to_owned_picture(&self) -> OwnedPicture {
        let (chroma_width, chroma_height) = self.chroma_size();
        let copy = |index: usize, width: u32, height: u32| -> Vec<u8> {
            let Plane { data, stride } = self.planes[index];
            (0..height as usize).flat_map(|row| &data[row * stride..][..width as usize]).copied().collect()
        };
        OwnedPicture {
            width: self.width,
            height: self.height,
            planes: [
                copy(0, self.width, self.height),
                copy(1, chroma_width, chroma_height),
                copy(2, chroma_width, chroma_height),
            ],
            range: self.range,
            matrix: self.matrix,
        }
    }

    /// Width and height of the two chroma planes.
    pub fn chroma_size(&self) -> (u32, u32) {
        (self.width.div_ceil(2), self.height.div_ceil(2))
    }

    /// Width and height in samples of plane 0, 1 or 2.
    pub(crate) fn plane_size(&self, plane: usize) -> (usize, usize) {
        let (width, height) = if plane == 0 { (self.width, self.height) } else { self.chroma_size() };
        (width as usize, height as usize)
    }

    /// Whether the planes hold what width and height promise. Every pixel operation asks this first.
    pub fn check(&self) -> Result<(), PictureError> {
        if self.width == 0 || self.height == 0 {
            return Err(PictureError::Empty { width: self.width, height: self.height });
        }
        for (index, plane) in self.planes.iter().enumerate() {
            plane.check(index, self.plane_size(index))?;
        }
        Ok(())
    }
}

impl OwnedPicture {
    /// A black picture.
    pub fn black(width: u32, height: u32, range: Range, matrix: Matrix) -> Self {
        let luma = if range == Range::Limited { 16 } else { 0 };
        let chroma = vec![128; width.div_ceil(2) as usize * height.div_ceil(2) as usize];
        let planes = [vec![luma; width as usize * height as usize], chroma.clone(), chroma];
        Self { width, height, planes, range, matrix }
    }

    /// Borrows the planes.
    pub fn as_picture(&self) -> Picture<'_> {
        let chroma = self.width.div_ceil(2) as usize;
        let plane = |index: usize, stride| Plane { data: &self.planes[index], stride };
        Picture {
            width: self.width,
            height: self.height,
            planes: [plane(0, self.width as usize), plane(1, chroma), plane(2, chroma)],
            range: self.range,
            matrix: self.matrix,
        }
    }
}
