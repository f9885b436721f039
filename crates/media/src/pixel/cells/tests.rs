use proptest::prelude::*;

use super::Cells;
use crate::pixel::{PictureError, Plane};

fn measured(data: &[u8], stride: usize, size: (usize, usize), longest: usize) -> Cells {
    let mut cells = Cells::default();
    cells.measure(&Plane { data, stride }, size, longest).unwrap();
    cells
}

#[test]
fn grids_follow_the_shape_of_the_picture() {
    for (size, grid) in [
        ((640, 360), (160, 90)),
        ((1920, 1080), (160, 90)),
        ((360, 640), (90, 160)),
        ((768, 576), (160, 120)),
        ((100, 50), (100, 50)),
        ((7, 1), (7, 1)),
        ((1, 1), (1, 1)),
        ((1000, 3), (160, 1)),
    ] {
        let cells = measured(&vec![77; size.0 * size.1], size.0, size, 160);
        assert_eq!((cells.columns(), cells.rows()), grid, "{size:?}");
        assert!(cells.levels().iter().all(|&level| (level - 77.0).abs() < 1e-4), "{size:?}");
    }
}

#[test]
fn rows_beyond_sixteen_bits_are_summed_exactly() {
    let cells = measured(&vec![255; 3000 * 2], 2, (2, 3000), 2);
    assert_eq!((cells.columns(), cells.rows(), cells.levels()), (1, 2, &[255.0; 2][..]));
}

#[test]
fn planes_that_are_too_small_are_refused() {
    let check = |bytes: usize, stride, size, error| {
        let data = vec![0; bytes];
        let found = Cells::default().measure(&Plane { data: &data, stride }, size, 160);
        assert_eq!(found, Err(error));
    };
    check(10, 10, (0, 1), PictureError::Empty { width: 0, height: 1 });
    check(10, 4, (5, 2), PictureError::Stride { plane: 0, stride: 4, row: 5 });
    check(9, 5, (5, 2), PictureError::Short { plane: 0, found: 9, needed: 10 });
    let needed = usize::MAX;
    check(9, usize::MAX / 2, (5, 4), PictureError::Short { plane: 0, found: 9, needed });
}

proptest! {
    #[test]
    fn every_pixel_counts_in_one_cell(
        (width, height, pad) in (1_usize..70, 1_usize..50, 0_usize..5), longest in 1_usize..40, seed in any::<u32>(),
    ) {
        let mut state = seed | 1;
        let data: Vec<u8> = (0..(width + pad) * height).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        }).collect();
        let cells = measured(&data, width + pad, (width, height), longest);
        for row in 0..cells.rows() {
            for column in 0..cells.columns() {
                let inside = |cell: usize, of: usize, pixels: usize| {
                    (0..pixels).filter(move |pixel| ((pixel + 1) * of - 1) / pixels == cell)
                };
                let pixels: Vec<f64> = inside(row, cells.rows(), height)
                    .flat_map(|y| inside(column, cells.columns(), width).map(move |x| (x, y)))
                    .map(|(x, y)| f64::from(data[y * (width + pad) + x]))
                    .collect();
                let mean = pixels.iter().sum::<f64>() / pixels.len() as f64;
                let level = cells.levels()[row * cells.columns() + column];
                prop_assert!((f64::from(level) - mean).abs() < 1e-3, "{row} {column}: {level} for {mean}");
            }
        }
    }
}
