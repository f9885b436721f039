//! Streams of contract 3: listed, created, deleted.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use ocelli_engine::{StreamError, StreamStatus};
use ocelli_model::StreamId;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    ErrorBody, key,
    new::NewStream,
    stream::{Host, StreamObject, Word, analyzer, numbered},
};
use crate::{
    access::{Caller, Role},
    extract::JsonBody,
    failure::{Failure, Refused},
    pipeline::forget_uploads,
    state::Shared,
};

/// All streams.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AnalyzerStreams)]
pub(super) struct Streams {
    streams: Vec<StreamObject>,
}

/// Something was done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AnalyzerDone)]
pub(super) struct Done {
    message: String,
}

/// Numbers that are tried for a new stream before it is given up: one would do.
const NUMBERS: u32 = 100;

/// Lists streams
///
/// Those that the caller may see, by key; those of the other interfaces too.
#[utoipa::path(get, path = "/api/streaming/streams/", operation_id = "list_analyzer_streams", tag = "media analyzer",
    responses((status = 200, description = "All streams", body = Streams)),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("list"))))]
pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    host: Host,
) -> Result<Json<Streams>, Refused> {
    caller.require(Role::Viewer, None)?;
    let engine = &shared.state.engine;
    // One that was deleted meanwhile has no spec any more.
    let view = |status: StreamStatus| {
        let spec = engine.spec(&status.id).ok()?;
        Some(StreamObject::of(&shared, &caller, &host, &spec, status))
    };
    let seen = engine.list().into_iter().filter(|status| caller.may_see(&status.id));
    Ok(Json(Streams { streams: seen.filter_map(view).collect() }))
}

/// Creates a stream
///
/// As many as are asked for. It is recorded, looked at by the default model, and inactive until it is started.
#[utoipa::path(post, path = "/api/streaming/streams/create/", operation_id = "create_analyzer_stream", tag = "media analyzer",
    request_body(content = NewStream, example = json!({"name": "Studio", "source_type": "rtmp", "processing_mode": "live"})),
    responses(
        (status = 200, description = "The stream", body = StreamObject),
        (status = 409, description = "The key is taken", body = ErrorBody),
    ),
    extensions(("x-role" = json!("operator")), ("x-stream" = json!("body:stream_key"))))]
pub(super) async fn create(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    host: Host,
    new: Result<JsonBody<NewStream>, Failure>,
) -> Result<Json<StreamObject>, Refused> {
    let JsonBody(new) = new?;
    let id = match &new.stream_key {
        Some(key) => key.clone(),
        None => key::key(&new.name, "stream")?,
    };
    caller.require(Role::Operator, Some(&id))?;
    let status = enter(&shared, &new, id).await?;
    let spec = shared.state.engine.spec(&status.id)?;
    tracing::info!(stream = %status.id, caller = caller.name(), "stream created");
    Ok(Json(StreamObject::of(&shared, &caller, &host, &spec, status)))
}

/// Creates the stream, under a number of its own.
pub(super) async fn enter(shared: &Shared, new: &NewStream, id: StreamId) -> Result<StreamStatus, Failure> {
    let engine = &shared.state.engine;
    let _one_after_the_other = shared.desks.creating.lock().await;
    let taken = |status: StreamStatus| Some(analyzer(&engine.spec(&status.id).ok()?, &status.id).number);
    let taken: Vec<u64> = engine.list().into_iter().filter_map(taken).collect();
    let mut numbers = (0..NUMBERS).map(|attempt| key::number(&id, attempt));
    let number = numbers.find(|number| !taken.contains(number));
    let number = number.ok_or_else(|| Failure::unavailable("no number is left for another stream"))?;
    let spec = new.spec(shared, &id, number)?;
    Ok(engine.create(id, spec, false).await?)
}

/// Deletes a stream
///
/// Its analyses stay, and what was uploaded for it goes. Refused (400) while it is active.
#[utoipa::path(delete, path = "/api/streaming/streams/{id}/", operation_id = "delete_analyzer_stream", tag = "media analyzer",
    params(("id" = u64, Path, description = "Its number")),
    responses(
        (status = 200, description = "It is gone", body = Done),
        (status = 400, description = "It is active; stop it first", body = ErrorBody),
        (status = 404, description = "There is no such stream", body = ErrorBody),
        (status = 409, description = "Two streams have this number", body = ErrorBody),
    ),
    extensions(("x-role" = json!("operator")), ("x-stream" = json!("list"))))]
pub(super) async fn delete(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Path(number): Path<String>,
) -> Result<Json<Done>, Refused> {
    caller.require(Role::Operator, None)?;
    let number = number.parse().map_err(|_error| Failure::malformed("the id of a stream is a number"))?;
    let id = numbered(&shared, &caller, number)?;
    let engine = &shared.state.engine;
    let word = Word::of(&shared, &engine.status(&id)?);
    if matches!(word, Word::Active | Word::Stopping) {
        let detail = format!("stream {id} is active; stop it first");
        return Err(Failure::new(StatusCode::BAD_REQUEST, "Stream is active", detail).into());
    }
    match engine.delete(&id, false).await {
        // Somebody else did.
        Ok(()) | Err(StreamError::Unknown(_)) => {}
        Err(error) => return Err(error.into()),
    }
    forget_uploads(&shared, &id, None).await;
    shared.desks.forget(&id);
    tracing::info!(stream = %id, caller = caller.name(), "stream deleted");
    Ok(Json(Done { message: format!("Stream {id} deleted") }))
}
