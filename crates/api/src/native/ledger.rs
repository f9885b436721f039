//! Ledgers of a stream: proof that nothing was lost silently.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{results::analyses, streams::page, window::run_of};
use crate::{
    extract::{Named, Params},
    failure::Failure,
    state::Shared,
    view::{LedgerView, RunView, windows},
};

/// Which ledgers, and how much of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LedgerQuery {
    /// Ordinal of the run within the stream; the newest if left out.
    run: Option<u32>,
    /// Only those of this model.
    model: Option<String>,
    /// Only those of this analyzer version.
    analyzer_version: Option<String>,
    /// From this window of ten seconds, counted from the run's t0; the first if left out.
    from_window: Option<i64>,
    /// Most windows of each ledger, 1 to 1000; 100 if left out.
    limit: Option<usize>,
}

/// The ledgers of a run.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Ledgers {
    /// The run; null where the stream has had none.
    run: Option<RunView>,
    /// One per analyzer and sampling plan.
    ledgers: Vec<LedgerView>,
}

/// Tells what became of every frame that was due
///
/// Per analyzer and sampling plan: sums over the run, and windows of ten seconds of media time. Due is always the sum of
/// analysed, gated, dropped, failed, empty and lost, but for what is in hand at this moment (`unsettled`).
#[utoipa::path(get, path = "/api/v1/streams/{id}/ledger", operation_id = "read_ledger", tag = "results",
    params(("id" = String, Path, description = "Name of the stream"), LedgerQuery),
    responses((status = 200, description = "Ledgers of one run", body = Ledgers)),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("path:id"))))]
pub(super) async fn ledger(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
    Params(query): Params<LedgerQuery>,
) -> Result<Json<Ledgers>, Failure> {
    let limit = page(query.limit, 1000)?;
    let Some(run) = run_of(&shared, &id, query.run).await? else {
        return Ok(Json(Ledgers { run: None, ledgers: Vec::new() }));
    };
    let asked = analyses(&shared, &run, query.model.as_deref(), query.analyzer_version.as_deref()).await?;
    let mut ledgers = Vec::with_capacity(asked.len());
    for (analyzer, ledger) in &asked {
        let _permit = shared.long_reads.acquire().await.expect("nothing closes it");
        let mut windows = windows(&run, &shared.state.results.ledger_rows(ledger.id).await?);
        windows.retain(|window| query.from_window.is_none_or(|first| window.window >= first));
        let mut view = LedgerView::of(&run, analyzer, ledger);
        view.next_window = windows.get(limit).map(|next| next.window);
        windows.truncate(limit);
        view.windows = windows;
        ledgers.push(view);
    }
    Ok(Json(Ledgers { run: Some(RunView::from(&run)), ledgers }))
}
