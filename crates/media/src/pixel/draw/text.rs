//! One line of text on a filled background.

use font8x8::legacy::BASIC_LEGACY;

use super::Colour;
use super::canvas::{Canvas, Rect};

/// Pixels per side of a letter before scaling.
const CELL: i64 = 8;

/// More characters than any picture has room for only cost time.
const MAX_CHARACTERS: usize = 200;

/// Draws `text` where it can be seen of a box: above it, else below its upper edge, and moved sideways or up into the
/// picture. Not drawn where the box lies wholly outside.
pub(super) fn label(canvas: &mut Canvas<'_>, rect: Rect, text: &str, colour: Colour, ink: Colour) {
    let (width, height) = canvas.size();
    if rect.left >= width || rect.top >= height || rect.right <= 0 || rect.bottom <= 0 {
        return;
    }
    let scale = canvas.letter_scale();
    let margin = 2 * scale;
    let characters = text.chars().take(MAX_CHARACTERS);
    let (wide, high) =
        (characters.clone().count() as i64 * CELL * scale + 2 * margin, CELL * scale + 2 * margin);
    let left = rect.left.min(width - wide).max(0);
    let top = if rect.top >= high { rect.top - high } else { rect.top.min(height - high).max(0) };
    let background = Rect { left, top, right: left + wide, bottom: top + high }.evened();
    canvas.fill(background, colour);
    for (index, character) in characters.enumerate() {
        let left = background.left + margin + index as i64 * CELL * scale;
        glyph(canvas, (left, background.top + margin), scale, character, ink.y);
    }
}

fn glyph(canvas: &mut Canvas<'_>, (left, top): (i64, i64), scale: i64, character: char, luma: u8) {
    let question = BASIC_LEGACY[usize::from(b'?')];
    let rows = BASIC_LEGACY.get(character as usize).copied().unwrap_or(question);
    for (y, row) in (0..).zip(rows) {
        // The lowest bit is the leftmost pixel.
        for x in (0..CELL).filter(|x| row >> x & 1 == 1) {
            let (left, top) = (left + x * scale, top + y * scale);
            canvas.fill_luma(Rect { left, top, right: left + scale, bottom: top + scale }, luma);
        }
    }
}
