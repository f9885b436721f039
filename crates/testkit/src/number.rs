//! The frame number in the picture: 32 cells of black and white, placed in fractions of the picture, so that lossy coding,
//! scaling and JPEG leave it readable.
//!
//! The grid is 8 columns by 4 rows over x in `[1/8, 7/8)`, y in `[1/8, 5/8)`. Row-major bits, most significant first:
//! `10` (which way is up), 20 bits of number, 8 bits of checksum, `10`.

/// Numbers are below this.
pub const LIMIT: u32 = 1 << 20;

pub(crate) const COLUMNS: usize = 8;
pub(crate) const ROWS: usize = 4;
/// Limited-range luma of a 0 and of a 1.
pub(crate) const DARK: u8 = 32;
pub(crate) const LIGHT: u8 = 220;
/// Mean luma this close to the middle is damage, not a bit.
const DOUBT: i64 = 30;

/// The cells of `number`, row-major.
pub(crate) fn cells(number: u32) -> u32 {
    assert!(number < LIMIT, "frame number {number} does not fit 20 bits");
    0b10 << 30 | number << 10 | checksum(number) << 2 | 0b10
}

/// CRC-8 (polynomial 0x07) of the 20 bits, started at 0x5A so that an all-dark picture is no number.
fn checksum(number: u32) -> u32 {
    (0..20).rev().fold(0x5A, |crc, bit| {
        let top = (crc >> 7 & 1) ^ (number >> bit & 1);
        (crc << 1 & 0xFF) ^ if top == 1 { 0x07 } else { 0 }
    })
}

fn parse(cells: u32) -> Option<u32> {
    let number = cells >> 10 & (LIMIT - 1);
    (self::cells(number) == cells).then_some(number)
}

/// The frame number of an upright picture, from its luma (any 8-bit grey will do: a JPEG's, or an RGB picture's
/// green). `None` when a cell is unclear or the checksum is wrong.
pub fn read_number(luma: &[u8], stride: usize, width: usize, height: usize) -> Option<u32> {
    read(luma, stride, width, height, 0)
}

/// Like [`read_number`] for a picture turned clockwise by 0, 90, 180 or 270 degrees; also says by how much.
pub fn read_number_rotated(luma: &[u8], stride: usize, width: usize, height: usize) -> Option<(u32, u32)> {
    (0..4).find_map(|quarter| Some((read(luma, stride, width, height, quarter)?, quarter * 90)))
}

fn read(luma: &[u8], stride: usize, width: usize, height: usize, quarter: u32) -> Option<u32> {
    let mut cells = 0;
    for index in 0..COLUMNS * ROWS {
        // The inner half of the cell, in fractions of the upright picture.
        let (column, row) = ((index % COLUMNS) as f64, (index / COLUMNS) as f64);
        let left = (1.0 + (column + 0.25) * 6.0 / COLUMNS as f64) / 8.0;
        let top = (1.0 + (row + 0.25) * 4.0 / ROWS as f64) / 8.0;
        let (right, bottom) = (left + 3.0 / 64.0, top + 1.0 / 16.0);
        let (x0, x1, y0, y1) = match quarter {
            0 => (left, right, top, bottom),
            1 => (1.0 - bottom, 1.0 - top, left, right),
            2 => (1.0 - right, 1.0 - left, 1.0 - bottom, 1.0 - top),
            _ => (top, bottom, 1.0 - right, 1.0 - left),
        };
        let mean = mean(luma, stride, pixels(x0, x1, width), pixels(y0, y1, height))?;
        let from_middle = mean - i64::from(DARK).midpoint(i64::from(LIGHT));
        if from_middle.abs() < DOUBT {
            return None;
        }
        cells = cells << 1 | u32::from(from_middle > 0);
    }
    parse(cells)
}

/// At least one pixel wide.
fn pixels(from: f64, to: f64, size: usize) -> std::ops::Range<usize> {
    let first = (from * size as f64).round() as usize;
    first..((to * size as f64).round() as usize).max(first + 1)
}

fn mean(luma: &[u8], stride: usize, x: std::ops::Range<usize>, y: std::ops::Range<usize>) -> Option<i64> {
    let mut sum = 0;
    let count = (x.len() * y.len()) as i64;
    for row in y {
        let line = luma.get(row * stride + x.start..row * stride + x.end)?;
        sum += line.iter().map(|&value| i64::from(value)).sum::<i64>();
    }
    Some(sum / count)
}

#[cfg(test)]
mod tests;
