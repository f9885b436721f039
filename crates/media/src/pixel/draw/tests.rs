use proptest::prelude::*;

use super::*;
use crate::pixel::{Matrix, Range};

fn grey(width: u32, height: u32) -> OwnedPicture {
    let mut picture = OwnedPicture::black(width, height, Range::Limited, Matrix::Bt709);
    picture.planes[0].fill(100);
    picture
}

fn drawn(width: u32, height: u32, rect: [f32; 4], text: &str) -> OwnedPicture {
    let mut picture = grey(width, height);
    draw(&mut picture, &Outline { rect, label: "person", text });
    picture
}

/// Whether luma or chroma of a pixel changed.
fn touched(picture: &OwnedPicture, x: usize, y: usize) -> bool {
    let (width, chroma) = (picture.width as usize, picture.width.div_ceil(2) as usize);
    let at = y / 2 * chroma + x / 2;
    picture.planes[0][y * width + x] != 100 || picture.planes[1][at] != 128 || picture.planes[2][at] != 128
}

#[test]
fn a_box_is_its_frame_and_nothing_else() {
    let picture = drawn(200, 100, [0.25, 0.4, 0.75, 0.8], "");
    for y in 0..100 {
        for x in 0..200 {
            let inside = (50..150).contains(&x) && (40..80).contains(&y);
            let inner = (52..148).contains(&x) && (42..78).contains(&y);
            assert_eq!(touched(&picture, x, y), inside && !inner, "{x},{y}");
        }
    }
}

#[test]
fn a_box_that_reaches_out_is_cut() {
    let picture = drawn(200, 100, [-0.5, 0.5, 0.5, 3.0], "");
    assert!(touched(&picture, 0, 50) && touched(&picture, 99, 99) && touched(&picture, 50, 51));
    assert!(!touched(&picture, 0, 99), "the left edge lies outside");
    assert!(!touched(&picture, 50, 99), "the bottom edge lies outside");
}

#[test]
fn boxes_that_cannot_be_seen_change_nothing() {
    let (nan, infinity) = (f32::NAN, f32::INFINITY);
    for rect in [
        [1.1, 0.2, 1.5, 0.5],
        [0.2, -0.5, 0.6, -0.1],
        [0.5, 0.2, 0.5, 0.4],
        [0.7, 0.2, 0.5, 0.4],
        [nan, 0.0, 1.0, 1.0],
        [0.0, 0.0, 1.0, nan],
        [infinity, 0.0, infinity, 1.0],
        [f32::MAX, f32::MAX, infinity, infinity],
    ] {
        assert_eq!(drawn(64, 48, rect, "text"), grey(64, 48), "{rect:?}");
    }
}

#[test]
fn text_is_readable_on_the_colour_of_its_label() {
    let rect = [0.1, 0.5, 0.9, 0.9];
    let (with, without) = (drawn(320, 240, rect, "I"), drawn(320, 240, rect, ""));
    let colour = with.planes[0][120 * 320 + 100];
    let ink: Vec<(usize, usize)> = (0..120)
        .flat_map(|y| (0..320).map(move |x| (x, y)))
        .filter(|(x, y)| ![100, colour].contains(&with.planes[0][y * 320 + x]))
        .collect();
    let bits: u32 = font8x8::legacy::BASIC_LEGACY[usize::from(b'I')].iter().map(|row| row.count_ones()).sum();
    assert_eq!(ink.len(), bits as usize, "one pixel per bit at this size");
    assert!(ink.iter().all(|(x, y)| with.planes[0][y * 320 + x].abs_diff(colour) > 60));
    assert!((0..120 * 320).all(|index| without.planes[0][index] == 100));
    assert_eq!(drawn(320, 240, rect, "ä"), drawn(320, 240, rect, "?"));
}

#[test]
fn labels_stay_in_the_picture() {
    let corner = drawn(320, 240, [0.97, 0.0, 1.2, 0.3], "person 0.91");
    assert!(touched(&corner, 230, 4), "moved left, below the upper edge");
    let tiny = drawn(3, 3, [0.0, 0.0, 1.0, 1.0], "person");
    assert!((0..9).all(|at| touched(&tiny, at % 3, at / 3)));
}

#[test]
fn colours_follow_labels() {
    assert_eq!(fnv1a(""), 0xcbf2_9ce4_8422_2325);
    assert_eq!(fnv1a("a"), 0xaf63_dc4c_8601_ec8c);
    let drawn = |label| {
        let mut picture = grey(64, 64);
        draw(&mut picture, &Outline { rect: [0.0, 0.0, 1.0, 1.0], label, text: "" });
        picture
    };
    assert_eq!(drawn("person"), drawn("person"));
    let labels = ["person", "bicycle", "car", "motorcycle", "bus", "truck", "dog"];
    for (index, label) in labels.iter().enumerate() {
        assert!(labels[..index].iter().all(|other| drawn(other) != drawn(label)), "{label}");
    }
    let picture = grey(2, 2);
    assert_eq!(Colour::of(&picture, [255; 3]), Colour { y: 235, cb: 128, cr: 128 });
    assert_eq!(Colour::of(&picture, [255, 0, 0]), Colour { y: 63, cb: 102, cr: 240 });
}

proptest! {
    #[test]
    fn nothing_panics(
        width in 1_u32..90, height in 1_u32..90, rect in proptest::array::uniform4(proptest::num::f32::ANY),
        near in proptest::array::uniform4(-0.5_f32..1.5), text in ".{0,40}",
    ) {
        let mut picture = grey(width, height);
        for rect in [rect, near] {
            draw(&mut picture, &Outline { rect, label: &text, text: &text });
        }
        prop_assert!(picture.as_picture().check().is_ok());
    }
}
