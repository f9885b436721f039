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

/// One object followed across frames; unique within its run and the derivation that found it. Counts from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrackId(pub u64);

impl fmt::Display for TrackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
