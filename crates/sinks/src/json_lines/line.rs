//! The JSON of one line.

use ocelli_model::{AnalyzerVersion, BoundingBox, Detection, TimeBase, Verdict};
use serde::Serialize;

use super::{FrameLine, Outcome, Timing};

#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    input: &'a str,
    run: u64,
    pts: i64,
    time_base: TimeBase,
    seconds: f64,
    slot: Option<i64>,
    pub(super) verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detections: Option<Vec<Seen<'a>>>,
    analyzer_version: &'a AnalyzerVersion,
    #[serde(skip_serializing_if = "Option::is_none")]
    timing_ms: Option<Milliseconds>,
}

#[derive(Debug, Serialize)]
struct Seen<'a> {
    label: &'a str,
    confidence: f64,
    #[serde(rename = "box")]
    fractions: Rectangle,
    box_px: Rectangle,
}

#[derive(Debug, Serialize)]
struct Rectangle {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

#[derive(Debug, Serialize)]
struct Milliseconds {
    analyze: f64,
}

impl<'a> Line<'a> {
    /// `None` if a detection holds a number that JSON has no form for.
    pub(super) fn of(frame: &FrameLine<'a>) -> Option<Self> {
        let mut line = Self {
            input: frame.input,
            run: frame.run,
            pts: frame.pts,
            time_base: frame.time_base,
            seconds: rounded(frame.time_base.seconds(frame.pts), 6),
            slot: frame.slot,
            verdict: Verdict::Failed,
            reason: None,
            width: None,
            height: None,
            detections: None,
            analyzer_version: frame.analyzer_version,
            timing_ms: None,
        };
        match frame.outcome {
            Outcome::Failed { reason } => line.reason = Some(reason),
            Outcome::Analysed { width, height, detections, timing } => {
                let seen = detections.iter().map(|detection| Seen::of(detection, width, height));
                line.detections = Some(seen.collect::<Option<_>>()?);
                line.verdict = Verdict::Analysed;
                line.width = Some(width);
                line.height = Some(height);
                line.timing_ms = Some(Milliseconds::of(timing));
            }
        }
        Some(line)
    }
}

impl<'a> Seen<'a> {
    fn of(detection: &'a Detection, width: u32, height: u32) -> Option<Self> {
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
            box_px: rectangle(f64::from(width), f64::from(height), 1),
        })
    }
}

impl Milliseconds {
    fn of(timing: Timing) -> Self {
        Self { analyze: rounded(timing.analyze.as_secs_f64() * 1e3, 3) }
    }
}

/// The nearest number with so many decimals; zero has no sign, so that equal values read equal.
fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale + 0.0
}
