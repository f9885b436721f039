//! libav's error codes.

use std::ffi::{CStr, c_int};

use ffmpeg_sys_next as ffi;

/// A libav error code, shown as libav words it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", describe(*.0))]
pub struct AvError(pub(crate) c_int);

impl AvError {
    pub(crate) const AGAIN: Self = Self(ffi::AVERROR(ffi::EAGAIN));
    pub(crate) const END: Self = Self(ffi::AVERROR_EOF);
    pub(crate) const NO_MEMORY: Self = Self(ffi::AVERROR(ffi::ENOMEM));
    pub(crate) const INVALID: Self = Self(ffi::AVERROR_INVALIDDATA);

    /// Negative codes are errors, all others results.
    pub(crate) fn check(code: c_int) -> Result<c_int, Self> {
        if code < 0 { Err(Self(code)) } else { Ok(code) }
    }
}

fn describe(code: c_int) -> String {
    let mut text = [0; 128];
    // SAFETY: the buffer is writable for the length given; av_strerror ends it with a zero.
    unsafe {
        ffi::av_strerror(code, text.as_mut_ptr(), text.len());
        CStr::from_ptr(text.as_ptr()).to_string_lossy().to_lowercase()
    }
}
