//! Borrowed and owned 8-bit 4:2:0 pictures.

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

impl Picture<'_> {
    /// Width and height of the two chroma planes.
    pub fn chroma_size(&self) -> (u32, u32) {
        (self.width.div_ceil(2), self.height.div_ceil(2))
    }
}

impl OwnedPicture {
    /// A black picture.
    pub fn black(width: u32, height: u32, range: Range, matrix: Matrix) -> Self {
        let luma = if range == Range::Limited { 16 } else { 0 };
        let chroma = vec![128; (width.div_ceil(2) * height.div_ceil(2)) as usize];
        let planes = [vec![luma; (width * height) as usize], chroma.clone(), chroma];
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
