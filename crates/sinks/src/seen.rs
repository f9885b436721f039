//! A detection in the numbers that are written. All formats round alike, so that what one says can be found in another.

use ocelli_model::{BoundingBox, Detection, TrackId, Written};
pub(crate) use ocelli_model::{Rectangle, rounded};
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
        let Written { confidence, fractions, pixels } = detection.written(width, height);
        Some(Self { label: &detection.label, confidence, fractions, pixels, track })
    }
}
