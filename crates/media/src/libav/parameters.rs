//! Codec parameters between libav's form and ours.

use std::{ptr, slice};

use bytes::Bytes;
use ffi::AVCodecID as Id;
use ffmpeg_sys_next as ffi;

use super::AvError;
use crate::{Codec, CodecParameters, Rotation};

/// libav's own copy: some codecs need fields that ours do not name (tags, block sizes).
#[derive(Debug)]
pub(crate) struct NativeParameters(*mut ffi::AVCodecParameters);

// SAFETY: written once at creation, then only read.
unsafe impl Send for NativeParameters {}
// SAFETY: as above.
unsafe impl Sync for NativeParameters {}

impl NativeParameters {
    /// Copies `source`, which must be valid.
    pub(super) fn copy_of(source: *const ffi::AVCodecParameters) -> Result<Self, AvError> {
        // SAFETY: allocates, then copies between two valid structures.
        unsafe {
            let copy = ffi::avcodec_parameters_alloc();
            if copy.is_null() {
                return Err(AvError::NO_MEMORY);
            }
            let own = Self(copy);
            AvError::check(ffi::avcodec_parameters_copy(copy, source))?;
            Ok(own)
        }
    }

    /// For streams that no container describes: codec and parameter sets.
    pub(super) fn bare(parameters: &CodecParameters) -> Result<Self, AvError> {
        // SAFETY: allocates a structure that is ours.
        let empty = Self(unsafe { ffi::avcodec_parameters_alloc() });
        if empty.0.is_null() {
            return Err(AvError::NO_MEMORY);
        }
        // SAFETY: just checked.
        unsafe {
            (*empty.0).codec_type = ffi::AVMediaType::AVMEDIA_TYPE_VIDEO;
            (*empty.0).codec_id = codec_id(&parameters.codec);
        }
        empty.with_extradata(&parameters.extradata)
    }

    /// The same with other parameter sets.
    pub(super) fn with_extradata(&self, extradata: &[u8]) -> Result<Self, AvError> {
        let copy = Self::copy_of(self.0)?;
        let size = i32::try_from(extradata.len()).map_err(|_huge| AvError::INVALID)?;
        let padding = ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize;
        // SAFETY: the old buffer is libav's own; the new one is allocated by libav, zeroed, with the padding
        // that its bitstream readers require.
        unsafe {
            ffi::av_freep((&raw mut (*copy.0).extradata).cast());
            (*copy.0).extradata_size = 0;
            let buffer: *mut u8 = ffi::av_mallocz(extradata.len() + padding).cast();
            if buffer.is_null() {
                return Err(AvError::NO_MEMORY);
            }
            ptr::copy_nonoverlapping(extradata.as_ptr(), buffer, extradata.len());
            (*copy.0).extradata = buffer;
            (*copy.0).extradata_size = size;
        }
        Ok(copy)
    }

    pub(super) fn as_ptr(&self) -> *const ffi::AVCodecParameters {
        self.0
    }
}

impl Drop for NativeParameters {
    fn drop(&mut self) {
        // SAFETY: owned, freed once.
        unsafe { ffi::avcodec_parameters_free(&raw mut self.0) };
    }
}

/// Ours for libav's codec id.
pub(super) fn codec(id: Id) -> Codec {
    match id {
        Id::AV_CODEC_ID_H264 => Codec::H264,
        Id::AV_CODEC_ID_HEVC => Codec::H265,
        Id::AV_CODEC_ID_MPEG4 => Codec::Mpeg4,
        Id::AV_CODEC_ID_MJPEG => Codec::Mjpeg,
        Id::AV_CODEC_ID_VP8 => Codec::Vp8,
        Id::AV_CODEC_ID_VP9 => Codec::Vp9,
        Id::AV_CODEC_ID_AV1 => Codec::Av1,
        other => {
            // SAFETY: returns a static, zero-ended name for any id.
            let name = unsafe { std::ffi::CStr::from_ptr(ffi::avcodec_get_name(other)) };
            Codec::Other(name.to_string_lossy().into_owned())
        }
    }
}

/// libav's codec id for ours, where parameters were not made by libav.
pub(super) fn codec_id(codec: &Codec) -> Id {
    match codec {
        Codec::H264 => Id::AV_CODEC_ID_H264,
        Codec::H265 => Id::AV_CODEC_ID_HEVC,
        Codec::Mpeg4 => Id::AV_CODEC_ID_MPEG4,
        Codec::Mjpeg => Id::AV_CODEC_ID_MJPEG,
        Codec::Vp8 => Id::AV_CODEC_ID_VP8,
        Codec::Vp9 => Id::AV_CODEC_ID_VP9,
        Codec::Av1 => Id::AV_CODEC_ID_AV1,
        Codec::Other(_) => Id::AV_CODEC_ID_NONE,
    }
}

/// Bytes of out-of-band parameter sets.
pub(super) fn extradata(parameters: &ffi::AVCodecParameters) -> Bytes {
    if parameters.extradata.is_null() || parameters.extradata_size <= 0 {
        return Bytes::new();
    }
    // SAFETY: libav keeps `extradata_size` bytes there.
    let bytes = unsafe { slice::from_raw_parts(parameters.extradata, parameters.extradata_size as usize) };
    Bytes::copy_from_slice(bytes)
}

/// The clockwise turn of a stream's display matrix, to the nearest quarter.
pub(super) fn rotation(stream: *const ffi::AVStream) -> Rotation {
    let kind = ffi::AVPacketSideDataType::AV_PKT_DATA_DISPLAYMATRIX;
    // SAFETY: valid stream; a matrix is nine 32-bit integers, checked by size; read unaligned by libav itself.
    let degrees = unsafe {
        let mut size = 0;
        let matrix = ffi::av_stream_get_side_data(stream, kind, &raw mut size);
        if matrix.is_null() || size < 36 {
            return Rotation::None;
        }
        let mut copy = [0_i32; 9];
        ptr::copy_nonoverlapping(matrix, copy.as_mut_ptr().cast(), 36);
        // libav counts counterclockwise.
        -ffi::av_display_rotation_get(copy.as_ptr())
    };
    if degrees.is_nan() {
        return Rotation::None;
    }
    match (degrees / 90.0).round().rem_euclid(4.0) as u8 {
        1 => Rotation::Clockwise,
        2 => Rotation::Half,
        3 => Rotation::Counterclockwise,
        _ => Rotation::None,
    }
}

impl CodecParameters {
    pub(super) fn native(&self) -> Option<&NativeParameters> {
        self.native.as_deref()
    }
}
