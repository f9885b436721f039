use super::*;

#[test]
fn the_marker_is_found_where_it_is_said_to_be() {
    for (width, height) in [(64, 48), (97, 55), (192, 128), (640, 360)] {
        let painter = Painter::new(width, height);
        for n in (0..400).step_by(7) {
            let expected = marker(n, width, height);
            assert!(expected.x + expected.width <= width && expected.y + expected.height <= height);
            assert_eq!(
                find_marker(&painter.frame(n), width, width, height),
                Some(expected),
                "{width}x{height} {n}"
            );
        }
    }
}

#[test]
fn every_picture_differs_from_the_one_before_all_over() {
    let painter = Painter::new(192, 128);
    for n in 0..50 {
        let (a, b) = (painter.frame(n), painter.frame(n + 1));
        let changed = a.iter().zip(&b).filter(|(a, b)| a != b).count();
        assert!(changed * 3 > a.len(), "frame {n}: {changed} of {} bytes changed", a.len());
    }
}

#[test]
fn odd_and_tiny_sizes_have_whole_planes() {
    for (width, height, bytes) in [(2, 2, 6), (1, 1, 3), (97, 55, 97 * 55 + 2 * 49 * 28)] {
        assert_eq!(Painter::new(width, height).frame(3).len(), bytes);
    }
}
