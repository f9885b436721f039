use proptest::prelude::*;

use super::*;
use crate::pixel::{Matrix, OwnedPicture, Plane, Range, reference};

/// Largest difference from the reference allowed, in grey levels.
const TOLERANCE: f64 = 0.15;

fn spec(width: u32, height: u32, fit: Fit) -> TensorSpec {
    TensorSpec { width, height, fit, order: ChannelOrder::Rgb, scale: [1.0; 3], offset: [0.0; 3] }
}

/// The same picture with rows further apart than they are long, the gaps filled with garbage.
fn with_stride(picture: &OwnedPicture, extra: usize) -> [Vec<u8>; 3] {
    let view = picture.as_picture();
    std::array::from_fn(|plane| {
        let (width, height) = view.plane_size(plane);
        let rows = (0..height).map(|y| [view.planes[plane].row(y, width), &vec![0xAA; extra]].concat());
        rows.collect::<Vec<_>>().concat()
    })
}

fn expected(picture: &Picture<'_>, spec: &TensorSpec) -> Vec<f64> {
    let placement = spec.placement(picture.width, picture.height);
    let size = (placement.width as usize, placement.height as usize);
    let planes: [Vec<f64>; 3] = std::array::from_fn(|plane| reference::scaled(picture, plane, size));
    let pad = match spec.fit {
        Fit::Stretch => f64::NAN,
        Fit::LetterboxTopLeft { pad } | Fit::LetterboxCentre { pad } => f64::from(pad),
    };
    let area = (spec.width * spec.height) as usize;
    let mut out = vec![pad; 3 * area];
    for y in 0..size.1 {
        for x in 0..size.0 {
            let yuv = planes.each_ref().map(|plane| plane[y * size.0 + x]);
            let rgb = reference::rgb(picture.range, picture.matrix, yuv);
            let at = (placement.top as usize + y) * spec.width as usize + placement.left as usize + x;
            for c in 0..3 {
                let source = if spec.order == ChannelOrder::Bgr { 2 - c } else { c };
                out[c * area + at] = rgb[source];
            }
        }
    }
    for (c, plane) in out.chunks_exact_mut(area).enumerate() {
        for value in plane {
            *value = *value * f64::from(spec.scale[c]) + f64::from(spec.offset[c]);
        }
    }
    out
}

fn check(picture: &Picture<'_>, spec: TensorSpec) {
    let mut out = vec![f32::NAN; spec.len()];
    TensorWriter::new(spec).write(picture, &mut out).expect("a whole picture");
    for (index, (found, wanted)) in out.iter().zip(expected(picture, &spec)).enumerate() {
        let error = (f64::from(*found) - wanted).abs() / f64::from(spec.scale[0]);
        assert!(
            error <= TOLERANCE,
            "{}x{} to {spec:?}: value {index} is {found}, should be {wanted}",
            picture.width,
            picture.height
        );
    }
}

const SIZES: [(u32, u32); 12] = [
    (1, 1),
    (2, 2),
    (3, 5),
    (16, 16),
    (31, 17),
    (33, 64),
    (64, 48),
    (97, 101),
    (192, 108),
    (199, 55),
    (320, 181),
    (75, 300),
];

#[test]
fn scales_as_the_reference_does() {
    for (width, height) in SIZES {
        for (target_width, target_height) in
            [(1, 1), (5, 7), (32, 30), (64, 36), (64, 64), (100, 40), (131, 77)]
        {
            for (texture, range, matrix) in [
                (0, Range::Limited, Matrix::Bt709),
                (1, Range::Full, Matrix::Bt601),
                (2, Range::Limited, Matrix::Bt601),
                (2, Range::Full, Matrix::Bt709),
            ] {
                let picture = reference::picture(width, height, range, matrix, texture);
                check(&picture.as_picture(), spec(target_width, target_height, Fit::Stretch));
            }
        }
    }
}

#[test]
fn letterboxes_wide_and_tall() {
    for (width, height) in SIZES {
        let picture = reference::picture(width, height, Range::Limited, Matrix::Bt709, 1);
        for size in [(64, 64), (41, 30), (13, 90)] {
            for fit in [Fit::LetterboxTopLeft { pad: 114 }, Fit::LetterboxCentre { pad: 0 }] {
                check(&picture.as_picture(), spec(size.0, size.1, fit));
            }
        }
    }
}

#[test]
fn real_shapes_keep_their_fast_paths_right() {
    let sizes = [(1920, 1080, 640, 640), (1920, 1080, 300, 300), (1280, 720, 416, 416), (768, 576, 300, 300)];
    for (width, height, to_width, to_height) in sizes {
        let picture = reference::picture(width, height, Range::Limited, Matrix::Bt709, 1);
        check(&picture.as_picture(), spec(to_width, to_height, Fit::LetterboxTopLeft { pad: 114 }));
    }
}

#[test]
fn gaps_between_rows_are_not_read() {
    let picture = reference::picture(45, 33, Range::Limited, Matrix::Bt601, 1);
    for extra in [1, 19, 64] {
        let data = with_stride(&picture, extra);
        let mut view = picture.as_picture();
        for (plane, data) in view.planes.iter_mut().zip(&data) {
            *plane = Plane { data, stride: plane.stride + extra };
        }
        check(&view, spec(20, 20, Fit::Stretch));
        check(&view, spec(90, 15, Fit::Stretch));
    }
}

#[test]
fn scale_offset_and_order_follow_the_tensor() {
    let picture = reference::picture(40, 30, Range::Limited, Matrix::Bt709, 0);
    for order in [ChannelOrder::Rgb, ChannelOrder::Bgr] {
        let base = spec(24, 24, Fit::LetterboxCentre { pad: 114 });
        let scale = [1.0 / 127.5; 3];
        check(&picture.as_picture(), TensorSpec { order, scale, offset: [-1.0, 0.5, 2.0], ..base });
    }
}

#[test]
fn white_and_black_reach_the_ends() {
    for (range, luma, value) in [
        (Range::Limited, 235, 255.0),
        (Range::Limited, 16, 0.0),
        (Range::Full, 255, 255.0),
        (Range::Full, 0, 0.0),
    ] {
        let mut picture = OwnedPicture::black(50, 50, range, Matrix::Bt709);
        picture.planes[0].fill(luma);
        for size in [20, 50, 70] {
            let spec = spec(size, size, Fit::Stretch);
            let mut out = vec![f32::NAN; spec.len()];
            TensorWriter::new(spec).write(&picture.as_picture(), &mut out).expect("a whole picture");
            assert!(out.iter().all(|found| (found - value).abs() < 0.1), "{range:?} {luma}: {}", out[0]);
        }
    }
}

#[test]
fn one_writer_takes_pictures_of_changing_size() {
    let spec = spec(32, 32, Fit::LetterboxCentre { pad: 7 });
    let mut writer = TensorWriter::new(spec);
    let (mut reused, mut fresh) = (vec![f32::NAN; spec.len()], vec![f32::NAN; spec.len()]);
    for (width, height) in [(64, 48), (48, 64), (300, 20), (8, 8), (64, 48)] {
        let picture = reference::picture(width, height, Range::Limited, Matrix::Bt601, 1);
        writer.write(&picture.as_picture(), &mut reused).expect("a whole picture");
        TensorWriter::new(spec).write(&picture.as_picture(), &mut fresh).expect("a whole picture");
        assert_eq!(reused, fresh);
    }
}

#[test]
fn placement_leads_back_to_the_picture() {
    let check = |fit, size: (u32, u32), rect: [f32; 4], fractions: [f32; 4]| {
        let found = spec(640, 640, fit).placement(size.0, size.1).fractions(rect);
        assert!(
            found.iter().zip(fractions).all(|(a, b)| (a - b).abs() < 1e-6),
            "{found:?}, not {fractions:?}"
        );
    };
    let top_left = Fit::LetterboxTopLeft { pad: 114 };
    let centre = Fit::LetterboxCentre { pad: 114 };
    check(top_left, (1920, 1080), [0.0, 0.0, 640.0, 360.0], [0.0, 0.0, 1.0, 1.0]);
    check(centre, (1920, 1080), [320.0, 140.0, 640.0, 500.0], [0.5, 0.0, 1.0, 1.0]);
    check(centre, (1080, 1920), [140.0, 320.0, 500.0, 640.0], [0.0, 0.5, 1.0, 1.0]);
    check(Fit::Stretch, (1920, 1080), [160.0, 160.0, 320.0, 640.0], [0.25, 0.25, 0.5, 1.0]);
    check(centre, (1920, 1080), [0.0, 0.0, 640.0, 640.0], [0.0, -140.0 / 360.0, 1.0, 500.0 / 360.0]);
}

#[test]
fn unusable_input_gets_an_error() {
    let picture = reference::picture(16, 16, Range::Limited, Matrix::Bt601, 0);
    let whole = spec(8, 8, Fit::Stretch);
    let write =
        |picture: &Picture<'_>, spec, floats| TensorWriter::new(spec).write(picture, &mut vec![0.0; floats]);
    assert_eq!(
        write(&picture.as_picture(), whole, 191),
        Err(TensorError::Length { expected: 192, found: 191 })
    );
    let empty = spec(0, 8, Fit::Stretch);
    assert_eq!(write(&picture.as_picture(), empty, 0), Err(TensorError::Empty { width: 0, height: 8 }));
    let mut short = picture.as_picture();
    short.planes[2].data = &short.planes[2].data[1..];
    assert_eq!(
        write(&short, whole, 192),
        Err(TensorError::Picture(PictureError::Short { plane: 2, found: 63, needed: 64 }))
    );
}

proptest! {
    #[test]
    fn any_size_is_written_in_full(
        width in 1_u32..400, height in 1_u32..200, extra in 0_usize..40, cut in 0_usize..3,
        to_width in 1_u32..150, to_height in 1_u32..150,
    ) {
        let picture = reference::picture(width, height, Range::Limited, Matrix::Bt709, 1);
        let data = with_stride(&picture, extra);
        let mut view = picture.as_picture();
        for (plane, data) in view.planes.iter_mut().zip(&data) {
            *plane = Plane { data: &data[..data.len() - cut], stride: plane.stride + extra };
        }
        let spec = spec(to_width, to_height, Fit::LetterboxCentre { pad: 1 });
        let mut out = vec![f32::NAN; spec.len()];
        let written = TensorWriter::new(spec).write(&view, &mut out);
        prop_assert_eq!(written.is_ok(), cut <= extra);
        if written.is_ok() {
            // A float above 255 by its last bits is white.
            prop_assert!(out.iter().all(|value| (0.0..=255.001).contains(value)));
        }
    }
}
