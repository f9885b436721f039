//! Pixel formats other than 8-bit 4:2:0, by swscale at unchanged size.

use std::{ffi::c_int, mem, ptr};

use ffi::AVPixelFormat;
use ffmpeg_sys_next as ffi;

use super::{AvError, av_frame::AvFrame};
use crate::pixel::{Matrix, Range};

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

    /// Into a frame of libav's own: swscale's fast paths write beyond rows and want them aligned.
    pub(super) fn convert(&mut self, frame: &AvFrame) -> Result<AvFrame, AvError> {
        let (width, height) = frame.size();
        let source = known(frame.format()).filter(|_| width > 0 && height > 0).ok_or(AvError::INVALID)?;
        let target = AVPixelFormat::AV_PIX_FMT_YUV420P;
        // RGB has no matrix of its own: limited BT.601 as swscale makes it.
        let is_rgb = is_rgb(source);
        let (range, matrix) =
            if is_rgb { (Range::Limited, Matrix::Bt601) } else { (frame.range(), frame.matrix()) };
        let mut picture = AvFrame::planar(width, height)?;
        picture.tag(range, matrix);
        // SAFETY: the cached context is ours; source planes belong to the frame, target planes to the picture, which
        // libav allocated for this size and nobody else holds.
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
            let table = ffi::sws_getCoefficients(ffi::SWS_CS_ITU601);
            let full = c_int::from(range == Range::Full);
            let source_full = if is_rgb { 1 } else { full };
            // Refused for pairs that need no conversion of range; then there is nothing to set.
            ffi::sws_setColorspaceDetails(self.0, table, source_full, table, full, 0, 1 << 16, 1 << 16);
            let (from, into) = (frame.as_ptr(), picture.as_mut_ptr());
            let rows = ffi::sws_scale(
                self.0,
                (&raw const (*from).data).cast(),
                (&raw const (*from).linesize).cast(),
                0,
                height,
                (&raw const (*into).data).cast(),
                (&raw const (*into).linesize).cast(),
            );
            AvError::check(rows)?;
        }
        Ok(picture)
    }
}

/// The pixel format of this number, if this build knows it.
pub(super) fn known(format: c_int) -> Option<AVPixelFormat> {
    if !(0..AVPixelFormat::AV_PIX_FMT_NB as c_int).contains(&format) {
        return None;
    }
    // SAFETY: the value lies within the enumeration, which counts up from zero without holes.
    Some(unsafe { mem::transmute::<c_int, AVPixelFormat>(format) })
}

fn is_rgb(format: AVPixelFormat) -> bool {
    // SAFETY: av_pix_fmt_desc_get reads a constant table.
    unsafe {
        let description = ffi::av_pix_fmt_desc_get(format);
        !description.is_null() && (*description).flags & ffi::AV_PIX_FMT_FLAG_RGB as u64 != 0
    }
}

impl Drop for Scaler {
    fn drop(&mut self) {
        // SAFETY: ours or null, which is accepted.
        unsafe { ffi::sws_freeContext(self.0) };
    }
}
