//! Pixel formats other than 8-bit 4:2:0, by swscale at unchanged size.

use std::{ffi::c_int, mem, ptr};

use ffi::AVPixelFormat;
use ffmpeg_sys_next as ffi;

use super::{AvError, av_frame::AvFrame};
use crate::pixel::{OwnedPicture, Range};

/// Chroma is interpolated and averaged properly rather than picked (fast filters cost a detector a fifth of what it finds).
const FLAGS: c_int =
    ffi::SWS_BICUBIC | ffi::SWS_ACCURATE_RND | ffi::SWS_FULL_CHR_H_INP | ffi::SWS_FULL_CHR_H_INT;

/// Converts to planar 8-bit 4:2:0, keeping size, range and matrix. The context is reused while the input is alike.
#[derive(Debug)]
pub(super) struct Scaler(*mut ffi::SwsContext);

// SAFETY: used only through `&mut self`.
unsafe impl Send for Scaler {}

impl Scaler {
    pub(super) fn new() -> Self {
        Self(ptr::null_mut())
    }

    pub(super) fn convert(&mut self, frame: &AvFrame) -> Result<OwnedPicture, AvError> {
        let native = frame.get();
        let (width, height) = (native.width, native.height);
        if width <= 0 || height <= 0 || !(0..AVPixelFormat::AV_PIX_FMT_NB as c_int).contains(&native.format) {
            return Err(AvError::INVALID);
        }
        // SAFETY: the value lies within the enumeration, which counts up from zero without holes.
        let source: AVPixelFormat = unsafe { mem::transmute(native.format) };
        let target = AVPixelFormat::AV_PIX_FMT_YUV420P;
        // SAFETY: av_pix_fmt_desc_get reads a constant table.
        let is_rgb = unsafe {
            let description = ffi::av_pix_fmt_desc_get(source);
            !description.is_null() && (*description).flags & ffi::AV_PIX_FMT_FLAG_RGB as u64 != 0
        };
        // RGB has no matrix of its own: limited BT.601 as swscale makes it.
        let range = if is_rgb { Range::Limited } else { frame.range() };
        let full = c_int::from(range == Range::Full);
        let mut picture = OwnedPicture::black(width as u32, height as u32, range, frame.matrix());
        let strides = [width, (width + 1) / 2, (width + 1) / 2, 0];
        let mut planes = picture.planes.iter_mut();
        let mut next = || planes.next().map_or(ptr::null_mut(), Vec::as_mut_ptr);
        let targets = [next(), next(), next(), next()];
        // SAFETY: the cached context is ours; source planes belong to the frame, target planes to the picture,
        // which holds exactly `stride * rows` bytes per plane.
        unsafe {
            self.0 = ffi::sws_getCachedContext(
                self.0,
                width,
                height,
                source,
                width,
                height,
                target,
                FLAGS,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null(),
            );
            if self.0.is_null() {
                return Err(AvError::INVALID);
            }
            let matrix = ffi::sws_getCoefficients(ffi::SWS_CS_ITU601);
            let source_full = if is_rgb { 1 } else { full };
            // Refused for pairs that need no conversion of range; then there is nothing to set.
            ffi::sws_setColorspaceDetails(self.0, matrix, source_full, matrix, full, 0, 1 << 16, 1 << 16);
            let (data, strides_in) = (native.data.as_ptr().cast(), native.linesize.as_ptr());
            let rows =
                ffi::sws_scale(self.0, data, strides_in, 0, height, targets.as_ptr(), strides.as_ptr());
            AvError::check(rows)?;
        }
        if is_rgb {
            picture.matrix = crate::pixel::Matrix::Bt601;
        }
        Ok(picture)
    }
}

impl Drop for Scaler {
    fn drop(&mut self) {
        // SAFETY: ours or null, which is accepted.
        unsafe { ffi::sws_freeContext(self.0) };
    }
}
