//! Pictures to JPEG files (JFIF, 4:2:0) straight from their planes.

mod comment;
mod convert;
#[cfg(test)]
mod tests;

pub use comment::{MAX_COMMENT, comment};

use self::convert::{Conversion, Planes};
use super::picture::{Matrix, Picture, PictureError, Range};
use thiserror::Error;
use turbojpeg::{Compressor, Subsamp, YuvPlanesImage};

/// Most pixels per side that libjpeg writes; the format's own limit is 65535.
pub const MAX_SIDE: u32 = 65_500;

/// Why there is no JPEG.
#[derive(Debug, Error)]
pub enum JpegError {
    /// The picture is not whole.
    #[error("unusable picture")]
    Picture(#[from] PictureError),
    /// A side is longer than [`MAX_SIDE`].
    #[error("a picture of {width}x{height} is too large for JPEG, {MAX_SIDE} pixels a side at most")]
    TooLarge {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// Quality is not 1 to 100.
    #[error("JPEG quality {0} is not between 1 and 100")]
    Quality(u8),
    /// A comment of more than [`MAX_COMMENT`] bytes.
    #[error("a comment of {0} bytes does not fit into a JPEG segment")]
    Comment(usize),
    /// libjpeg refused, out of memory most likely.
    #[error("JPEG encoder failed")]
    Encoder(#[source] turbojpeg::Error),
}

/// Writes JPEGs of one quality. Its buffers grow to the largest picture seen; then a frame allocates nothing.
///
/// JPEG decoders expect chroma in the centre of its four pixels; video has it at the left edge, and the samples are
/// taken as they are: colour is a quarter of a chroma sample to the right, as in every other encoder from 4:2:0 planes.
#[derive(Debug)]
pub struct JpegEncoder {
    compressor: Compressor,
    planes: Planes,
    output: Vec<u8>,
}

impl JpegEncoder {
    /// Quality from 1 (worst) to 100, on libjpeg's scale.
    pub fn new(quality: u8) -> Result<Self, JpegError> {
        if !(1..=100).contains(&quality) {
            return Err(JpegError::Quality(quality));
        }
        let mut compressor = Compressor::new().map_err(JpegError::Encoder)?;
        compressor.set_quality(i32::from(quality)).map_err(JpegError::Encoder)?;
        Ok(Self { compressor, planes: Planes::default(), output: Vec::new() })
    }

    /// A whole JPEG file, valid until the next call. `comment` becomes a COM segment in front.
    pub fn encode(&mut self, picture: &Picture<'_>, comment: Option<&[u8]>) -> Result<&[u8], JpegError> {
        picture.check()?;
        let (width, height) = (picture.width, picture.height);
        if width.max(height) > MAX_SIDE {
            return Err(JpegError::TooLarge { width, height });
        }
        if let Some(text) = comment.filter(|text| text.len() > MAX_COMMENT) {
            return Err(JpegError::Comment(text.len()));
        }
        let gap = comment::segment_len(comment);
        let (width, height) = (width as usize, height as usize);
        let most =
            turbojpeg::compressed_buf_len(width, height, Subsamp::Sub2x2).map_err(JpegError::Encoder)?;
        if self.output.len() < gap + most {
            self.output.resize(gap + most, 0);
        }
        let image = planes_for_jpeg(picture, &mut self.planes);
        let written = self.compressor.compress_yuv_planes_to_slice(&image, &mut self.output[gap..]);
        let written = written.map_err(JpegError::Encoder)?;
        if let Some(text) = comment {
            comment::insert(&mut self.output, text);
        }
        Ok(&self.output[..gap + written])
    }
}

/// The picture's own planes where JPEG can take them as they are, else converted ones. libjpeg reads luma in pairs of
/// rows and columns, so odd sizes are always copied.
fn planes_for_jpeg<'a>(picture: &Picture<'a>, planes: &'a mut Planes) -> YuvPlanesImage<&'a [u8]> {
    let even = picture.width.is_multiple_of(2) && picture.height.is_multiple_of(2);
    let ready = even && picture.range == Range::Full && picture.matrix == Matrix::Bt601;
    let [y, u, v] = if ready {
        picture.planes.map(|plane| (plane.data, plane.stride))
    } else {
        Conversion::new(picture.range, picture.matrix).run(picture, planes);
        let planes = &*planes;
        [0, 1, 2].map(|plane| (planes.samples[plane].as_slice(), planes.strides[plane]))
    };
    YuvPlanesImage {
        y_plane: y.0,
        u_plane: u.0,
        v_plane: v.0,
        width: picture.width as usize,
        height: picture.height as usize,
        y_stride: y.1,
        u_stride: u.1,
        v_stride: v.1,
        subsamp: Subsamp::Sub2x2,
    }
}
