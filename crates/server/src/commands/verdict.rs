//! From the engine's report to the ending of one input.

use ocelli_engine::Report;
use ocelli_model::TimeBase;

use crate::{ending::Ending, input::Input};

/// Whole, or why not. Seconds count from `zero`. `so_far` says what of a part can be used.
pub(crate) fn ending(input: &Input, zero: i64, report: &Report, base: TimeBase, so_far: &str) -> Ending {
    let (what_broke, input) =
        (if input.is_stream() { "the stream is not whole" } else { "the file is damaged" }, input.name());
    if report.runs == 0 && !report.stopped {
        let cause = report.damage.as_ref().map_or(String::new(), |damage| format!(" ({damage})"));
        return Ending::Unusable(vec![format!("{input}: no picture in it can be decoded{cause}")]);
    }
    if let (0, false, Some((first, last))) = (report.tally.due(), report.stopped, report.covered) {
        let (first, last) =
            (base.seconds(first.saturating_sub(zero)), base.seconds(last.saturating_sub(zero)));
        return Ending::Unusable(vec![format!(
            "{input}: no frame lies between --start and --end; what was read covers {first:.3} to {last:.3} s"
        )]);
    }
    for (reason, count) in &report.unreadable {
        tracing::debug!(%input, count, "unreadable units: {reason}");
    }
    let damage = report.damage.as_ref().map(|damage| format!("{what_broke} ({damage})"));
    let cut_short = damage.is_some() || report.stopped;
    let stopped = report.stopped.then(|| "stopped before the end".to_owned());
    let valid = cut_short.then(|| so_far.to_owned());
    let parts: Vec<String> = [damage, failures(report), stopped, valid].into_iter().flatten().collect();
    if parts.is_empty() {
        return Ending::Whole;
    }
    Ending::Partial(vec![format!("{input}: {}", parts.join("; "))])
}

/// How many pictures failed, and the most frequent reason: a damaged file has a hundred, and each result its own.
fn failures(report: &Report) -> Option<String> {
    let (reason, most) = report.reasons.iter().rev().max_by_key(|(_, count)| **count)?;
    let (failed, due) = (report.tally.failed, report.tally.due());
    let mostly = if *most == failed { ":".to_owned() } else { format!(", {most} of them:") };
    Some(format!("{failed} of {due} frames failed{mostly} {reason}"))
}
