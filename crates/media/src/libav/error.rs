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

    /// As libav has it: negative.
    pub fn code(self) -> i32 {
        self.0
    }

    /// What a code of libav's means, or is said to mean.
    pub fn of_code(code: i32) -> Self {
        Self(code)
    }

    /// Memory could not be had.
    pub fn is_no_memory(self) -> bool {
        self == Self::NO_MEMORY
    }

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
