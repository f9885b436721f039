//! An analysis, as JSON.

use std::time::Duration;

use ocelli_model::{AnalyzerVersion, Detection, StreamId, TimeBase, TrackId, Written};
use ocelli_store::FrameResult;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::moments::Moments;
use crate::{
    media::Wall,
    view::{Rectangle, rounded},
};

/// What one model saw in one frame.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Analysis {
    /// A UUID made of stream, run, PTS and analyzer version: the same analysis has the same one everywhere.
    #[schema(example = "0d5ff4b1-9a9c-8f6a-b7d0-6a1c5e2f9b3d")]
    id: String,
    /// The stream key.
    #[schema(value_type = String)]
    stream_id: StreamId,
    /// The viewer session that was the stream's current one when the analysis was made; null where there was none, and for
    /// analyses from before the server's last start.
    session_id: Option<String>,
    /// When the frame was captured, else when its run began (ISO 8601).
    timestamp: String,
    /// From planes to detections, in seconds; measured.
    processing_time: f64,
    /// `object_detection`
    #[serde(rename = "analysis_type")]
    kind: &'static str,
    /// Media time in seconds, for people; `pts` is exact.
    frame_timestamp: f64,
    /// `local`: in this process.
    provider: &'static str,
    detections: Vec<AnalysisDetection>,
    /// Visual properties; null where they were not looked for.
    visual: Option<Visual>,
    /// Ordinal of the run within the stream: with `pts` the key of the frame.
    run: u32,
    /// Media time in ticks of `time_base`: exact.
    pts: i64,
    /// Seconds per tick as `[numerator, denominator]`.
    #[schema(value_type = [u32; 2], example = json!([1, 90_000]))]
    time_base: TimeBase,
    /// When the frame was captured (ISO 8601), by the sender's clock, else by its arrival; null where neither is known.
    captured_at: Option<String>,
    /// Id of the model in the catalogue.
    model: String,
    /// Hash of all that can change a result.
    #[schema(value_type = String)]
    model_version: AnalyzerVersion,
    /// Width of the displayed picture in pixels.
    frame_width: u32,
    /// Height of the displayed picture in pixels.
    frame_height: u32,
}

/// One object in one frame.
#[derive(Debug, Serialize, ToSchema)]
struct AnalysisDetection {
    /// Its class.
    label: String,
    /// 0 to 1.
    confidence: f64,
    /// Where, in fractions of the displayed picture, from its top left corner.
    bbox: Rectangle,
    /// `object`
    detection_type: &'static str,
    /// Names the object across frames of its run; null where it has no confirmed track.
    #[schema(value_type = Option<u64>)]
    track_id: Option<TrackId>,
}

/// Visual properties of a frame, each 0 to 1. No analyzer of ours measures them yet; the field is part of the contract.
#[derive(Debug, Serialize, ToSchema)]
struct Visual {
    /// Three colours as red, green and blue.
    dominant_colors: [[u8; 3]; 3],
    brightness_level: f64,
    contrast_level: f64,
    saturation_level: f64,
}

/// A result with all that makes an analysis of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    pub(super) stream: &'a StreamId,
    pub(super) session: Option<&'a str>,
    pub(super) run: u32,
    pub(super) pts: i64,
    pub(super) time_base: TimeBase,
    pub(super) moments: Option<&'a Moments>,
    pub(super) model: &'a str,
    pub(super) version: &'a AnalyzerVersion,
    pub(super) result: &'a FrameResult,
    pub(super) tracks: &'a [Option<TrackId>],
}

impl Analysis {
    /// Ordinal of its run, and PTS.
    pub(super) fn place(&self) -> (u32, i64) {
        (self.run, self.pts)
    }

    pub(super) fn of(seen: Seen<'_>) -> Self {
        let Seen { stream, session, run, pts, time_base, moments, model, version, result, tracks } = seen;
        let captured = moments.and_then(|moments| moments.captured_ms(pts));
        let began = moments.map_or(0, Moments::began_ms);
        let tracks = tracks.iter().copied().chain(std::iter::repeat(None));
        let detection =
            |(detection, track)| AnalysisDetection::of(detection, track, (result.width, result.height));
        Self {
            id: id(stream, run, pts, version),
            stream_id: stream.clone(),
            session_id: session.map(str::to_owned),
            timestamp: Wall(captured.unwrap_or(began)).to_string(),
            processing_time: seconds(result.took),
            kind: "object_detection",
            frame_timestamp: rounded(time_base.seconds(pts), 6),
            provider: "local",
            detections: result.detections.iter().zip(tracks).map(detection).collect(),
            visual: None,
            run,
            pts,
            time_base,
            captured_at: captured.map(|ms| Wall(ms).to_string()),
            model: model.to_owned(),
            model_version: version.clone(),
            frame_width: result.width,
            frame_height: result.height,
        }
    }
}

impl AnalysisDetection {
    fn of(detection: &Detection, track_id: Option<TrackId>, (width, height): (u32, u32)) -> Self {
        let Written { confidence, fractions, .. } = detection.written(width, height);
        let label = detection.label.to_string();
        Self { label, confidence, bbox: fractions.into(), detection_type: "object", track_id }
    }
}

fn seconds(took: Duration) -> f64 {
    rounded(took.as_secs_f64(), 6)
}

/// A UUID of version 8 (RFC 9562 section 5.8): the first bits of a SHA-256.
fn id(stream: &StreamId, run: u32, pts: i64, version: &AnalyzerVersion) -> String {
    // No stream key holds a blank, nor do numbers.
    let named = format!("ocelli analysis {stream} {run} {pts} {version}");
    let hash = Sha256::digest(named);
    let bytes = hash.first_chunk::<16>().expect("32 bytes");
    let mut bits = u128::from_be_bytes(*bytes);
    bits = bits & !(0xf << 76) | 8 << 76;
    bits = bits & !(0b11 << 62) | 0b10 << 62;
    let word = format!("{bits:032x}");
    [&word[..8], &word[8..12], &word[12..16], &word[16..20], &word[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_of_what_was_seen() {
        let version = |model: &str| ocelli_model::VersionBuilder::default().with("model", model).build();
        let stream: StreamId = "cam1".parse().unwrap();
        let one = id(&stream, 2, -135_000, &version("a"));
        let parts: Vec<_> = one.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{one}");
        assert!(one[14..].starts_with('8') && "89ab".contains(&one[19..20]), "{one}");
        assert_eq!(one, id(&stream, 2, -135_000, &version("a")));
        let other: StreamId = "cam2".parse().unwrap();
        let others = [
            id(&other, 2, -135_000, &version("a")),
            id(&stream, 3, -135_000, &version("a")),
            id(&stream, 2, 135_000, &version("a")),
            id(&stream, 2, -135_000, &version("b")),
        ];
        assert!(!others.contains(&one), "{others:?}");
    }
}
