//! What was seen in one frame.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// A box in fractions of the displayed picture, origin top left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoundingBox {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

/// One box, label and confidence in one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// Name of the class, shared with the model's label list.
    pub label: Arc<str>,
    /// 0 to 1.
    pub confidence: f32,
    /// Where, in fractions of the displayed picture.
    pub bbox: BoundingBox,
}

impl BoundingBox {
    /// Intersection over union, 0 where either box has no area.
    pub fn iou(&self, other: &Self) -> f32 {
        let width = (self.x + self.width).min(other.x + other.width) - self.x.max(other.x);
        let height = (self.y + self.height).min(other.y + other.height) - self.y.max(other.y);
        if width <= 0.0 || height <= 0.0 {
            return 0.0;
        }
        let shared = width * height;
        shared / (self.width * self.height + other.width * other.height - shared)
    }
}

impl Detection {
    /// In the numbers that are written, of a picture of that size in pixels: what one output says can be found in another.
    pub fn written(&self, width: u32, height: u32) -> Written {
        let BoundingBox { x, y, width: w, height: h } = self.bbox;
        let rectangle = |across: f64, down: f64, decimals| Rectangle {
            x: rounded(f64::from(x) * across, decimals),
            y: rounded(f64::from(y) * down, decimals),
            width: rounded(f64::from(w) * across, decimals),
            height: rounded(f64::from(h) * down, decimals),
        };
        Written {
            confidence: rounded(f64::from(self.confidence), 4),
            fractions: rectangle(1.0, 1.0, 6),
            pixels: rectangle(f64::from(width), f64::from(height), 1),
        }
    }
}

/// The numbers of a detection, rounded as every output rounds them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Written {
    /// 0 to 1.
    pub confidence: f64,
    /// Where, in fractions of the displayed picture.
    pub fractions: Rectangle,
    /// Where, in pixels of the displayed picture.
    pub pixels: Rectangle,
}

/// A box, from the top left corner.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rectangle {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// The nearest number with so many decimals; zero has no sign, so that equal values read equal.
pub fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale + 0.0
}

/// One object followed across frames; unique within its run and the derivation that found it. Counts from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrackId(pub u64);

impl fmt::Display for TrackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
