//! From the engine's report to the ending of one input.

use std::path::Path;

use ocelli_engine::Report;
use ocelli_model::TimeBase;

use crate::ending::Ending;

/// Whole, or why not. `what` names the results, such as "frames".
pub(crate) fn ending(input: &Path, report: &Report, base: TimeBase, what: &str) -> Ending {
    let input = input.display();
    let mut lines = Vec::new();
    if report.runs == 0 && !report.stopped {
        let cause = report.damage.as_ref().map_or(String::new(), |damage| format!(" ({damage})"));
        return Ending::Unusable(vec![format!("{input}: no picture in it can be decoded{cause}")]);
    }
    if let (0, false, Some((first, last))) = (report.tally.due(), report.stopped, report.covered) {
        let (first, last) = (base.seconds(first), base.seconds(last));
        return Ending::Unusable(vec![format!(
            "{input}: no frame lies between --start and --end; what was read covers {first:.3} to {last:.3} s"
        )]);
    }
    if let Some(damage) = &report.damage {
        lines.push(format!("{input}: the file is damaged ({damage}); {what} up to there are valid"));
    }
    for (reason, count) in &report.reasons {
        lines.push(format!("{input}: {count} of {} frames failed: {reason}", report.tally.due()));
    }
    for (reason, count) in &report.unreadable {
        tracing::debug!(%input, count, "unreadable units: {reason}");
    }
    if report.stopped {
        lines.push(format!("{input}: stopped before the end; {what} so far are valid"));
    }
    if lines.is_empty() { Ending::Whole } else { Ending::Partial(lines) }
}
