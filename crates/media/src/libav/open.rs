//! A container is opened: libav is given bytes, and nothing to open by itself.

use std::ptr;

use ffmpeg_sys_next as ffi;

use super::{
    AvError,
    io::{Input, Io},
};

/// Opens and probes; the context is freed on every error.
pub(super) fn open_context(io: &Io<dyn Input>) -> Result<*mut ffi::AVFormatContext, AvError> {
    // SAFETY: every pointer is valid; avformat_open_input frees the context itself when it fails.
    unsafe {
        let mut context = ffi::avformat_alloc_context();
        if context.is_null() {
            return Err(AvError::NO_MEMORY);
        }
        (*context).pb = io.as_ptr();
        (*context).io_open = Some(refuse_open);
        // Playlists, SDP and scripts name other files and hosts; no protocol has this name.
        (*context).protocol_whitelist = ffi::av_strdup(c"none".as_ptr());
        AvError::check(ffi::avformat_open_input(
            &raw mut context,
            ptr::null(),
            ptr::null(),
            ptr::null_mut(),
        ))?;
        let probed = AvError::check(ffi::avformat_find_stream_info(context, ptr::null_mut()));
        if let Err(error) = probed {
            ffi::avformat_close_input(&raw mut context);
            return Err(error);
        }
        Ok(context)
    }
}

unsafe extern "C" fn refuse_open(
    _context: *mut ffi::AVFormatContext,
    _io: *mut *mut ffi::AVIOContext,
    _url: *const std::ffi::c_char,
    _flags: i32,
    _options: *mut *mut ffi::AVDictionary,
) -> i32 {
    ffi::AVERROR(ffi::EPERM)
}
