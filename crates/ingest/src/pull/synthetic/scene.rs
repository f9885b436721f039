//! What the synthetic camera sees: a wall with a grain, and perhaps somebody in white who walks by.

use std::f64::consts::TAU;

use ocelli_media::pixel::{Matrix, Outline, OwnedPicture, Range, draw};

use crate::Motion;

/// Luma of the walker, in limited range; the wall is darker everywhere.
pub(super) const WHITE: u8 = 225;
/// Of the picture's width and height.
const WALKER: (f64, f64) = (0.08, 0.22);
/// Blue shirt.
const CHROMA: [u8; 2] = [170, 110];

/// A loop of pictures whose end goes over into its start.
#[derive(Debug)]
pub(super) struct Scene {
    wall: OwnedPicture,
    motion: Motion,
    pictures: u64,
}

impl Scene {
    pub(super) fn new((width, height): (u32, u32), motion: Motion, pictures: u64) -> Self {
        let mut wall = OwnedPicture::black(width, height, Range::Limited, Matrix::Bt709);
        let rows = wall.planes[0].chunks_exact_mut(width as usize);
        for (y, row) in rows.enumerate() {
            let light = 70 + (y * 50 / height as usize) as u8;
            for (x, luma) in row.iter_mut().enumerate() {
                *luma = light + grain(x as u32, y as u32);
            }
        }
        Self { wall, motion, pictures }
    }

    /// Picture `n` of the loop; `seconds` into it.
    pub(super) fn picture(&self, n: u64, seconds: f64) -> OwnedPicture {
        let mut picture = self.wall.clone();
        if let Some((x, y)) = walker(self.motion, n as f64 / self.pictures as f64) {
            walk(&mut picture, x, y);
        }
        if self.motion == Motion::Object {
            let text = format!("#{n:03} {seconds:05.2} s");
            draw(&mut picture, &Outline { rect: [0.0, 0.0, 0.01, 0.01], label: "clock", text: &text });
        }
        picture
    }
}

/// The middle of the walker in fractions of the picture, by how much of the loop is over.
fn walker(motion: Motion, part: f64) -> Option<(f64, f64)> {
    match motion {
        Motion::Still => None,
        Motion::Object => {
            let (sin, cos) = (part * TAU).sin_cos();
            Some((0.5 + 0.35 * cos, 0.6 + 0.2 * sin))
        }
        // In from the left, out to the right, in the middle third.
        Motion::Visits => {
            let crossing = part * 3.0 - 1.0;
            (0.0..1.0).contains(&crossing).then(|| (crossing * (1.0 + WALKER.0) - WALKER.0 / 2.0, 0.6))
        }
    }
}

/// Below 12, the same everywhere and always.
fn grain(x: u32, y: u32) -> u8 {
    let mixed = (x / 4).wrapping_mul(0x9e37_79b1) ^ (y / 4).wrapping_mul(0x85eb_ca6b);
    (mixed.wrapping_mul(0xc2b2_ae35) >> 24) as u8 % 12
}

fn walk(picture: &mut OwnedPicture, x: f64, y: f64) {
    let (width, height) = (picture.width as usize, picture.height as usize);
    let span = |middle: f64, length: f64, side: usize| {
        let edge = |part: f64| (part * side as f64).round().clamp(0.0, side as f64) as usize;
        edge(middle - length / 2.0)..edge(middle + length / 2.0)
    };
    let (columns, rows) = (span(x, WALKER.0, width), span(y, WALKER.1, height));
    let [luma, chroma @ ..] = &mut picture.planes;
    for row in luma.chunks_exact_mut(width).take(rows.end).skip(rows.start) {
        row[columns.clone()].fill(WHITE);
    }
    for (plane, value) in chroma.iter_mut().zip(CHROMA) {
        let rows = plane.chunks_exact_mut(width / 2).take(rows.end / 2).skip(rows.start / 2);
        for row in rows {
            row[columns.start / 2..columns.end / 2].fill(value);
        }
    }
}
