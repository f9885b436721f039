//! A stored result, as JSON.

use ocelli_model::{Detection, StreamId, TimeBase, Verdict};
use ocelli_store::{AnalyzerRecord, RunRecord, StoredFrame};
use serde::Serialize;
use utoipa::ToSchema;

use super::detection::{DetectionView, Timing, detections, rounded};

/// What one analyzer saw in one frame.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FrameResult)]
pub(crate) struct FrameView {
    #[schema(value_type = String)]
    stream: StreamId,
    /// Ordinal of the run within the stream.
    run: u32,
    /// Media time in ticks of `time_base`: exact, and with `run` the key of the frame.
    pts: i64,
    /// Seconds per tick as `[numerator, denominator]`.
    #[schema(value_type = [u32; 2], example = json!([1, 90_000]))]
    time_base: TimeBase,
    /// Media time in seconds, for people.
    seconds: f64,
    /// Id of the model in the catalogue.
    model: String,
    /// Hash of all that can change a result.
    analyzer_version: String,
    /// Always `analysed`: the ledger tells of the other verdicts.
    #[schema(value_type = String, example = "analysed")]
    verdict: Verdict,
    /// Width of the displayed picture in pixels.
    width: u32,
    /// Height of the displayed picture in pixels.
    height: u32,
    /// What was seen, as far as it was asked for.
    detections: Vec<DetectionView>,
    timing_ms: Timing,
}

impl FrameView {
    pub(crate) fn of(
        stream: &StreamId,
        run: &RunRecord,
        analyzer: &AnalyzerRecord,
        frame: &StoredFrame,
        keep: impl Fn(&Detection) -> bool,
    ) -> Self {
        let base = run.run.time_base;
        let result = &frame.result;
        let size = (result.width, result.height);
        Self {
            stream: stream.clone(),
            run: run.run.ordinal,
            pts: frame.pts,
            time_base: base,
            seconds: rounded(base.seconds(frame.pts), 6),
            model: analyzer.analyzer.model.clone(),
            analyzer_version: analyzer.analyzer.version.to_string(),
            verdict: Verdict::Analysed,
            width: result.width,
            height: result.height,
            detections: detections(&result.detections, &frame.tracks, size, keep),
            timing_ms: Timing::of(result.took),
        }
    }
}
