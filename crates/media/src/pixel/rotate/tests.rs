use super::*;
use crate::pixel::{Matrix, Range, reference};

const SIZES: [(u32, u32); 7] = [(1, 1), (2, 2), (3, 2), (1, 7), (64, 64), (67, 33), (100, 31)];

fn check(
    width: u32,
    height: u32,
    rotation: Rotation,
    source: fn(usize, usize, usize, usize) -> (usize, usize),
) {
    let picture = reference::picture(width, height, Range::Full, Matrix::Bt709, 1);
    let turned = rotated(&picture.as_picture(), rotation).expect("a whole picture");
    assert_eq!((turned.range, turned.matrix), (picture.range, picture.matrix));
    let (before, after) = (picture.as_picture(), turned.as_picture());
    after.check().expect("a whole picture");
    for plane in 0..3 {
        let (from_width, from_height) = before.plane_size(plane);
        let (to_width, to_height) = after.plane_size(plane);
        for y in 0..to_height {
            for x in 0..to_width {
                let (from_x, from_y) = source(x, y, from_width - 1, from_height - 1);
                assert_eq!(
                    after.planes[plane].row(y, to_width)[x],
                    before.planes[plane].row(from_y, from_width)[from_x],
                    "{rotation:?} of {width}x{height}, plane {plane}, {x},{y}"
                );
            }
        }
    }
}

#[test]
fn each_sample_goes_where_it_belongs() {
    for (width, height) in SIZES {
        check(width, height, Rotation::None, |x, y, _, _| (x, y));
        // The left column, from the bottom up, becomes the top row.
        check(width, height, Rotation::Clockwise, |x, y, _, bottom| (y, bottom - x));
        check(width, height, Rotation::Half, |x, y, right, bottom| (right - x, bottom - y));
        check(width, height, Rotation::Counterclockwise, |x, y, right, _| (right - y, x));
    }
}

#[test]
fn gaps_between_rows_are_left_out() {
    let data = [1, 2, 9, 3, 4];
    let chroma = Plane { data: &[5], stride: 1 };
    let planes = [Plane { data: &data, stride: 3 }, chroma, chroma];
    let picture = Picture { width: 2, height: 2, planes, range: Range::Limited, matrix: Matrix::Bt601 };
    let check = |rotation, luma: [u8; 4]| {
        assert_eq!(rotated(&picture, rotation).expect("a whole picture").planes[0], luma, "{rotation:?}");
    };
    check(Rotation::None, [1, 2, 3, 4]);
    check(Rotation::Clockwise, [3, 1, 4, 2]);
    check(Rotation::Half, [4, 3, 2, 1]);
    check(Rotation::Counterclockwise, [2, 4, 1, 3]);
}

#[test]
fn a_short_plane_gets_an_error() {
    let picture = reference::picture(8, 8, Range::Full, Matrix::Bt601, 0);
    let mut short = picture.as_picture();
    short.planes[1].data = &short.planes[1].data[..15];
    let wanted = PictureError::Short { plane: 1, found: 15, needed: 16 };
    assert_eq!(rotated(&short, Rotation::Clockwise), Err(wanted));
}
