//! Filled rectangles on 4:2:0 planes, clipped to the picture.

use super::Colour;
use crate::pixel::OwnedPicture;

/// Pixels; right and bottom are outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) left: i64,
    pub(super) top: i64,
    pub(super) right: i64,
    pub(super) bottom: i64,
}

/// A picture to draw on.
#[derive(Debug)]
pub(super) struct Canvas<'a> {
    picture: &'a mut OwnedPicture,
}

impl<'a> Canvas<'a> {
    pub(super) fn new(picture: &'a mut OwnedPicture) -> Self {
        Self { picture }
    }

    pub(super) fn size(&self) -> (i64, i64) {
        (i64::from(self.picture.width), i64::from(self.picture.height))
    }

    /// Pixels; even, so that lines have whole chroma samples. 2 below 810 lines, 4 at 1080, 8 at 2160.
    pub(super) fn line_width(&self) -> i64 {
        2 * (i64::from(self.picture.width.min(self.picture.height)) + 270).div_euclid(540).max(1)
    }

    /// Pixels per dot of an 8x8 letter: 1 below 620 lines, 2 at 720, 3 at 1080, 6 at 2160.
    pub(super) fn letter_scale(&self) -> i64 {
        (i64::from(self.picture.width.min(self.picture.height)) + 100).div_euclid(360).max(1)
    }

    /// The frame of a rectangle: drawn inside it, from its edges rounded to even pixels.
    pub(super) fn outline(&mut self, rect: Rect, line: i64, colour: Colour) {
        let Rect { left, top, right, bottom } = rect.evened();
        let (inner_top, inner_bottom) = ((top + line).min(bottom), (bottom - line).max(top));
        let (inner_left, inner_right) = ((left + line).min(right), (right - line).max(left));
        self.fill(Rect { left, top, right, bottom: inner_top }, colour);
        self.fill(Rect { left, top: inner_bottom, right, bottom }, colour);
        self.fill(Rect { left, top, right: inner_left, bottom }, colour);
        self.fill(Rect { left: inner_right, top, right, bottom }, colour);
    }

    /// Every pixel, and every chroma sample that any of them shares.
    pub(super) fn fill(&mut self, rect: Rect, colour: Colour) {
        let width = self.picture.width as usize;
        let Some((columns, rows)) = rect.clipped(self.size()) else { return };
        let [luma, cb, cr] = &mut self.picture.planes;
        fill_plane(luma, width, (columns.clone(), rows.clone()), colour.y);
        let chroma = (columns.start / 2..columns.end.div_ceil(2), rows.start / 2..rows.end.div_ceil(2));
        fill_plane(cb, width.div_ceil(2), chroma.clone(), colour.cb);
        fill_plane(cr, width.div_ceil(2), chroma, colour.cr);
    }

    /// Brightness only: for letters, whose strokes are thinner than chroma samples.
    pub(super) fn fill_luma(&mut self, rect: Rect, luma: u8) {
        let width = self.picture.width as usize;
        if let Some(area) = rect.clipped(self.size()) {
            fill_plane(&mut self.picture.planes[0], width, area, luma);
        }
    }
}

type Area = (std::ops::Range<usize>, std::ops::Range<usize>);

fn fill_plane(plane: &mut [u8], stride: usize, (columns, rows): Area, value: u8) {
    for row in plane.chunks_exact_mut(stride).take(rows.end).skip(rows.start) {
        row[columns.clone()].fill(value);
    }
}

impl Rect {
    /// Edges on chroma samples; never empty.
    pub(super) fn evened(self) -> Self {
        let even = |edge: i64| edge - edge.rem_euclid(2);
        let (left, top) = (even(self.left), even(self.top));
        Self {
            left,
            top,
            right: even(self.right + 1).max(left + 2),
            bottom: even(self.bottom + 1).max(top + 2),
        }
    }

    /// Columns and rows within the picture; None where there are none.
    fn clipped(self, (width, height): (i64, i64)) -> Option<Area> {
        let across = self.left.clamp(0, width)..self.right.clamp(0, width);
        let down = self.top.clamp(0, height)..self.bottom.clamp(0, height);
        let area = (across.start as usize..across.end as usize, down.start as usize..down.end as usize);
        (!across.is_empty() && !down.is_empty()).then_some(area)
    }
}
