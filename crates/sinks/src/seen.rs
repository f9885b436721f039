//! A detection in the numbers that are written. All formats round alike, so that what one says can be found in another.

use ocelli_model::{BoundingBox, Detection, TrackId};
use serde::Serialize;

/// Serialized as it stands in a JSON line.
#[derive(Debug, Serialize)]
pub(crate) struct Seen<'a> {
    pub(crate) label: &'a str,
    pub(crate) confidence: f64,
    #[serde(rename = "box")]
    pub(crate) fractions: Rectangle,
    #[serde(rename = "box_px")]
    pub(crate) pixels: Rectangle,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) track: Option<TrackId>,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Rectangle {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl<'a> Seen<'a> {
    /// `None` if a number is not finite.
    pub(crate) fn of(
        detection: &'a Detection,
        track: Option<TrackId>,
        width: u32,
        height: u32,
    ) -> Option<Self> {
        let BoundingBox { x, y, width: w, height: h } = detection.bbox;
        if ![detection.confidence, x, y, w, h].into_iter().all(f32::is_finite) {
            return None;
        }
        let rectangle = |across: f64, down: f64, decimals| Rectangle {
            x: rounded(f64::from(x) * across, decimals),
            y: rounded(f64::from(y) * down, decimals),
            width: rounded(f64::from(w) * across, decimals),
            height: rounded(f64::from(h) * down, decimals),
        };
        Some(Self {
            label: &detection.label,
            confidence: rounded(f64::from(detection.confidence), 4),
            fractions: rectangle(1.0, 1.0, 6),
            pixels: rectangle(f64::from(width), f64::from(height), 1),
            track,
        })
    }
}

/// The nearest number with so many decimals; zero has no sign, so that equal values read equal.
pub(crate) fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale + 0.0
}
