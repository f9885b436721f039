//! Fits pictures into the one size, range and matrix that a video has.

use std::{ffi::c_int, ptr, slice};

use ffmpeg_sys_next as ffi;

use super::{super::av_frame::AvFrame, AvError, EncodeError};
use crate::pixel::{Matrix, Picture, Range};

const FLAGS: c_int = ffi::SWS_BICUBIC | ffi::SWS_ACCURATE_RND;

/// What libav's sizes can hold with room for its own arithmetic.
const MOST_PIXELS_ACROSS: u32 = 1 << 15;

/// Refuses pictures whose planes are shorter than their size says.
pub(super) fn check(picture: &Picture<'_>) -> Result<(), EncodeError> {
    let (width, height) = (picture.width, picture.height);
    let sized = (1..=MOST_PIXELS_ACROSS).contains(&width) && (1..=MOST_PIXELS_ACROSS).contains(&height);
    let whole = picture.planes.iter().zip(sizes(width, height)).all(|(plane, (row, rows))| {
        plane.stride >= row
            && plane.stride.checked_mul(rows - 1).and_then(|start| start.checked_add(row))
                <= Some(plane.data.len())
    });
    if sized && whole { Ok(()) } else { Err(EncodeError::Picture { width, height }) }
}

/// Bytes per row and rows of the three planes.
fn sizes(width: u32, height: u32) -> [(usize, usize); 3] {
    let chroma = (width.div_ceil(2) as usize, height.div_ceil(2) as usize);
    [(width as usize, height as usize), chroma, chroma]
}

/// A frame of even size in limited range, drawn anew for each picture.
#[derive(Debug)]
pub(super) struct Canvas {
    frame: AvFrame,
    /// Size of the first picture, which may be odd.
    size: (u32, u32),
    matrix: Matrix,
    staged: Option<AvFrame>,
    scaling: Scaling,
}

#[derive(Debug)]
struct Scaling(*mut ffi::SwsContext);

// SAFETY: used only through `&mut self` of its owner.
unsafe impl Send for Scaling {}

impl Canvas {
    /// For pictures like the first.
    pub(super) fn like(picture: &Picture<'_>) -> Result<Self, AvError> {
        let size = (picture.width, picture.height);
        let frame = allocate(size.0.next_multiple_of(2), size.1.next_multiple_of(2), picture.matrix)?;
        let scaling = Scaling(ptr::null_mut());
        Ok(Self { frame, size, matrix: picture.matrix, staged: None, scaling })
    }

    pub(super) fn matrix(&self) -> Matrix {
        self.matrix
    }

    pub(super) fn frame_mut(&mut self) -> &mut AvFrame {
        &mut self.frame
    }

    /// Draws a picture that [`check`] accepts.
    pub(super) fn draw(&mut self, picture: &Picture<'_>) -> Result<(), AvError> {
        // SAFETY: our frame; the encoder may still hold its buffers, then new ones are made.
        AvError::check(unsafe { ffi::av_frame_make_writable(self.frame.as_mut_ptr()) })?;
        if (picture.width, picture.height) == self.size && picture.matrix == self.matrix {
            copy(picture, &mut self.frame, picture.range == Range::Full);
            return Ok(());
        }
        self.fit(picture)
    }

    /// Scales into the middle, black around it. Square pixels are assumed.
    fn fit(&mut self, picture: &Picture<'_>) -> Result<(), AvError> {
        let size = (picture.width, picture.height);
        let kept = self.staged.take().filter(|frame| frame.size() == (size.0 as c_int, size.1 as c_int));
        // swscale reads beyond the ends of rows: it gets a copy in a buffer with libav's padding.
        let mut staged = kept.map_or_else(|| allocate(size.0, size.1, picture.matrix), Ok)?;
        copy(picture, &mut staged, false);
        blacken(&mut self.frame);
        let (width, height) = self.frame.size();
        let place = place(size, (width as u32, height as u32));
        let scaled = self.scaling.run(&staged, &mut self.frame, place, picture, self.matrix);
        self.staged = Some(staged);
        scaled
    }
}

/// Left, top, width and height, all even, of the largest picture of this shape in the middle.
fn place(size: (u32, u32), room: (u32, u32)) -> [u32; 4] {
    let ([w, h], [across, down]) = ([size.0, size.1].map(u64::from), [room.0, room.1].map(u64::from));
    let even = |value: u64, most: u64| (((value + 1) & !1).clamp(2, most)) as u32;
    let (width, height) = if w * down > h * across {
        (room.0, even(h * across / w, down))
    } else {
        (even(w * down / h, across), room.1)
    };
    [((room.0 - width) / 2) & !1, ((room.1 - height) / 2) & !1, width, height]
}

impl Scaling {
    fn run(
        &mut self,
        source: &AvFrame,
        target: &mut AvFrame,
        [left, top, width, height]: [u32; 4],
        picture: &Picture<'_>,
        matrix: Matrix,
    ) -> Result<(), AvError> {
        let format = ffi::AVPixelFormat::AV_PIX_FMT_YUV420P;
        let at = |plane: usize, left: u32, top: u32| {
            let (start, stride) = target.plane(plane);
            start.wrapping_add(top as usize * stride as usize + left as usize)
        };
        let (across, down) = source.size();
        let (x, y) = (left / 2, top / 2);
        let targets = [at(0, left, top), at(1, x, y), at(2, x, y), ptr::null_mut()];
        // SAFETY: the cached context is ours; both frames have buffers of the sizes given, and the place lies in
        // the target, whose buffer nobody else holds.
        unsafe {
            self.0 = ffi::sws_getCachedContext(
                self.0,
                across,
                down,
                format,
                width as c_int,
                height as c_int,
                format,
                FLAGS,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null(),
            );
            if self.0.is_null() {
                return Err(AvError::INVALID);
            }
            let (table, wanted) = (coefficients(picture.matrix), coefficients(matrix));
            let full = c_int::from(picture.range == Range::Full);
            AvError::check(ffi::sws_setColorspaceDetails(
                self.0,
                table,
                full,
                wanted,
                0,
                0,
                1 << 16,
                1 << 16,
            ))?;
            let (from, into) = (source.as_ptr(), target.as_mut_ptr());
            AvError::check(ffi::sws_scale(
                self.0,
                (&raw const (*from).data).cast(),
                (&raw const (*from).linesize).cast(),
                0,
                down,
                targets.as_ptr(),
                (&raw const (*into).linesize).cast(),
            ))?;
        }
        Ok(())
    }
}

impl Drop for Scaling {
    fn drop(&mut self) {
        // SAFETY: ours or null, which is accepted.
        unsafe { ffi::sws_freeContext(self.0) };
    }
}

fn coefficients(matrix: Matrix) -> *const c_int {
    let standard = match matrix {
        Matrix::Bt601 => ffi::SWS_CS_ITU601,
        Matrix::Bt709 => ffi::SWS_CS_ITU709,
    };
    // SAFETY: returns a constant table.
    unsafe { ffi::sws_getCoefficients(standard) }
}

fn allocate(width: u32, height: u32, matrix: Matrix) -> Result<AvFrame, AvError> {
    let mut frame = AvFrame::planar(width as c_int, height as c_int)?;
    frame.tag(Range::Limited, matrix);
    blacken(&mut frame);
    Ok(frame)
}

fn blacken(frame: &mut AvFrame) {
    let (width, height) = frame.size();
    for (plane, (width, rows)) in sizes(width as u32, height as u32).into_iter().enumerate() {
        for y in 0..rows {
            row(frame, plane, y, width).fill(if plane == 0 { 16 } else { 128 });
        }
    }
}

/// Copies at equal size; what an even size has more than the picture repeats its last column and row.
fn copy(picture: &Picture<'_>, frame: &mut AvFrame, narrow: bool) {
    let (width, height) = frame.size();
    let (width, height) = (width as u32, height as u32);
    let planes = picture.planes.iter().zip(sizes(picture.width, picture.height));
    for (index, ((plane, (width_in, rows_in)), (width, rows))) in planes.zip(sizes(width, height)).enumerate()
    {
        for y in 0..rows {
            let source = &plane.data[y.min(rows_in - 1) * plane.stride..][..width_in];
            let (target, beyond) = row(frame, index, y, width).split_at_mut(width_in);
            match (narrow, index) {
                (false, _) => target.copy_from_slice(source),
                (true, 0) => narrowed(source, target, 219),
                (true, _) => narrowed(source, target, 224),
            }
            beyond.fill(target[width_in - 1]);
        }
    }
}

/// Full range to limited, rounded to nearest: 0 to 255 becomes 16 to 16 + `span`.
fn narrowed(source: &[u8], target: &mut [u8], span: u16) {
    for (target, value) in target.iter_mut().zip(source) {
        *target = 16 + ((u16::from(*value) * span + 127) / 255) as u8;
    }
}

fn row(frame: &mut AvFrame, plane: usize, y: usize, width: usize) -> &mut [u8] {
    let (start, stride) = frame.plane(plane);
    // SAFETY: made by `allocate`, so `width` bytes of each row are there and initialised (a copy made by libav keeps
    // them); strides are positive; the frame is borrowed mutably and its buffer is not shared.
    unsafe { slice::from_raw_parts_mut(start.add(y * stride as usize), width) }
}
