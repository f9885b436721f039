//! Boxes and labels on pictures, for people to look at.

mod canvas;
#[cfg(test)]
mod tests;
mod text;

use self::canvas::{Canvas, Rect};
use super::picture::OwnedPicture;

/// One box to draw.
#[derive(Clone, Copy, Debug)]
pub struct Outline<'a> {
    /// Left, top, right, bottom in fractions of the picture. May lie outside of it; a box that is not a number or has no
    /// area is not drawn.
    pub rect: [f32; 4],
    /// Chooses the colour, always the same one.
    pub label: &'a str,
    /// Drawn in one line above the box, or below its upper edge where there is no room. Characters that are not ASCII
    /// show as `?`.
    pub text: &'a str,
}

/// A colour in the picture's own YCbCr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Colour {
    y: u8,
    cb: u8,
    cr: u8,
}

/// Well apart from each other and visible on most pictures; R, G, B.
const PALETTE: [[u8; 3]; 12] = [
    [230, 25, 75],
    [60, 180, 75],
    [255, 225, 25],
    [0, 130, 200],
    [245, 130, 48],
    [145, 30, 180],
    [70, 240, 240],
    [240, 50, 230],
    [210, 245, 60],
    [250, 190, 212],
    [0, 128, 128],
    [220, 190, 255],
];

/// Draws one box with its label. Lines and letters grow with the picture.
pub fn draw(picture: &mut OwnedPicture, outline: &Outline<'_>) {
    let Some(rect) = pixels(picture, outline.rect) else { return };
    // The upper bits: they keep the labels of street scenes apart.
    let rgb = PALETTE[(fnv1a(outline.label) >> 48) as usize % PALETTE.len()];
    let colour = Colour::of(picture, rgb);
    let ink = Colour::of(picture, if is_light(rgb) { [0; 3] } else { [255; 3] });
    let mut canvas = Canvas::new(picture);
    let line = canvas.line_width();
    canvas.outline(rect, line, colour);
    if !outline.text.is_empty() {
        text::label(&mut canvas, rect, outline.text, colour, ink);
    }
}

/// To pixels; None where there is nothing to draw. Far-off corners come within two pictures, so that sums of them
/// cannot overflow.
fn pixels(picture: &OwnedPicture, rect: [f32; 4]) -> Option<Rect> {
    let [left, top, right, bottom] = rect;
    // False for what is not a number.
    if !(left < right && top < bottom) {
        return None;
    }
    let to = |part: f32, side: u32| (f64::from(part).clamp(-1.0, 2.0) * f64::from(side)).round() as i64;
    Some(Rect {
        left: to(left, picture.width),
        top: to(top, picture.height),
        right: to(right, picture.width),
        bottom: to(bottom, picture.height),
    })
}

/// Whether black can be read on it better than white.
fn is_light([red, green, blue]: [u8; 3]) -> bool {
    u32::from(red) * 299 + u32::from(green) * 587 + u32::from(blue) * 114 > 128_000
}

/// A hash that stays the same across builds and machines (FNV-1a, 64 bit).
fn fnv1a(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

impl Colour {
    fn of(picture: &OwnedPicture, rgb: [u8; 3]) -> Self {
        let [red, green, blue] = rgb.map(f64::from);
        let (of_red, of_blue) = picture.matrix.luma_weights();
        let (black, luma, chroma) = picture.range.expansion();
        let y = of_red * red + (1.0 - of_red - of_blue) * green + of_blue * blue;
        Self {
            y: (y / luma + black).round() as u8,
            cb: ((blue - y) / (2.0 * (1.0 - of_blue)) / chroma + 128.0).round() as u8,
            cr: ((red - y) / (2.0 * (1.0 - of_red)) / chroma + 128.0).round() as u8,
        }
    }
}
