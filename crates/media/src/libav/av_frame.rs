//! Owner of an `AVFrame`, and what its fields say.

use std::{ffi::c_int, ptr, slice};

use ffi::{AVColorRange, AVColorSpace, AVPictureType, AVPixelFormat};
use ffmpeg_sys_next as ffi;

use super::AvError;
use crate::pixel::{Matrix, Picture, Plane, Range};

/// From this height on, untagged video is taken for BT.709: what encoders and players assume of HD.
const HD_LINES: i32 = 720;

/// Owner of an `AVFrame`; its planes are reference-counted inside libav.
#[derive(Debug)]
pub(super) struct AvFrame(*mut ffi::AVFrame);

// SAFETY: planes are only read, and their count is atomic.
unsafe impl Send for AvFrame {}
// SAFETY: shared access only reads.
unsafe impl Sync for AvFrame {}

impl AvFrame {
    pub(super) fn new() -> Result<Self, AvError> {
        // SAFETY: returns null or an owned frame.
        let frame = unsafe { ffi::av_frame_alloc() };
        if frame.is_null() { Err(AvError::NO_MEMORY) } else { Ok(Self(frame)) }
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut ffi::AVFrame {
        self.0
    }

    /// Planar 8-bit 4:2:0 of this size, zeroed, in a buffer with the alignment and padding that libav's fast paths need.
    pub(super) fn planar(width: c_int, height: c_int) -> Result<Self, AvError> {
        let frame = Self::new()?;
        // SAFETY: a fresh frame of our own; libav checks the size. Buffers are as long as they say.
        unsafe {
            ((*frame.0).width, (*frame.0).height) = (width, height);
            (*frame.0).format = AVPixelFormat::AV_PIX_FMT_YUV420P as c_int;
            AvError::check(ffi::av_frame_get_buffer(frame.0, 0))?;
            for buffer in (*frame.0).buf {
                if !buffer.is_null() {
                    ptr::write_bytes((*buffer).data, 0, (*buffer).size);
                }
            }
        }
        Ok(frame)
    }

    pub(super) fn as_ptr(&self) -> *const ffi::AVFrame {
        self.0
    }

    /// Width and height as libav keeps them.
    pub(super) fn size(&self) -> (c_int, c_int) {
        // SAFETY: never null, valid until drop; as in every reader below.
        unsafe { ((*self.0).width, (*self.0).height) }
    }

    /// An `AVPixelFormat`, perhaps one that this build does not know.
    pub(super) fn format(&self) -> c_int {
        // SAFETY: see `size`.
        unsafe { (*self.0).format }
    }

    pub(super) fn pts(&self) -> i64 {
        // SAFETY: see `size`.
        unsafe { (*self.0).pts }
    }

    /// Samples of each channel, where it holds sound.
    pub(super) fn samples(&self) -> i64 {
        // SAFETY: see `size`.
        unsafe { i64::from((*self.0).nb_samples) }
    }

    /// Start and stride of a plane.
    pub(super) fn plane(&self, index: usize) -> (*mut u8, c_int) {
        // SAFETY: see `size`; both are arrays, whose bounds are checked.
        unsafe { ((*self.0).data[index], (*self.0).linesize[index]) }
    }

    // Streams say any number for the two below: read as Rust enumerations, unknown ones would be undefined behaviour.

    fn colorspace(&self) -> c_int {
        // SAFETY: see `size`; a C enumeration is an integer.
        unsafe { (&raw const (*self.0).colorspace).cast::<c_int>().read() }
    }

    fn color_range(&self) -> c_int {
        // SAFETY: see `colorspace`.
        unsafe { (&raw const (*self.0).color_range).cast::<c_int>().read() }
    }

    /// Whether libav says that parts of the picture are missing or concealed. Its flag for corrupt frames says less:
    /// it also marks pictures that are whole, after units that were left out on purpose (see `decoder`).
    pub(super) fn is_damaged(&self) -> bool {
        // SAFETY: see `size`.
        unsafe { (*self.0).decode_error_flags != 0 }
    }

    pub(super) fn range(&self) -> Range {
        const UNTAGGED: c_int = AVColorRange::AVCOL_RANGE_UNSPECIFIED as c_int;
        const FULL: c_int = AVColorRange::AVCOL_RANGE_JPEG as c_int;
        match self.color_range() {
            FULL => Range::Full,
            // swscale's reading: grey comes from still pictures and thermal cameras.
            UNTAGGED if is_grey(self.format()) => Range::Full,
            _ if is_full_by_name(self.format()) => Range::Full,
            _ => Range::Limited,
        }
    }

    pub(super) fn matrix(&self) -> Matrix {
        const BT709: c_int = AVColorSpace::AVCOL_SPC_BT709 as c_int;
        const BT2020: c_int = AVColorSpace::AVCOL_SPC_BT2020_NCL as c_int;
        const BT2020_CONSTANT: c_int = AVColorSpace::AVCOL_SPC_BT2020_CL as c_int;
        const UNTAGGED: c_int = AVColorSpace::AVCOL_SPC_UNSPECIFIED as c_int;
        match self.colorspace() {
            BT709 | BT2020 | BT2020_CONSTANT => Matrix::Bt709,
            UNTAGGED if self.size().1 >= HD_LINES => Matrix::Bt709,
            _ => Matrix::Bt601,
        }
    }

    /// Tags the frame, which is ours alone.
    pub(super) fn tag(&mut self, range: Range, matrix: Matrix) {
        let range = match range {
            Range::Full => AVColorRange::AVCOL_RANGE_JPEG,
            Range::Limited => AVColorRange::AVCOL_RANGE_MPEG,
        };
        let matrix = match matrix {
            Matrix::Bt601 => AVColorSpace::AVCOL_SPC_SMPTE170M,
            Matrix::Bt709 => AVColorSpace::AVCOL_SPC_BT709,
        };
        // SAFETY: see `size`; borrowed mutably.
        unsafe { ((*self.0).color_range, (*self.0).colorspace) = (range, matrix) };
    }

    /// Whether an encoder is to begin a group of pictures with it; else it chooses.
    pub(super) fn force_keyframe(&mut self, force: bool) {
        let kind = if force { AVPictureType::AV_PICTURE_TYPE_I } else { AVPictureType::AV_PICTURE_TYPE_NONE };
        // SAFETY: see `size`; borrowed mutably.
        unsafe { (*self.0).pict_type = kind };
    }

    /// Borrows the planes of 8-bit 4:2:0; `None` for any other layout, which a [`Scaler`] converts.
    pub(super) fn planes(&self) -> Option<Picture<'_>> {
        let planar = [AVPixelFormat::AV_PIX_FMT_YUV420P, AVPixelFormat::AV_PIX_FMT_YUVJ420P]
            .map(|format| format as c_int)
            .contains(&self.format());
        let (width, height) = self.size();
        let (width, height) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
        if !planar || width == 0 || height == 0 {
            return None;
        }
        let chroma = (width.div_ceil(2) as usize, height.div_ceil(2) as usize);
        let sizes = [(width as usize, height as usize), chroma, chroma];
        let mut planes = [Plane { data: &[], stride: 0 }; 3];
        for (index, (row, rows)) in sizes.into_iter().enumerate() {
            let (start, stride) = self.plane(index);
            // Negative strides (pictures stored bottom up) take the converting path.
            let stride = usize::try_from(stride).ok().filter(|stride| *stride >= row)?;
            if start.is_null() {
                return None;
            }
            // SAFETY: libav keeps at least `row` readable bytes at the start of each of `rows` lines, `stride` apart.
            let data = unsafe { slice::from_raw_parts(start, stride * (rows - 1) + row) };
            planes[index] = Plane { data, stride };
        }
        Some(Picture { width, height, planes, range: self.range(), matrix: self.matrix() })
    }
}

impl Drop for AvFrame {
    fn drop(&mut self) {
        // SAFETY: owned, freed once.
        unsafe { ffi::av_frame_free(&raw mut self.0) };
    }
}

/// Formats that mean full range whatever the tag says.
fn is_full_by_name(format: c_int) -> bool {
    [
        AVPixelFormat::AV_PIX_FMT_YUVJ420P,
        AVPixelFormat::AV_PIX_FMT_YUVJ422P,
        AVPixelFormat::AV_PIX_FMT_YUVJ444P,
        AVPixelFormat::AV_PIX_FMT_YUVJ440P,
        AVPixelFormat::AV_PIX_FMT_YUVJ411P,
    ]
    .map(|full| full as c_int)
    .contains(&format)
}

fn is_grey(format: c_int) -> bool {
    [
        AVPixelFormat::AV_PIX_FMT_GRAY8,
        AVPixelFormat::AV_PIX_FMT_YA8,
        AVPixelFormat::AV_PIX_FMT_GRAY9LE,
        AVPixelFormat::AV_PIX_FMT_GRAY10LE,
        AVPixelFormat::AV_PIX_FMT_GRAY12LE,
        AVPixelFormat::AV_PIX_FMT_GRAY14LE,
        AVPixelFormat::AV_PIX_FMT_GRAY16LE,
        AVPixelFormat::AV_PIX_FMT_GRAY16BE,
    ]
    .map(|grey| grey as c_int)
    .contains(&format)
}
