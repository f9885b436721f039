//! Analyses of a stream, page by page.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    analysis::Analysis,
    sessions::{Sessions, Stretch},
    stored::{Found, Question, Spot},
};
use crate::{
    extract::{Named, Params},
    failure::{Failure, Refused},
    native::page,
    state::Shared,
};

/// Which part of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AnalysisQuery {
    /// Most analyses, 1 to 500; 100 if left out.
    limit: Option<usize>,
    /// `next_cursor` of the page before, with everything else as it was.
    #[param(value_type = Option<String>)]
    cursor: Option<Spot>,
    /// Only analyses of this viewer session.
    session_id: Option<String>,
}

/// Analyses of a stream.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Analyses)]
pub(super) struct Analyses {
    /// The newest first.
    results: Vec<Analysis>,
    /// Give it as `cursor` for what follows; null on the last page.
    next_cursor: Option<String>,
}

/// Gives the analyses of a stream
///
/// The newest first, of all its runs: one per frame and model, those without detections too. They are durable. A page may hold fewer
/// than were asked for, and still have a next.
#[utoipa::path(get, path = "/api/streams/{stream_key}/analysis/", operation_id = "list_analyses", tag = "media analyzer",
    params(("stream_key" = String, Path, description = "Its key"), AnalysisQuery),
    responses((status = 200, description = "A page of analyses", body = Analyses)),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("path:stream_key"))))]
pub(super) async fn analyses(
    State(shared): State<Arc<Shared>>,
    named: Result<Named, Failure>,
    query: Result<Params<AnalysisQuery>, Failure>,
) -> Result<Json<Analyses>, Refused> {
    let (Named(id), Params(query)) = (named?, query?);
    let limit = page(query.limit, 500)?;
    let sessions = shared.desks.sessions(&id);
    let found = match &query.session_id {
        None => {
            let question = Question { stream: &id, stretch: Stretch::ALL, start: query.cursor, limit };
            question.answer(&shared, &sessions).await?
        }
        Some(session) => of_session(&shared, &id, &sessions, session, query.cursor, limit).await?,
    };
    let next_cursor = found.next.map(|spot| spot.to_string());
    Ok(Json(Analyses { results: found.analyses, next_cursor }))
}

/// Analyses of one session, which may have been the current one several times.
pub(super) async fn of_session(
    shared: &Shared,
    stream: &ocelli_model::StreamId,
    sessions: &Sessions,
    session: &str,
    start: Option<Spot>,
    limit: usize,
) -> Result<Found, Failure> {
    shared.state.engine.status(stream)?;
    let mut found = Found { analyses: Vec::new(), next: None };
    for stretch in sessions.stretches(session) {
        let limit = limit - found.analyses.len();
        if limit == 0 {
            // Something may follow, or nothing: the next page says.
            found.next = Some(stretch.last());
            break;
        }
        let more = Question { stream, stretch, start, limit }.answer(shared, sessions).await?;
        found.analyses.extend(more.analyses);
        if more.next.is_some() {
            found.next = more.next;
            break;
        }
    }
    Ok(found)
}
