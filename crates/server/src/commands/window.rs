//! `--start` and `--end` as a window of media time.

use anyhow::bail;
use ocelli_media::sampler::Window;
use ocelli_model::TimeBase;

use crate::cli::Span;

/// Refuses what no media time can be.
pub(crate) fn check(span: Span) -> anyhow::Result<()> {
    for (name, value) in [("--start", span.start), ("--end", span.end)] {
        if value.is_some_and(|seconds| !seconds.is_finite()) {
            bail!("{name} must be a number of seconds");
        }
    }
    if let (Some(start), Some(end)) = (span.start, span.end)
        && end <= start
    {
        bail!("--end {end} is not after --start {start}");
    }
    Ok(())
}

/// The window in ticks of a stream whose seconds count from `zero`.
pub(crate) fn window(span: Span, base: TimeBase, zero: i64) -> Window {
    let ticks = |seconds: Option<f64>, missing| {
        seconds.map_or(missing, |seconds| base.ticks_from_seconds(seconds).saturating_add(zero))
    };
    Window { start: ticks(span.start, i64::MIN), end: ticks(span.end, i64::MAX) }
}
