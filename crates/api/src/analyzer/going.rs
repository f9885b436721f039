//! Streams of contract 3: set going and ended.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use ocelli_engine::{StreamState, StreamStatus};
use ocelli_model::StreamId;
use serde::Serialize;
use utoipa::ToSchema;

use super::{ErrorBody, desk::Desks, new::is_awaited, stream::Word};
use crate::{
    access::Caller,
    extract::Named,
    failure::{Failure, Refused},
    state::Shared,
};

/// How it stands after that.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AnalyzerChanged)]
pub(super) struct Changed {
    message: String,
    status: Word,
}

/// Sets a stream going
///
/// Nothing happens where it is going. A stream that is published to is `starting` until its publisher comes.
#[utoipa::path(post, path = "/api/streaming/streams/{stream_key}/start/", operation_id = "start_analyzer_stream", tag = "media analyzer",
    params(("stream_key" = String, Path, description = "Its key")),
    responses(
        (status = 200, description = "It goes", body = Changed),
        (status = 409, description = "Its device is taken by another stream, or its file has not come yet", body = ErrorBody),
    ),
    extensions(("x-role" = json!("operator")), ("x-stream" = json!("path:stream_key"))))]
pub(super) async fn start(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    named: Result<Named, Failure>,
) -> Result<Json<Changed>, Refused> {
    let Named(id) = named?;
    let status = set_going(&shared, &id).await?;
    tracing::info!(stream = %id, caller = caller.name(), "stream started");
    Ok(Json(Changed { message: format!("Stream {id} started"), status: Word::of(&shared, &status) }))
}

/// Ends a stream
///
/// Answers when its last results are durable. Nothing happens where it is not going.
#[utoipa::path(post, path = "/api/streaming/streams/{stream_key}/stop/", operation_id = "stop_analyzer_stream", tag = "media analyzer",
    params(("stream_key" = String, Path, description = "Its key")),
    responses((status = 200, description = "It has ended", body = Changed)),
    extensions(("x-role" = json!("operator")), ("x-stream" = json!("path:stream_key"))))]
pub(super) async fn stop(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    named: Result<Named, Failure>,
) -> Result<Json<Changed>, Refused> {
    let Named(id) = named?;
    let status = end(&shared, &id).await?;
    tracing::info!(stream = %id, caller = caller.name(), "stream stopped");
    Ok(Json(Changed { message: format!("Stream {id} stopped"), status: Word::of(&shared, &status) }))
}

/// Whether a stream was started, and neither ended nor is at fault.
pub(super) fn goes(status: &StreamStatus) -> bool {
    matches!(status.state, StreamState::Starting | StreamState::Running | StreamState::Restarting)
}

/// Sets a stream going that can.
pub(super) async fn set_going(shared: &Shared, id: &StreamId) -> Result<StreamStatus, Failure> {
    let spec = shared.state.engine.spec(id)?;
    if is_awaited(&spec) {
        let detail = format!("stream {id} has no file yet; upload one first");
        return Err(Failure::new(StatusCode::CONFLICT, "No file yet", detail));
    }
    if let Some(other) = holder(shared, id) {
        return Err(taken(&other));
    }
    Ok(shared.state.engine.start(id).await?)
}

/// The camera is another stream's.
pub(super) fn taken(other: &StreamId) -> Failure {
    let detail = format!("the device is taken by stream {other}; stop that first");
    Failure::new(StatusCode::CONFLICT, "Device is taken", detail)
}

/// The stream that goes and reads the same device, if there is one beside this.
fn holder(shared: &Shared, id: &StreamId) -> Option<StreamId> {
    let engine = &shared.state.engine;
    let device = device(engine.spec(id).ok()?.source.url.expose())?.to_owned();
    let others = engine.list().into_iter().filter(|status| status.id != *id && goes(status));
    let mut others = others.map(|status| status.id);
    others.find(|other| {
        engine.spec(other).is_ok_and(|spec| self::device(spec.source.url.expose()) == Some(&device))
    })
}

/// The device that a source reads: one process can have it open.
fn device(url: &str) -> Option<&str> {
    url.strip_prefix("device:").map(|rest| rest.split(['?', '#']).next().unwrap_or(rest))
}

/// Ends a stream; it shows as stopping meanwhile, also where whoever asked goes away.
pub(super) async fn end(shared: &Arc<Shared>, id: &StreamId) -> Result<StreamStatus, Failure> {
    let engine = Arc::clone(&shared.state.engine);
    engine.status(id)?;
    let (stopping, id) = (Desks::stopping(shared, id), id.clone());
    let ended = tokio::spawn(async move {
        let ended = engine.stop(&id).await;
        drop(stopping);
        ended
    });
    Ok(ended.await.map_err(|error| Failure::internal("a stream cannot be stopped", &error))??)
}

#[cfg(test)]
mod tests {
    use super::device;

    #[test]
    fn devices_are_told_by_their_path() {
        assert_eq!(device("device:/dev/video0"), Some("/dev/video0"));
        assert_eq!(device("device:/dev/video0?size=1280x720"), Some("/dev/video0"));
        assert_eq!(device("synthetic:"), None);
    }
}
