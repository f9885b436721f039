use super::*;
use crate::paint::Painter;

fn turned(luma: &[u8], width: usize, height: usize) -> Vec<u8> {
    // Clockwise: the new row y is the old column y, read from the bottom.
    (0..width).flat_map(|y| (0..height).map(move |x| luma[(height - 1 - x) * width + y])).collect()
}

#[test]
fn numbers_are_read_back_at_any_size_and_turn() {
    for (width, height) in [(32, 24), (64, 48), (97, 55), (192, 128), (128, 192), (640, 360)] {
        let painter = Painter::new(width, height);
        for number in [0, 1, 2, 511, 512, 0xA_AAAA, LIMIT - 1] {
            let mut luma = painter.frame(number)[..width * height].to_vec();
            assert_eq!(read_number(&luma, width, width, height), Some(number), "{width}x{height}");
            let (mut w, mut h) = (width, height);
            for degrees in [0, 90, 180, 270] {
                assert_eq!(read_number_rotated(&luma, w, w, h), Some((number, degrees)), "{width}x{height}");
                luma = turned(&luma, w, h);
                (w, h) = (h, w);
            }
        }
    }
}

#[test]
fn what_is_no_number_is_refused() {
    for value in [0, 16, 126, 235, 255] {
        assert_eq!(read_number_rotated(&vec![value; 192 * 128], 192, 192, 128), None, "{value}");
    }
    let painter = Painter::new(192, 128);
    let luma = painter.frame(77);
    // One cell turned over, one cell grey, a mix of two frames, too few bytes.
    let with_cell = |value| {
        let mut luma = luma.clone();
        for y in 32..48 {
            luma[y * 192 + 60..y * 192 + 78].fill(value);
        }
        read_number(&luma, 192, 192, 128)
    };
    assert_eq!([with_cell(DARK), with_cell(LIGHT)].iter().flatten().count(), 1);
    assert_eq!(with_cell(126), None);
    let mixed: Vec<u8> = luma.iter().zip(painter.frame(78)).map(|(a, b)| a.midpoint(b)).collect();
    assert_eq!(read_number(&mixed, 192, 192, 128), None);
    assert_eq!(read_number(&luma[..192 * 40], 192, 192, 128), None);
}
