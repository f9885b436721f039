//! Decoded pictures on their way to the parent.

use std::io;

use ocelli_media::{
    libav::Frame,
    pixel::{Matrix, OwnedPicture, Picture, Range},
};

use super::{
    message::Pixels,
    wire::{Tail, invalid},
};

/// Packs the rows of a picture into `packed`, whose memory is used again.
pub(super) fn pack(picture: &Picture<'_>, packed: &mut Vec<u8>) -> Pixels {
    packed.clear();
    let chroma = picture.chroma_size();
    let sizes = [(picture.width, picture.height), chroma, chroma];
    for (plane, (width, rows)) in picture.planes.iter().zip(sizes) {
        for row in 0..rows as usize {
            packed.extend_from_slice(&plane.data[row * plane.stride..][..width as usize]);
        }
    }
    Pixels::Planes {
        width: picture.width,
        height: picture.height,
        full_range: picture.range == Range::Full,
        bt709: picture.matrix == Matrix::Bt709,
    }
}

/// The frame of planes that were sent.
pub(super) fn unpack(
    pts: i64,
    (width, height): (u32, u32),
    (range, matrix): (Range, Matrix),
    most_pixels: u64,
    tail: &mut Tail<'_>,
) -> io::Result<Frame> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > most_pixels {
        return Err(invalid(format!("a picture of {width}x{height}")));
    }
    let (luma, chroma) = (pixels as usize, width.div_ceil(2) as usize * height.div_ceil(2) as usize);
    let planes = [tail.take(luma)?, tail.take(chroma)?, tail.take(chroma)?];
    Ok(Frame::from_picture(pts, OwnedPicture { width, height, planes, range, matrix }))
}
