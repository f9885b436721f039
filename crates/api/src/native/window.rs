//! Which run of a stream, and which stretch of its media time, a question is about.

use ocelli_model::{StreamId, TimeBase};
use ocelli_store::{RunFilter, RunRecord, SourceKind};

use crate::{failure::Failure, state::Shared};

/// A stretch of media time. Each end as a number of ticks, or in seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ends {
    pub(super) from_pts: Option<i64>,
    pub(super) to_pts: Option<i64>,
    pub(super) from_seconds: Option<f64>,
    pub(super) to_seconds: Option<f64>,
}

impl Ends {
    /// From a PTS to before another.
    pub(super) fn ticks(self, base: TimeBase) -> Result<(i64, i64), Failure> {
        let one = |name: &str, pts: Option<i64>, seconds: Option<f64>| match (pts, seconds) {
            (Some(_), Some(_)) => {
                Err(Failure::invalid(format!("give {name}_pts or {name}_seconds, not both")))
            }
            (None, Some(seconds)) if !seconds.is_finite() => {
                Err(Failure::invalid(format!("{name}_seconds: give a number of seconds")))
            }
            (None, Some(seconds)) => Ok(Some(base.ticks_from_seconds(seconds))),
            (pts, None) => Ok(pts),
        };
        let from = one("from", self.from_pts, self.from_seconds)?.unwrap_or(i64::MIN);
        let to = one("to", self.to_pts, self.to_seconds)?.unwrap_or(i64::MAX);
        if from > to {
            return Err(Failure::invalid("the stretch of time ends before it begins"));
        }
        Ok((from, to))
    }
}

/// Runs of a stream, the oldest first. Those of a deleted stream are found too.
pub(crate) async fn runs_of(shared: &Shared, id: &StreamId) -> Result<Vec<RunRecord>, Failure> {
    let filter = RunFilter { source_key: Some(id.to_string()), ..RunFilter::default() };
    let mut runs = shared.state.results.runs(&filter).await?;
    // A file's key could be the name of a stream.
    runs.retain(|run| run.source.source.kind == SourceKind::Stream);
    if runs.is_empty() {
        shared.state.engine.status(id)?;
    }
    Ok(runs)
}

/// The run with this ordinal, or the newest; `None` where a stream has had none.
pub(super) async fn run_of(
    shared: &Shared,
    id: &StreamId,
    ordinal: Option<u32>,
) -> Result<Option<RunRecord>, Failure> {
    let runs = runs_of(shared, id).await?;
    let Some(ordinal) = ordinal else {
        return Ok(runs.into_iter().max_by_key(|run| run.run.ordinal));
    };
    let named = runs.into_iter().find(|run| run.run.ordinal == ordinal);
    let missing = || Failure::missing("Run not found", format!("stream {id} has no run {ordinal}"));
    named.ok_or_else(missing).map(Some)
}
