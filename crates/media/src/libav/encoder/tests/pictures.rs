//! Pixels: sizes, ranges, matrices, changes in mid-stream.

use super::files::{decode, encode, probe};
use crate::pixel::{Matrix, OwnedPicture, Range};

/// Smooth in space, so that loss of detail does not hide errors of place or colour.
fn gradient(width: u32, height: u32, range: Range, matrix: Matrix) -> OwnedPicture {
    let mut picture = OwnedPicture::black(width, height, range, matrix);
    let (low, span) = if range == Range::Full { (0, 255) } else { (16, 219) };
    let chroma = (width.div_ceil(2), height.div_ceil(2));
    let fill = |plane: &mut [u8], (w, h): (u32, u32), turned: bool| {
        for (index, value) in (0..).zip(plane.iter_mut()) {
            let (x, y) = (index % w, index / w);
            let along = if turned { (y, h) } else { (x, w) };
            *value = (low + span * along.0 / along.1) as u8;
        }
    };
    fill(&mut picture.planes[0], (width, height), false);
    fill(&mut picture.planes[1], chroma, true);
    fill(&mut picture.planes[2], chroma, false);
    picture
}

fn psnr(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let squares: f64 = a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    10.0 * (255.0 * 255.0 * a.len() as f64 / squares.max(1e-9)).log10()
}

/// The decoded pictures, one vector of three planes each.
fn decoded(pictures: &[OwnedPicture], size: (usize, usize)) -> Vec<[Vec<u8>; 3]> {
    let file = encode(pictures);
    let found = probe(file.path(), "stream=width,height");
    assert_eq!(found.trim(), format!("{}|{}", size.0, size.1));
    let (luma, chroma) = (size.0 * size.1, size.0 * size.1 / 4);
    let bytes = decode(file.path());
    assert_eq!(bytes.len(), pictures.len() * (luma + 2 * chroma));
    let split = |bytes: &[u8]| {
        let (y, rest) = bytes.split_at(luma);
        [y.to_vec(), rest[..chroma].to_vec(), rest[chroma..].to_vec()]
    };
    bytes.chunks(luma + 2 * chroma).map(split).collect()
}

#[test]
fn pixels_come_back_nearly_the_same_at_any_size() {
    let check = |width: u32, height: u32, at_least: f64| {
        let picture = gradient(width, height, Range::Limited, Matrix::Bt601);
        let (w, h) = (width.next_multiple_of(2) as usize, height.next_multiple_of(2) as usize);
        let pictures = vec![picture.clone(); 3];
        for found in decoded(&pictures, (w, h)) {
            let cropped: Vec<_> =
                (0..height as usize).flat_map(|y| &found[0][y * w..][..width as usize]).copied().collect();
            assert!(psnr(&cropped, &picture.planes[0]) > at_least, "{width}x{height}");
            for (found, expected) in found.iter().zip(&picture.planes).skip(1) {
                assert!(psnr(found, expected) > at_least, "{width}x{height} chroma");
            }
        }
    };
    check(640, 360, 40.0);
    check(641, 361, 40.0);
    check(33, 17, 35.0);
    check(2, 2, 30.0);
    check(1, 1, 30.0);
    check(1, 40, 30.0);
    check(40, 1, 30.0);
}

#[test]
fn the_colours_are_tagged_as_they_are_coded() {
    let check = |range: Range, matrix: Matrix, expected: &str| {
        let picture = gradient(320, 240, range, matrix);
        let file = encode(&[picture.clone(), picture]);
        let found = probe(file.path(), "stream=color_range,color_space");
        assert_eq!(found.trim(), expected);
    };
    check(Range::Limited, Matrix::Bt601, "tv|smpte170m");
    check(Range::Limited, Matrix::Bt709, "tv|bt709");
    check(Range::Full, Matrix::Bt709, "tv|bt709");
}

#[test]
fn full_range_becomes_limited() {
    let full = gradient(320, 240, Range::Full, Matrix::Bt601);
    let found = &decoded(&[full.clone(), full.clone()], (320, 240))[1];
    for (plane, span) in [(0, 219.0), (1, 224.0), (2, 224.0)] {
        let limited: Vec<_> = full.planes[plane]
            .iter()
            .map(|value| (16.0 + f64::from(*value) * span / 255.0).round() as u8)
            .collect();
        assert!(psnr(&found[plane], &limited) > 40.0, "{plane}: {}", psnr(&found[plane], &limited));
    }
}

#[test]
fn other_sizes_are_letterboxed_into_the_first() {
    let first = gradient(320, 240, Range::Limited, Matrix::Bt601);
    // 2:1 and full range into 4:3: 320x160 in the middle, 40 black rows above and below.
    let wide = gradient(640, 320, Range::Full, Matrix::Bt601);
    // 1:2 into 4:3: 120x240 with 100 black columns on each side.
    let tall = gradient(61, 122, Range::Limited, Matrix::Bt601);
    let found = decoded(&[first.clone(), wide, tall, first.clone()], (320, 240));
    let at = |picture: usize, x: usize, y: usize| i32::from(found[picture][0][y * 320 + x]);
    let near = |value: i32, expected: i32| assert!((value - expected).abs() <= 4, "{value}, not {expected}");
    for x in [20, 160, 300] {
        near(at(1, x, 20), 16);
        near(at(1, x, 220), 16);
        near(at(1, x, 120), 16 + 219 * x as i32 / 320);
        near(i32::from(found[1][1][60 * 160 + x / 2]), 16 + 224 / 2);
    }
    for y in [20, 120, 220] {
        near(at(2, 50, y), 16);
        near(at(2, 270, y), 16);
        near(at(2, 160, y), 16 + 219 / 2);
    }
    assert!(psnr(&found[3][0], &first.planes[0]) > 40.0, "the first size again");
}

#[test]
fn extreme_shapes_in_mid_stream_do_no_harm() {
    let first = gradient(64, 48, Range::Limited, Matrix::Bt601);
    let sizes = [(1, 1), (2, 2), (1, 4000), (4000, 1), (3, 5), (1920, 1080), (63, 47), (64, 48)];
    let others = sizes.map(|(width, height)| gradient(width, height, Range::Limited, Matrix::Bt709));
    let pictures: Vec<_> = std::iter::once(first).chain(others).collect();
    assert_eq!(decoded(&pictures, (64, 48)).len(), pictures.len());
}

#[test]
fn another_matrix_in_mid_stream_is_converted() {
    let flat = |matrix, [y, cb, cr]: [u8; 3]| {
        let mut picture = OwnedPicture::black(64, 48, Range::Limited, matrix);
        for (plane, value) in picture.planes.iter_mut().zip([y, cb, cr]) {
            plane.fill(value);
        }
        picture
    };
    // Green, RGB (0, 180, 0), by the equations of the two standards.
    let green = [107, 76, 62];
    let first = flat(Matrix::Bt601, green);
    let found = decoded(&[first, flat(Matrix::Bt709, [127, 67, 56])], (64, 48));
    for (plane, expected) in green.map(i32::from).into_iter().enumerate() {
        let value = i32::from(found[1][plane][found[1][plane].len() / 2]);
        assert!((value - expected).abs() <= 2, "plane {plane}: {value}, not {expected}");
    }
}
