//! A run, as JSON.

use ocelli_model::TimeBase;
use ocelli_store::{RunRecord, RunState};
use serde::Serialize;
use utoipa::ToSchema;

use super::detection::rounded;

/// One unbroken connection of a stream; media time begins anew with each.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Run)]
pub(crate) struct RunView {
    /// Ordinal within the stream, from 0.
    run: u32,
    /// Key in the store.
    run_id: i64,
    state: RunWord,
    /// Seconds per tick as `[numerator, denominator]`.
    #[schema(value_type = [u32; 2], example = json!([1, 90_000]))]
    time_base: TimeBase,
    /// Media time that slots and windows count from, in ticks.
    t0_pts: i64,
    /// Largest media time read, in ticks; null while the run goes on.
    last_pts: Option<i64>,
    /// From `t0_pts` to `last_pts` in seconds; null while the run goes on.
    duration_seconds: Option<f64>,
    /// When it began: milliseconds since 1970, UTC.
    began_ms: i64,
}

/// How a run stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = RunState)]
enum RunWord {
    /// It goes on.
    Open,
    /// Read to its end.
    Whole,
    /// Ended early on purpose, or because the source ended early.
    Partial,
    /// The process died: it ends at its last committed slot.
    Unclean,
}

impl From<&RunRecord> for RunView {
    fn from(record: &RunRecord) -> Self {
        let run = &record.run;
        let lasted = |last: i64| rounded(run.time_base.seconds(last.saturating_sub(run.t0)), 6);
        Self {
            run: run.ordinal,
            run_id: record.id.0,
            state: match record.state {
                RunState::Open => RunWord::Open,
                RunState::Whole => RunWord::Whole,
                RunState::Partial => RunWord::Partial,
                RunState::Unclean => RunWord::Unclean,
            },
            time_base: run.time_base,
            t0_pts: run.t0,
            last_pts: record.last_pts,
            duration_seconds: record.last_pts.map(lasted),
            began_ms: run.began_ms,
        }
    }
}
