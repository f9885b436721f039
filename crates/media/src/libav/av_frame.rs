//! Owner of an `AVFrame`, and what its fields say.

use std::slice;

use ffi::{AVColorRange, AVColorSpace, AVPixelFormat};
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

    pub(super) fn get(&self) -> &ffi::AVFrame {
        // SAFETY: never null, valid until drop.
        unsafe { &*self.0 }
    }

    /// Whether libav says that parts of the picture are missing or concealed. Its flag for corrupt frames says less:
    /// it also marks pictures that are whole, after units that were left out on purpose (see `decoder`).
    pub(super) fn is_damaged(&self) -> bool {
        self.get().decode_error_flags != 0
    }

    pub(super) fn range(&self) -> Range {
        let frame = self.get();
        let full = frame.format == AVPixelFormat::AV_PIX_FMT_YUVJ420P as i32
            || frame.format == AVPixelFormat::AV_PIX_FMT_YUVJ422P as i32
            || frame.format == AVPixelFormat::AV_PIX_FMT_YUVJ444P as i32
            || frame.color_range == AVColorRange::AVCOL_RANGE_JPEG;
        if full { Range::Full } else { Range::Limited }
    }

    pub(super) fn matrix(&self) -> Matrix {
        match self.get().colorspace {
            AVColorSpace::AVCOL_SPC_BT709
            | AVColorSpace::AVCOL_SPC_BT2020_NCL
            | AVColorSpace::AVCOL_SPC_BT2020_CL => Matrix::Bt709,
            AVColorSpace::AVCOL_SPC_UNSPECIFIED if self.get().height >= HD_LINES => Matrix::Bt709,
            _ => Matrix::Bt601,
        }
    }

    /// Borrows the planes of 8-bit 4:2:0; `None` for any other layout, which a [`Scaler`] converts.
    pub(super) fn planes(&self) -> Option<Picture<'_>> {
        let frame = self.get();
        let planar = frame.format == AVPixelFormat::AV_PIX_FMT_YUV420P as i32
            || frame.format == AVPixelFormat::AV_PIX_FMT_YUVJ420P as i32;
        let (width, height) = (u32::try_from(frame.width).ok()?, u32::try_from(frame.height).ok()?);
        if !planar || width == 0 || height == 0 {
            return None;
        }
        let chroma = (width.div_ceil(2) as usize, height.div_ceil(2) as usize);
        let sizes = [(width as usize, height as usize), chroma, chroma];
        let mut planes = [Plane { data: &[], stride: 0 }; 3];
        for (index, (row, rows)) in sizes.into_iter().enumerate() {
            // Negative strides (pictures stored bottom up) take the converting path.
            let stride = usize::try_from(frame.linesize[index]).ok().filter(|stride| *stride >= row)?;
            if frame.data[index].is_null() {
                return None;
            }
            // SAFETY: libav keeps at least `row` readable bytes at the start of each of `rows` lines, `stride` apart.
            let data = unsafe { slice::from_raw_parts(frame.data[index], stride * (rows - 1) + row) };
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
