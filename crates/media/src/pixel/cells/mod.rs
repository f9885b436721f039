//! A luma plane as a small grid of mean levels, for whoever looks at a whole picture and at no detail of it.

use super::{PictureError, Plane};

/// Rows whose sum fits 16 bits whatever their samples: 257 * 255 = 65535.
const NARROW_ROWS: usize = 257;

/// Mean luma of equal parts of a picture. Cell edges lie on whole pixels, so that cells of one grid may differ by a pixel in width and height;
/// each is the mean of its own pixels.
#[derive(Clone, Debug, Default)]
pub struct Cells {
    columns: usize,
    rows: usize,
    levels: Vec<f32>,
    /// Sums of columns of pixels, over the rows of one row of cells.
    sums: Vec<u16>,
}

impl Cells {
    /// Cells across.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Cells down.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Mean levels, 0 to 255, row by row.
    pub fn levels(&self) -> &[f32] {
        &self.levels
    }

    /// Measures a plane of `width` x `height` samples with about square cells, `longest` of them along its longer side; a side has at most as many
    /// cells as pixels, and at least one. What was measured before is forgotten, its memory used again.
    pub fn measure(
        &mut self,
        luma: &Plane<'_>,
        (width, height): (usize, usize),
        longest: usize,
    ) -> Result<(), PictureError> {
        luma.check(0, (width, height))?;
        (self.columns, self.rows) = grid((width, height), longest);
        self.levels.clear();
        self.sums.resize(width, 0);
        for row in 0..self.rows {
            let (top, bottom) = span(row, self.rows, height);
            let begin = self.levels.len();
            self.levels.resize(begin + self.columns, 0.0);
            for from in (top..bottom).step_by(NARROW_ROWS) {
                self.sum_rows(luma, from..bottom.min(from + NARROW_ROWS));
                add_columns(&self.sums, &mut self.levels[begin..]);
            }
            let columns = self.columns;
            for (column, level) in self.levels[begin..].iter_mut().enumerate() {
                let (left, right) = span(column, columns, width);
                *level /= ((right - left) * (bottom - top)) as f32;
            }
        }
        Ok(())
    }

    fn sum_rows(&mut self, luma: &Plane<'_>, rows: std::ops::Range<usize>) {
        self.sums.fill(0);
        let width = self.sums.len();
        for y in rows {
            for (sum, &sample) in self.sums.iter_mut().zip(luma.row(y, width)) {
                *sum += u16::from(sample);
            }
        }
    }
}

/// Columns and rows for a picture of this size.
fn grid((width, height): (usize, usize), longest: usize) -> (usize, usize) {
    let long = width.max(height);
    let cells = |side: usize| ((side * longest + long / 2) / long).clamp(1, side);
    (cells(width), cells(height))
}

/// The pixels of one cell of `cells` along a side of `pixels`.
fn span(cell: usize, cells: usize, pixels: usize) -> (usize, usize) {
    (cell * pixels / cells, (cell + 1) * pixels / cells)
}

/// Adds up the sums of each cell. Whole sums below 2^24 are exact in `f32`; a cell that is larger is hundreds of pixels wide.
fn add_columns(sums: &[u16], levels: &mut [f32]) {
    match (sums.len() / levels.len(), sums.len() % levels.len()) {
        (2, 0) => add_chunks::<2>(sums, levels),
        (4, 0) => add_chunks::<4>(sums, levels),
        (8, 0) => add_chunks::<8>(sums, levels),
        (12, 0) => add_chunks::<12>(sums, levels),
        _ => {
            let columns = levels.len();
            for (column, level) in levels.iter_mut().enumerate() {
                let (left, right) = span(column, columns, sums.len());
                *level += sums[left..right].iter().map(|&sum| u32::from(sum)).sum::<u32>() as f32;
            }
        }
    }
}

/// The same for cells of one width that is known when this is compiled: usual cameras, three times as fast.
fn add_chunks<const WIDTH: usize>(sums: &[u16], levels: &mut [f32]) {
    for (cell, level) in sums.as_chunks::<WIDTH>().0.iter().zip(levels) {
        *level += cell.iter().map(|&sum| u32::from(sum)).sum::<u32>() as f32;
    }
}

#[cfg(test)]
mod tests;
