//! Whether the process is alive and ready, and what it counts.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use ocelli_store::{RunFilter, RunId};
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    failure::Failure,
    metrics::{self, CONTENT_TYPE},
    state::Shared,
};

/// How long the store may take to answer; whoever asks gives up soon after.
const STORE_PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Serialize, ToSchema)]
struct Alive {
    /// `alive`
    status: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
struct Readiness {
    ready: bool,
    /// Why not, and what to do.
    reasons: Vec<String>,
}

pub(crate) fn routes() -> OpenApiRouter<Arc<Shared>> {
    OpenApiRouter::default().routes(routes!(healthz)).routes(routes!(readyz)).routes(routes!(scrape))
}

/// Tells that the process answers
#[utoipa::path(get, path = "/healthz", operation_id = "read_liveness", tag = "operation",
    responses((status = 200, description = "It does", body = Alive)),
    extensions(("x-role" = json!("public")), ("x-stream" = json!("none"))))]
async fn healthz() -> Json<Alive> {
    Json(Alive { status: "alive" })
}

/// Tells whether streams can be served
#[utoipa::path(get, path = "/readyz", operation_id = "read_readiness", tag = "operation",
    responses(
        (status = 200, description = "They can", body = Readiness),
        (status = 503, description = "They cannot, and why", body = Readiness),
    ),
    extensions(("x-role" = json!("public")), ("x-stream" = json!("none"))))]
async fn readyz(State(shared): State<Arc<Shared>>) -> Response {
    let mut reasons = shared.state.operation.obstacles();
    // No run has this key: the question costs next to nothing and is answered by the store all the same.
    let nothing = RunFilter { run: Some(RunId(0)), ..RunFilter::default() };
    match timeout(STORE_PATIENCE, shared.state.results.runs(&nothing)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            tracing::warn!(%error, "the store does not answer");
            reasons.push("the store fails; the server's log says why".to_owned());
        }
        Err(_elapsed) => reasons.push("the store does not answer in time; look at its disk".to_owned()),
    }
    let ready = reasons.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, reasons })).into_response()
}

/// Gives metrics
///
/// In the text format of `OpenMetrics` 1.0, which Prometheus reads.
#[utoipa::path(get, path = "/metrics", operation_id = "read_metrics", tag = "operation",
    responses((status = 200, description = "All that is counted", body = String, content_type = "application/openmetrics-text")),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("all"))))]
async fn scrape(State(shared): State<Arc<Shared>>) -> Result<Response, Failure> {
    let text = metrics::text(shared.state.operation.metrics());
    let text = text.map_err(|error| Failure::internal("metrics cannot be written", &error))?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response())
}
