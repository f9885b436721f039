//! Streams: created, looked at, changed, set going, ended, deleted.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use ocelli_engine::{ModelSpec, StreamSpec, StreamStatus};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    access::{Caller, Role},
    extract::{JsonBody, Named, Params},
    failure::Failure,
    pipeline::forget_uploads,
    state::Shared,
    view::{Listed, ModelView, NewStream, StatusView, StreamConfig, StreamView},
};

/// Which part of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Most streams, 1 to 1000; 100 if left out.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What is deleted beside the stream.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeleteQuery {
    /// Whether its frame folder goes too; it stays if left out.
    #[serde(default)]
    frames: bool,
}

/// Lists streams
///
/// Those that the caller may see, by name, each with what it is to do and how it stands.
#[utoipa::path(get, path = "/api/v1/streams", operation_id = "list_streams", tag = "streams", params(ListQuery),
    responses((status = 200, description = "A page of streams", body = Listed<StreamView>)),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("list"))))]
pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    Params(query): Params<ListQuery>,
) -> Result<Json<Listed<StreamView>>, Failure> {
    let limit = page(query.limit, 1000)?;
    caller.require(Role::Viewer, None)?;
    let engine = &shared.state.engine;
    let after = |status: &StreamStatus| query.cursor.as_deref().is_none_or(|last| status.id.as_str() > last);
    let mut seen = engine.list().into_iter().filter(|status| after(status) && caller.may_see(&status.id));
    let page: Vec<_> = seen.by_ref().take(limit).collect();
    let more = seen.next().is_some();
    let next_cursor = page.last().filter(|_| more).map(|status| status.id.to_string());
    // One that was deleted meanwhile has no spec any more.
    let view = |status: StreamStatus| Some(StreamView::of(&engine.spec(&status.id).ok()?, status));
    Ok(Json(Listed { items: page.into_iter().filter_map(view).collect(), next_cursor }))
}

/// Creates a stream
#[utoipa::path(post, path = "/api/v1/streams", operation_id = "create_stream", tag = "streams", request_body = NewStream,
    responses(
        (status = 201, description = "It is there, and going if so asked", body = StreamView,
            headers(("Location" = String, description = "Its path"))),
        (status = 409, description = "The name is taken"),
    ),
    extensions(("x-role" = json!("operator")), ("x-stream" = json!("body:id"))))]
pub(super) async fn create(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    JsonBody(new): JsonBody<NewStream>,
) -> Result<Response, Failure> {
    caller.require(Role::Operator, Some(&new.id))?;
    let id = new.id.clone();
    let (start, config) = new.read().map_err(Failure::invalid)?;
    let spec = checked(&shared, config, None)?;
    let status = shared.state.engine.create(id, spec.clone(), start).await?;
    tracing::info!(stream = %status.id, caller = caller.name(), "stream created");
    let place = HeaderValue::try_from(format!("/api/v1/streams/{}", status.id));
    let place = place.expect("ids of streams hold only letters that headers may");
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], Json(StreamView::of(&spec, status)))
        .into_response())
}

/// Shows a stream
#[utoipa::path(get, path = "/api/v1/streams/{id}", operation_id = "read_stream", tag = "streams", params(("id" = String, Path, description = "Its name")),
    responses((status = 200, description = "What it is to do, and how it stands", body = StreamView)),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("path:id"))))]
pub(super) async fn read(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
) -> Result<Json<StreamView>, Failure> {
    let engine = &shared.state.engine;
    Ok(Json(StreamView::of(&engine.spec(&id)?, engine.status(&id)?)))
}

/// Gives a stream something else to do
///
/// One that is going begins a new attempt; numbering of frames goes on.
#[utoipa::path(put, path = "/api/v1/streams/{id}", operation_id = "change_stream", tag = "streams", params(("id" = String, Path, description = "Its name")),
    request_body(content = StreamConfig, example = json!({"source": {"url": "synthetic:?fps=10"}, "fps": "5", "frames": {}})),
    responses((status = 200, description = "As it is now", body = StreamView)),
    extensions(("x-role" = json!("operator")), ("x-stream" = json!("path:id"))))]
pub(super) async fn change(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
    caller: Caller,
    JsonBody(config): JsonBody<StreamConfig>,
) -> Result<Json<StreamView>, Failure> {
    let present = shared.state.engine.spec(&id)?;
    let spec = checked(&shared, config, Some(&present))?;
    let status = shared.state.engine.change(&id, spec.clone()).await?;
    tracing::info!(stream = %id, caller = caller.name(), "stream changed");
    Ok(Json(StreamView::of(&spec, status)))
}

/// Deletes a stream
///
/// It is stopped first. Its results stay.
#[utoipa::path(delete, path = "/api/v1/streams/{id}", operation_id = "delete_stream", tag = "streams",
    params(("id" = String, Path, description = "Its name"), DeleteQuery),
    responses((status = 204, description = "It is gone")),
    extensions(("x-role" = json!("operator")), ("x-stream" = json!("path:id"))))]
pub(super) async fn delete(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
    caller: Caller,
    Params(query): Params<DeleteQuery>,
) -> Result<StatusCode, Failure> {
    shared.state.engine.delete(&id, query.frames).await?;
    forget_uploads(&shared, &id, None).await;
    tracing::info!(stream = %id, caller = caller.name(), frames = query.frames, "stream deleted");
    Ok(StatusCode::NO_CONTENT)
}

/// Sets a stream going
///
/// Nothing happens where it is going.
#[utoipa::path(post, path = "/api/v1/streams/{id}/start", operation_id = "start_stream", tag = "streams", params(("id" = String, Path, description = "Its name")),
    responses((status = 200, description = "How it stands", body = StatusView)),
    extensions(("x-role" = json!("operator")), ("x-stream" = json!("path:id"))))]
pub(super) async fn start(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
) -> Result<Json<StatusView>, Failure> {
    Ok(Json(shared.state.engine.start(&id).await?.into()))
}

/// Ends a stream
///
/// Answers when its last results are durable. Nothing happens where it is not going.
#[utoipa::path(post, path = "/api/v1/streams/{id}/stop", operation_id = "stop_stream", tag = "streams", params(("id" = String, Path, description = "Its name")),
    responses((status = 200, description = "How it stands", body = StatusView)),
    extensions(("x-role" = json!("operator")), ("x-stream" = json!("path:id"))))]
pub(super) async fn stop(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
) -> Result<Json<StatusView>, Failure> {
    Ok(Json(shared.state.engine.stop(&id).await?.into()))
}

/// Tells how a stream stands
#[utoipa::path(get, path = "/api/v1/streams/{id}/status", operation_id = "read_stream_status", tag = "streams", params(("id" = String, Path, description = "Its name")),
    responses((status = 200, description = "How it stands", body = StatusView)),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("path:id"))))]
pub(super) async fn status(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
) -> Result<Json<StatusView>, Failure> {
    Ok(Json(shared.state.engine.status(&id)?.into()))
}

/// The spec, if it is sound and nothing that is refused.
fn checked(
    shared: &Shared,
    config: StreamConfig,
    present: Option<&StreamSpec>,
) -> Result<StreamSpec, Failure> {
    let spec = config.spec(present, shared.state.settings.quality).map_err(Failure::invalid)?;
    let models = &shared.state.models;
    let known = |name: &String| models.iter().any(|model| model.id == *name);
    if let Some(name) = spec.models.iter().filter_map(|model| model.model.as_ref()).find(|name| !known(name))
    {
        return Err(Failure::invalid(format!(
            "there is no model {name:?}; /api/v1/models lists those there are"
        )));
    }
    for model in &spec.models {
        classes(models, model)?;
    }
    shared.state.policy.check(&spec).map_err(|why| Failure::invalid(format!("source.url: {why}")))?;
    Ok(spec)
}

/// Whether the model knows the classes that are asked for: else each attempt of the stream would fail.
fn classes(models: &[ModelView], asked: &ModelSpec) -> Result<(), Failure> {
    let is_asked = |model: &&ModelView| asked.model.as_ref().map_or(model.default, |name| model.id == *name);
    let Some(model) = models.iter().find(is_asked) else { return Ok(()) };
    let is_known =
        |class: &&String| model.classes.iter().any(|known| known.eq_ignore_ascii_case(class.trim()));
    match asked.classes.iter().flatten().find(|class| !is_known(class)) {
        None => Ok(()),
        Some(class) => Err(Failure::invalid(format!(
            "model {} knows no class {class:?}; /api/v1/models lists those it knows",
            model.id
        ))),
    }
}

/// A limit that was asked for, 1 to `most`.
pub(crate) fn page(asked: Option<usize>, most: usize) -> Result<usize, Failure> {
    match asked {
        None => Ok(most.min(100)),
        Some(limit) if (1..=most).contains(&limit) => Ok(limit),
        Some(_) => Err(Failure::invalid(format!("limit: give 1 to {most}"))),
    }
}
