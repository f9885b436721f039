//! Raw pictures that are worth coding: a moving texture, a moving marker and the frame number, in limited-range 4:2:0.

use crate::{number, random::Random};

/// Pixels, origin top left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rect {
    /// Left edge.
    pub x: usize,
    /// Top edge.
    pub y: usize,
    /// Width.
    pub width: usize,
    /// Height.
    pub height: usize,
}

/// Luma of the marker; nothing else below the number is brighter than [`BACKGROUND_MAX`].
const MARKER: u8 = 235;
const BACKGROUND_MAX: u8 = 150;
const TILE: usize = 256;

/// Where the white marker of frame `n` is: it sweeps the lower three eighths from side to side, with a vertical wobble. Empty
/// below 16 pixels of width or height.
pub fn marker(n: u32, width: usize, height: usize) -> Rect {
    if width < 16 || height < 16 {
        return Rect { x: 0, y: 0, width: 0, height: 0 };
    }
    let (marker_width, marker_height) = (width / 8, height / 5);
    let top = (height * 5).div_ceil(8) + 1;
    Rect {
        x: sweep(n as usize * (width / 48).max(1), width - marker_width),
        y: top + sweep(n as usize * (height / 96).max(1), height - marker_height - top),
        width: marker_width,
        height: marker_height,
    }
}

/// To and fro in `0..=range`.
fn sweep(position: usize, range: usize) -> usize {
    let range = range.max(1);
    let turn = position % (2 * range);
    if turn <= range { turn } else { 2 * range - turn }
}

/// Bounding box of the bright pixels below the number.
pub fn find_marker(luma: &[u8], stride: usize, width: usize, height: usize) -> Option<Rect> {
    let bright = |x: usize, y: usize| luma[y * stride + x] > u8::midpoint(MARKER, BACKGROUND_MAX);
    let top = (height * 5).div_ceil(8) + 1;
    let (mut x0, mut y0, mut x1, mut y1) = (usize::MAX, usize::MAX, 0, 0);
    for y in top..height {
        for x in (0..width).filter(|&x| bright(x, y)) {
            (x0, y0, x1, y1) = (x0.min(x), y0.min(y), x1.max(x + 1), y1.max(y + 1));
        }
    }
    (x1 > 0).then(|| Rect { x: x0, y: y0, width: x1 - x0, height: y1 - y0 })
}

/// Draws frames of one size.
#[derive(Debug)]
pub struct Painter {
    width: usize,
    height: usize,
    tile: Vec<u8>,
}

impl Painter {
    /// For frames of `width` x `height`, odd sizes included (chroma planes round up).
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, tile: texture() }
    }

    /// Frame `n` as packed planes Y, U, V of yuv420p.
    pub fn frame(&self, n: u32) -> Vec<u8> {
        let chroma = self.width.div_ceil(2) * self.height.div_ceil(2);
        let mut planes = Vec::with_capacity(self.width * self.height + 2 * chroma);
        self.background(&mut planes, n);
        if self.width >= 32 && self.height >= 24 {
            self.number(&mut planes, n);
        }
        let marker = marker(n, self.width, self.height);
        for y in marker.y..marker.y + marker.height {
            let start = y * self.width + marker.x;
            planes[start..start + marker.width].fill(MARKER);
        }
        self.chroma(&mut planes, n);
        planes
    }

    /// Two layers panned against each other, at three quarters and half a pixel a frame: block matching pays, so do
    /// bi-prediction and sub-pixel motion, and no picture repeats.
    fn background(&self, planes: &mut Vec<u8>, n: u32) {
        let n = n as usize;
        let at = |x: usize, y: usize| u16::from(self.tile[y % TILE * TILE + x % TILE]);
        for y in 0..self.height {
            for x in 0..self.width {
                let (near, far) = (x + n * 2 + y / 16, x + TILE * 8 - n % (TILE * 8));
                let sub =
                    (at(near, y + n / 2) * (4 - n as u16 % 4) + at(near + 1, y + n / 2) * (n as u16 % 4)) / 4;
                planes.push(sub.midpoint(at(far, y + n)) as u8);
            }
        }
    }

    fn number(&self, planes: &mut [u8], n: u32) {
        let cells = number::cells(n);
        let (left, right) = (self.width / 8, self.width * 7 / 8);
        for y in self.height / 8..self.height * 5 / 8 {
            let row = (y * 8).saturating_sub(self.height) * number::ROWS / (4 * self.height);
            for x in left..right {
                let column = ((x * 8).saturating_sub(self.width) * number::COLUMNS / (6 * self.width)).min(7);
                let bit = cells >> (31 - (row.min(3) * number::COLUMNS + column)) & 1;
                planes[y * self.width + x] = if bit == 1 { number::LIGHT } else { number::DARK };
            }
        }
    }

    /// Slow colour, so that a swap of U and V or a wrong matrix shows.
    fn chroma(&self, planes: &mut Vec<u8>, n: u32) {
        let (width, height) = (self.width.div_ceil(2), self.height.div_ceil(2));
        let n = n as usize;
        for y in 0..height {
            planes.extend((0..width).map(|x| 90 + sweep(x + n + y / 2, 70) as u8));
        }
        for y in 0..height {
            planes.extend((0..width).map(|x| 90 + sweep(2 * y + n + x / 4, 50) as u8));
        }
    }
}

/// Smoothed noise between 60 and [`BACKGROUND_MAX`], seamless at the edges.
fn texture() -> Vec<u8> {
    let mut random = Random(7);
    let span = u64::from(BACKGROUND_MAX) - 60;
    let rough: Vec<u16> = (0..TILE * TILE).map(|_| 60 + (random.next() % (span + 1)) as u16).collect();
    (0..TILE * TILE)
        .map(|i| {
            let (x, y) = (i % TILE, i / TILE);
            let around = (0..9).map(|k| rough[(y + k / 3) % TILE * TILE + (x + k % 3) % TILE]);
            // Stretched about the mean: averaging nine values has taken the contrast away.
            let mean = around.sum::<u16>() / 9;
            (105 + (i32::from(mean) - 105) * 2).clamp(60, i32::from(BACKGROUND_MAX)) as u8
        })
        .collect()
}

#[cfg(test)]
mod tests;
