//! Runs of a stream.

use std::{cmp::Reverse, sync::Arc};

use axum::{Json, extract::State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{streams::page, window::runs_of};
use crate::{
    extract::{Named, Params},
    failure::Failure,
    state::Shared,
    view::{Listed, RunView},
};

/// Which part of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RunsQuery {
    /// Most runs, 1 to 1000; 100 if left out.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<u32>,
}

/// Lists the runs of a stream
///
/// The newest first. Runs of a deleted stream stay.
#[utoipa::path(get, path = "/api/v1/streams/{id}/runs", operation_id = "list_runs", tag = "results",
    params(("id" = String, Path, description = "Name of the stream"), RunsQuery),
    responses((status = 200, description = "A page of runs", body = Listed<RunView>)),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("path:id"))))]
pub(super) async fn runs(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
    Params(query): Params<RunsQuery>,
) -> Result<Json<Listed<RunView>>, Failure> {
    let limit = page(query.limit, 1000)?;
    let mut runs = runs_of(&shared, &id).await?;
    runs.retain(|run| query.cursor.is_none_or(|last| run.run.ordinal < last));
    runs.sort_by_key(|run| Reverse(run.run.ordinal));
    let more = runs.len() > limit;
    runs.truncate(limit);
    let next_cursor = runs.last().filter(|_| more).map(|run| run.run.ordinal.to_string());
    Ok(Json(Listed { items: runs.iter().map(RunView::from).collect(), next_cursor }))
}
