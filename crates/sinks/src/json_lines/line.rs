//! The JSON of one line.

use ocelli_model::{AnalyzerVersion, TimeBase, Verdict};
use serde::Serialize;

use crate::{
    FrameRecord, Timing,
    frame_record::Analysed,
    seen::{Seen, rounded},
};

#[derive(Debug, Serialize)]
pub(super) struct Line<'a> {
    input: &'a str,
    run: u64,
    pts: i64,
    time_base: TimeBase,
    seconds: f64,
    slot: Option<i64>,
    model: &'a str,
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
struct Milliseconds {
    analyze: f64,
}

impl<'a> Line<'a> {
    pub(super) fn of(frame: &FrameRecord<'a>) -> Self {
        let mut line = Self {
            input: frame.input,
            run: frame.run,
            pts: frame.pts,
            time_base: frame.time_base,
            seconds: rounded(frame.time_base.seconds(frame.pts), 6),
            slot: frame.slot,
            model: frame.model,
            verdict: Verdict::Failed,
            reason: None,
            width: None,
            height: None,
            detections: None,
            analyzer_version: frame.analyzer_version,
            timing_ms: None,
        };
        match frame.analysed() {
            Err(reason) => line.reason = Some(reason),
            Ok(Analysed { width, height, seen, timing }) => {
                line.verdict = Verdict::Analysed;
                line.width = Some(width);
                line.height = Some(height);
                line.detections = Some(seen);
                line.timing_ms = Some(Milliseconds::of(timing));
            }
        }
        line
    }
}

impl Milliseconds {
    fn of(timing: Timing) -> Self {
        Self { analyze: rounded(timing.analyze.as_secs_f64() * 1e3, 3) }
    }
}
