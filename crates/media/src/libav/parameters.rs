//! Codec parameters between libav's form and ours.

use std::{
    ffi::{CStr, CString, c_int, c_void},
    ptr, slice,
};

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
        // SAFETY: just checked; the id is written as the integer that it is.
        unsafe {
            (*empty.0).codec_type = ffi::AVMediaType::AVMEDIA_TYPE_VIDEO;
            (&raw mut (*empty.0).codec_id).cast::<c_int>().write(number(&parameters.codec));
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

    /// The `AVCodecID`.
    pub(super) fn id(&self) -> c_int {
        // SAFETY: never null, valid until drop.
        unsafe { id_of(self.0) }
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

// libav may know more codecs than its headers did when this was built. Read into a Rust enumeration, such a number
// would be undefined behaviour: ids are integers here, and looked up without being passed to libav.

/// The `AVCodecID` as the integer that it is.
///
/// # Safety
/// `parameters` must be valid.
pub(super) unsafe fn id_of(parameters: *const ffi::AVCodecParameters) -> c_int {
    // SAFETY: the caller's; a C enumeration is an integer.
    unsafe { (&raw const (*parameters).codec_id).cast::<c_int>().read() }
}

/// The decoder that libav prefers for a codec, as `avcodec_find_decoder` does; null where it has none.
pub(super) fn decoder(id: c_int) -> *const ffi::AVCodec {
    let mut place: *mut c_void = ptr::null_mut();
    let mut experimental = ptr::null();
    loop {
        // SAFETY: walks a constant table, and reads integers in it.
        unsafe {
            let codec = ffi::av_codec_iterate(&raw mut place);
            if codec.is_null() {
                return experimental;
            }
            let found = (&raw const (*codec).id).cast::<c_int>().read() == id;
            if !found || ffi::av_codec_is_decoder(codec) == 0 {
                continue;
            }
            if (*codec).capabilities as u32 & ffi::AV_CODEC_CAP_EXPERIMENTAL == 0 {
                return codec;
            }
            if experimental.is_null() {
                experimental = codec;
            }
        }
    }
}

/// Ours for libav's codec id.
pub(super) fn codec(id: c_int) -> Codec {
    let known = [Codec::H264, Codec::H265, Codec::Mpeg4, Codec::Mjpeg, Codec::Vp8, Codec::Vp9, Codec::Av1];
    let found = known.into_iter().find(|codec| codec_id(codec) as c_int == id);
    found.unwrap_or_else(|| Codec::Other(name(id)))
}

/// libavcodec's name of a codec.
pub(super) fn name(id: c_int) -> String {
    let mut descriptor = ptr::null();
    loop {
        // SAFETY: walks a constant table; names are static and end with a zero.
        unsafe {
            descriptor = ffi::avcodec_descriptor_next(descriptor);
            if descriptor.is_null() {
                return format!("codec {id}");
            }
            if (&raw const (*descriptor).id).cast::<c_int>().read() == id {
                return CStr::from_ptr((*descriptor).name).to_string_lossy().into_owned();
            }
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

/// libav's number for a codec of ours, also by its name alone.
pub(super) fn number(codec: &Codec) -> c_int {
    let Codec::Other(name) = codec else { return codec_id(codec) as c_int };
    let Ok(name) = CString::new(name.as_str()) else { return Id::AV_CODEC_ID_NONE as c_int };
    // SAFETY: looks up a constant table by a zero-ended name; an integer of it is read.
    unsafe {
        let found = ffi::avcodec_descriptor_get_by_name(name.as_ptr());
        if found.is_null() {
            Id::AV_CODEC_ID_NONE as c_int
        } else {
            (&raw const (*found).id).cast::<c_int>().read()
        }
    }
}

/// Bytes of out-of-band parameter sets.
///
/// # Safety
/// `parameters` must be valid.
pub(super) unsafe fn extradata(parameters: *const ffi::AVCodecParameters) -> Bytes {
    // SAFETY: the caller's; libav keeps `extradata_size` bytes there.
    unsafe {
        let (start, size) = ((*parameters).extradata, (*parameters).extradata_size);
        if start.is_null() || size <= 0 {
            return Bytes::new();
        }
        Bytes::copy_from_slice(slice::from_raw_parts(start, size as usize))
    }
}

/// The clockwise turn of a stream's display matrix, to the nearest quarter; a mirrored one is mirrored back first.
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
        let area = |a: usize, b: usize| i64::from(copy[a]) * i64::from(copy[b]);
        if area(0, 4) < area(1, 3) {
            ffi::av_display_matrix_flip(copy.as_mut_ptr(), 1, 0);
        }
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
