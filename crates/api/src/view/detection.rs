//! What was seen, as JSON.

use std::time::Duration;

pub(crate) use ocelli_model::rounded;
use ocelli_model::{Detection, TrackId, Written};
use serde::Serialize;
use utoipa::ToSchema;

/// One object in one frame.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Detection)]
pub(crate) struct DetectionView {
    /// Its class.
    label: String,
    /// 0 to 1.
    confidence: f64,
    /// Where, in fractions of the displayed picture.
    #[serde(rename = "box")]
    fractions: Rectangle,
    /// Where, in pixels of the displayed picture.
    #[serde(rename = "box_px")]
    pixels: Rectangle,
    /// Names the object across frames of its run, from 1; missing where it has no confirmed track.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>)]
    track: Option<TrackId>,
}

/// A box, from the top left corner.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rectangle {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

impl From<ocelli_model::Rectangle> for Rectangle {
    fn from(written: ocelli_model::Rectangle) -> Self {
        let ocelli_model::Rectangle { x, y, width, height } = written;
        Self { x, y, width, height }
    }
}

/// Where time went.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Timing {
    /// From planes to detections, in milliseconds.
    analyze: f64,
}

impl Timing {
    pub(crate) fn of(took: Duration) -> Self {
        Self { analyze: rounded(took.as_secs_f64() * 1e3, 3) }
    }
}

/// Those that `keep` wants, each with its track. Numbers are finite: the engine fails a frame with others.
pub(crate) fn detections(
    seen: &[Detection],
    tracks: &[Option<TrackId>],
    (width, height): (u32, u32),
    keep: impl Fn(&Detection) -> bool,
) -> Vec<DetectionView> {
    let tracks = tracks.iter().copied().chain(std::iter::repeat(None));
    let kept = seen.iter().zip(tracks).filter(|(detection, _track)| keep(detection));
    kept.map(|(detection, track)| DetectionView::of(detection, track, width, height)).collect()
}

impl DetectionView {
    fn of(detection: &Detection, track: Option<TrackId>, width: u32, height: u32) -> Self {
        let Written { confidence, fractions, pixels } = detection.written(width, height);
        Self {
            label: detection.label.to_string(),
            confidence,
            fractions: fractions.into(),
            pixels: pixels.into(),
            track,
        }
    }
}
