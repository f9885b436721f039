//! YOLOX outputs: a grid of cells at each stride, per cell box offsets, objectness and class scores.

use super::{Filter, nms::Candidate};

/// Pixels per cell, in the order of the output's rows.
const STRIDES: [usize; 3] = [8, 16, LARGEST_STRIDE];
/// What width and height of the tensor are multiples of.
pub(crate) const LARGEST_STRIDE: usize = 32;
/// Values before the class scores: centre offset, logarithm of the size, objectness.
const BOX_VALUES: usize = 5;

/// Rows that a tensor of this size yields.
pub(crate) fn rows(width: usize, height: usize) -> usize {
    STRIDES.iter().map(|stride| (width / stride) * (height / stride)).sum()
}

/// Values in a row.
pub(crate) fn columns(classes: usize) -> usize {
    BOX_VALUES + classes
}

/// Adds the candidates of one picture from a tensor of `width` by `height` pixels, multiples of the largest stride.
pub(crate) fn decode(
    output: &[f32],
    (width, height): (usize, usize),
    filter: &Filter,
    found: &mut Vec<Candidate>,
) {
    let cells = STRIDES.iter().flat_map(|stride| {
        let (columns, rows) = (width / stride, height / stride);
        (0..rows).flat_map(move |y| (0..columns).map(move |x| (x as f32, y as f32, *stride as f32)))
    });
    let rows = output.chunks_exact(columns(filter.wanted.len()));
    for (anchor, (row, (x, y, stride))) in rows.zip(cells).enumerate() {
        let objectness = row[4];
        // Class scores are at most 1, so a product cannot pass where its first factor does not.
        if objectness.is_nan() || objectness < filter.confidence {
            continue;
        }
        let (centre_x, centre_y) = ((row[0] + x) * stride, (row[1] + y) * stride);
        let (half_width, half_height) = (row[2].exp() * stride / 2.0, row[3].exp() * stride / 2.0);
        let corners =
            [centre_x - half_width, centre_y - half_height, centre_x + half_width, centre_y + half_height];
        for (class, score) in row[BOX_VALUES..].iter().map(|score| objectness * score).enumerate() {
            if score >= filter.confidence && filter.wanted[class] {
                found.extend(Candidate::new(class, score, corners, anchor));
            }
        }
    }
}
