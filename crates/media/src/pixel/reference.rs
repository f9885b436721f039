//! Slow and plainly right: pixel work in f64, straight from the definitions, to compare the fast code with.

use super::{Matrix, OwnedPicture, Picture, Range};

/// Weight of every source sample in one output sample, which covers `start..end` in source coordinates. Beyond the ends
/// the outer samples go on. Shrinking: share of the covered length. Enlarging: distance of the centres.
fn weights(source: usize, start: f64, end: f64) -> Vec<f64> {
    let last = source - 1;
    let mut weights = vec![0.0; source];
    if end - start > 1.0 {
        for (i, weight) in weights.iter_mut().enumerate() {
            let left = if i == 0 { f64::NEG_INFINITY } else { i as f64 };
            let right = if i == last { f64::INFINITY } else { i as f64 + 1.0 };
            *weight = (right.min(end) - left.max(start)).max(0.0) / (end - start);
        }
    } else {
        let centre = f64::midpoint(start, end) - 0.5;
        for (i, weight) in weights.iter_mut().enumerate() {
            *weight = (1.0 - (centre.clamp(0.0, last as f64) - i as f64).abs()).max(0.0);
        }
    }
    weights
}

/// One plane scaled to `target`; the picture covers `extent` samples from `shift` on (x, y).
pub(crate) fn scaled(picture: &Picture<'_>, plane: usize, (width, height): (usize, usize)) -> Vec<f64> {
    let (columns, rows) = picture.plane_size(plane);
    let (part, shift) = if plane == 0 { (1.0, 0.0) } else { (0.5, 0.25) };
    let step_x = f64::from(picture.width) * part / width as f64;
    let step_y = f64::from(picture.height) * part / height as f64;
    let across: Vec<_> = (0..width)
        .map(|x| weights(columns, x as f64 * step_x + shift, (x + 1) as f64 * step_x + shift))
        .collect();
    let mut out = Vec::new();
    for y in 0..height {
        let down = weights(rows, y as f64 * step_y, (y + 1) as f64 * step_y);
        let mut line = vec![0.0; columns];
        for (row, weight) in down.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
            for (sum, &sample) in line.iter_mut().zip(picture.planes[plane].row(row, columns)) {
                *sum += weight * f64::from(sample);
            }
        }
        out.extend(across.iter().map(|weights| weights.iter().zip(&line).map(|(w, s)| w * s).sum::<f64>()));
    }
    out
}

/// R, G, B of 0 to 255, clamped (BT.601-7 section 2.5, BT.709-6 section 3).
pub(crate) fn rgb(range: Range, matrix: Matrix, [y, cb, cr]: [f64; 3]) -> [f64; 3] {
    let (y, cb, cr) = match range {
        Range::Limited => ((y - 16.0) / 219.0, (cb - 128.0) / 224.0, (cr - 128.0) / 224.0),
        Range::Full => (y / 255.0, (cb - 128.0) / 255.0, (cr - 128.0) / 255.0),
    };
    let (red_weight, blue_weight) = match matrix {
        Matrix::Bt601 => (0.299, 0.114),
        Matrix::Bt709 => (0.2126, 0.0722),
    };
    let red = y + 2.0 * (1.0 - red_weight) * cr;
    let blue = y + 2.0 * (1.0 - blue_weight) * cb;
    let green = (y - red_weight * red - blue_weight * blue) / (1.0 - red_weight - blue_weight);
    [red, green, blue].map(|part| (part * 255.0).clamp(0.0, 255.0))
}

/// A picture for tests: `texture` from 0 (smooth) over noise to 2 (black and white lines, the worst case of rounding).
pub(crate) fn picture(width: u32, height: u32, range: Range, matrix: Matrix, texture: u8) -> OwnedPicture {
    let mut picture = OwnedPicture::black(width, height, range, matrix);
    let mut state = 0x1234_5678_u32;
    for (plane, samples) in picture.planes.iter_mut().enumerate() {
        let row = if plane == 0 { width } else { width.div_ceil(2) } as usize;
        for (index, sample) in samples.iter_mut().enumerate() {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            let (x, y) = (index % row, index / row);
            *sample = match texture {
                0 => (40 + 37 * plane + (x * 3 + y * 2) % 120) as u8,
                1 => (state >> 24) as u8,
                _ => ((x + y + plane) % 2 * 255) as u8,
            };
        }
    }
    picture
}
