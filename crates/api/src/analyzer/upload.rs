//! The file of a `file` stream.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
};
use ocelli_engine::{SourceSpec, SourceUrl, StreamSpec};
use ocelli_model::StreamId;
use serde::Serialize;
use utoipa::ToSchema;

use super::{ErrorBody, going::goes};
use crate::{
    VideoInfo,
    access::Caller,
    extract::Named,
    failure::{Failure, Refused},
    pipeline::{Expected, Form, examined, forget_uploads},
    state::Shared,
};

/// A form with a file.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents a form that is read field by field")]
struct UploadForm {
    /// A video.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// The file is there.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Uploaded {
    /// `File uploaded`
    message: &'static str,
    #[schema(value_type = String)]
    stream_key: StreamId,
    /// What it holds.
    info: VideoInfo,
}

/// Stores the file of a stream
///
/// It is examined in a process without rights, and takes the place of the one before. The stream does not start by that.
#[utoipa::path(post, path = "/api/streaming/streams/{stream_key}/upload/", operation_id = "upload_stream_file", tag = "media analyzer",
    params(("stream_key" = String, Path, description = "Key of a stream of type `file`")),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "It is stored", body = Uploaded),
        (status = 400, description = "The stream is no `file` stream, or the video is damaged", body = ErrorBody),
        (status = 408, description = "The upload was too slow", body = ErrorBody),
        (status = 409, description = "The stream is going, or another file is being stored", body = ErrorBody),
        (status = 413, description = "The upload is too large", body = ErrorBody),
        (status = 415, description = "The upload is not a video", body = ErrorBody),
    ),
    extensions(("x-role" = json!("operator")), ("x-stream" = json!("path:stream_key"))))]
pub(super) async fn upload(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    named: Result<Named, Failure>,
    request: Request,
) -> Result<Json<Uploaded>, Refused> {
    let Named(id) = named?;
    // Before the file is received, and again when it is.
    at_rest(&shared, &id)?;
    let alone = shared.begin_decode(&id);
    let alone = alone.ok_or_else(|| conflict(format!("another file of stream {id} is being stored")))?;
    let expected = Expected { file: Some("file"), check: &|_name, _value| Ok(()) };
    let form = Form::read(&shared, request, expected).await?;
    let file = form.file.ok_or_else(|| Failure::invalid("give a video as `file`"))?;
    let info = examined(&shared, file.path()).await?;
    let spec = at_rest(&shared, &id)?;
    let place = file.keep(&shared, &id).await?;
    let url = SourceUrl::from_path(&place).map_err(Failure::invalid)?;
    let source = SourceSpec { url, untrusted: true, ..spec.source.clone() };
    if let Err(error) = shared.state.engine.change(&id, StreamSpec { source, ..spec }).await {
        if let Err(error) = tokio::fs::remove_file(&place).await {
            tracing::warn!(stream = %id, %error, "a refused upload cannot be removed");
        }
        return Err(error.into());
    }
    forget_uploads(&shared, &id, Some(&place)).await;
    drop(alone);
    tracing::info!(stream = %id, caller = caller.name(), "file uploaded");
    Ok(Json(Uploaded { message: "File uploaded", stream_key: id, info }))
}

/// What a `file` stream is to do that may be given another file.
fn at_rest(shared: &Shared, id: &StreamId) -> Result<StreamSpec, Failure> {
    let engine = &shared.state.engine;
    let (spec, status) = (engine.spec(id)?, engine.status(id)?);
    if spec.analyzer.as_ref().is_none_or(|analyzer| analyzer.source_type != "file") {
        return Err(Failure::invalid(format!("stream {id} is of another type than `file`")));
    }
    if goes(&status) {
        return Err(conflict(format!("stream {id} is going; stop it first")));
    }
    Ok(spec)
}

fn conflict(detail: String) -> Failure {
    Failure::new(StatusCode::CONFLICT, "Stream is busy", detail)
}
