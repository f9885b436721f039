//! Upright pictures from turned ones.

#[cfg(test)]
mod tests;

use super::picture::{OwnedPicture, Picture, PictureError, Plane};
use crate::Rotation;

/// Side of the squares a plane is turned in: their rows and columns stay in the cache.
const TILE: usize = 32;

/// A turned copy; also a plain copy, for [`Rotation::None`]. Chroma planes are turned like luma, so colour may be off by
/// half a chroma sample where its siting would have changed sides.
pub fn rotated(picture: &Picture<'_>, rotation: Rotation) -> Result<OwnedPicture, PictureError> {
    picture.check()?;
    let (width, height) = match rotation {
        Rotation::None | Rotation::Half => (picture.width, picture.height),
        Rotation::Clockwise | Rotation::Counterclockwise => (picture.height, picture.width),
    };
    let planes = [0, 1, 2].map(|plane| {
        let source = &picture.planes[plane];
        let size = picture.plane_size(plane);
        match rotation {
            Rotation::None => rows(source, size).flatten().copied().collect(),
            Rotation::Half => rows(source, size).rev().flat_map(|row| row.iter().rev()).copied().collect(),
            Rotation::Clockwise => turned(source, size, |x, y| (size.1 - 1 - y, x)),
            Rotation::Counterclockwise => turned(source, size, |x, y| (y, size.0 - 1 - x)),
        }
    });
    Ok(OwnedPicture { width, height, planes, range: picture.range, matrix: picture.matrix })
}

fn rows<'a>(plane: &Plane<'a>, (width, height): (usize, usize)) -> impl DoubleEndedIterator<Item = &'a [u8]> {
    let plane = *plane;
    (0..height).map(move |y| plane.row(y, width))
}

/// Swaps the axes; `target` tells where a sample goes.
fn turned(
    plane: &Plane<'_>,
    (width, height): (usize, usize),
    target: impl Fn(usize, usize) -> (usize, usize),
) -> Vec<u8> {
    let mut out = vec![0; width * height];
    for top in (0..height).step_by(TILE) {
        for left in (0..width).step_by(TILE) {
            for y in top..height.min(top + TILE) {
                let row = plane.row(y, width);
                for (x, &sample) in row.iter().enumerate().take(left + TILE).skip(left) {
                    let (to_x, to_y) = target(x, y);
                    out[to_y * height + to_x] = sample;
                }
            }
        }
    }
    out
}
