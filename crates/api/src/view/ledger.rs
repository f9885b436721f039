//! A ledger, as JSON: what was due, and what became of it, in sums that anybody can check.

use std::collections::BTreeMap;

use ocelli_model::{Tally, Verdict};
use ocelli_store::{
    Account, AnalyzerRecord, LedgerRecord, LedgerRow, RunRecord, WINDOW_SECONDS, WindowAccount,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{detection::rounded, status::Tallied};

/// The account of one analyzer over one run under one sampling plan.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ledger)]
pub(crate) struct LedgerView {
    /// Ordinal of the run within the stream.
    run: u32,
    /// Id of the model in the catalogue.
    model: String,
    /// Hash of all that can change a result.
    analyzer_version: String,
    /// Which pictures are due: frames per second, or `all`.
    fps: String,
    #[serde(flatten)]
    sums: Sums,
    /// The windows asked for, in order of media time.
    pub(crate) windows: Vec<WindowView>,
    /// Number of the window to give as `from_window` for those that follow; null where none does.
    pub(crate) next_window: Option<i64>,
}

/// Slots that were due, and what became of them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Sums {
    /// Slots (pictures, where every picture is due) that were due.
    due: u64,
    /// What became of them; its `due` is the sum of its parts.
    verdicts: Tallied,
    /// Due, and no verdict yet: in hand now, or when a process died.
    unsettled: u64,
    /// Whether `due` is the sum of `verdicts`.
    balanced: bool,
}

/// Ten seconds of media time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerWindow)]
pub(crate) struct WindowView {
    /// Its number, counted from the run's t0.
    pub(crate) window: i64,
    /// Media time at its beginning, in seconds.
    from_seconds: f64,
    /// Media time at its end, in seconds.
    to_seconds: f64,
    #[serde(flatten)]
    sums: Sums,
    /// Why slots have no result, where that is known.
    reasons: Vec<Cause>,
}

/// Why slots have no result.
#[derive(Debug, Serialize, ToSchema)]
struct Cause {
    #[schema(value_type = String, example = "failed")]
    verdict: Verdict,
    reason: String,
    count: u64,
}

impl Sums {
    fn of(due: u64, tally: Tally) -> Self {
        let settled = tally.due();
        let unsettled = due.saturating_sub(settled);
        Self { due, verdicts: tally.into(), unsettled, balanced: due == settled }
    }
}

impl LedgerView {
    pub(crate) fn of(run: &RunRecord, analyzer: &AnalyzerRecord, ledger: &LedgerRecord) -> Self {
        Self {
            run: run.run.ordinal,
            model: analyzer.analyzer.model.clone(),
            analyzer_version: analyzer.analyzer.version.to_string(),
            fps: ledger.plan.to_string(),
            sums: Sums::of(ledger.due, ledger.tally),
            windows: Vec::new(),
            next_window: None,
        }
    }
}

/// The windows that a ledger's lines speak of, in order.
pub(crate) fn windows(run: &RunRecord, rows: &[LedgerRow]) -> Vec<WindowView> {
    let t0 = run.run.time_base.seconds(run.run.t0);
    let seconds = |window: i64| rounded(t0 + (window as f64) * (WINDOW_SECONDS as f64), 6);
    let account: Account = rows.iter().collect();
    let mut reasons = reasons(rows);
    let view = |(window, account): (&i64, &WindowAccount)| WindowView {
        window: *window,
        from_seconds: seconds(*window),
        to_seconds: seconds(window.saturating_add(1)),
        sums: Sums::of(account.due, account.tally),
        reasons: reasons.remove(window).unwrap_or_default(),
    };
    account.windows.iter().map(view).collect()
}

/// By window. Reasons are few, so that looking through them costs less than a map.
fn reasons(rows: &[LedgerRow]) -> BTreeMap<i64, Vec<Cause>> {
    let mut reasons = BTreeMap::<i64, Vec<Cause>>::new();
    for row in rows.iter().filter(|row| !row.reason.is_empty()) {
        let Some(verdict) = row.verdict else { continue };
        let known = reasons.entry(row.window).or_default();
        match known.iter_mut().find(|known| known.verdict == verdict && known.reason == row.reason) {
            Some(known) => known.count += row.span.count,
            None => known.push(Cause { verdict, reason: row.reason.clone(), count: row.span.count }),
        }
    }
    reasons
}
