//! What a file and the machine can do.

use std::{path::Path, sync::Arc};

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Detail,
    form::{Expected, Form},
};
use crate::{
    ProbeError, VideoInfo,
    access::{Caller, Role},
    failure::{Adapted, Failure},
    state::Shared,
};

/// A form with a file.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "documents a form that is read field by field")]
struct VideoForm {
    /// A video.
    #[schema(value_type = String, format = Binary)]
    video: Vec<u8>,
}

/// What a video holds.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Retrieved {
    /// `Video information retrieved`
    message: &'static str,
    info: VideoInfo,
}

/// What the machine can do.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Capabilities {
    message: Available,
}

/// Hardware that decodes.
#[derive(Debug, Serialize, ToSchema)]
struct Available {
    /// What this machine can really use, found by opening each device.
    #[schema(example = json!(["vaapi"]))]
    available_hw_accelerations: Vec<String>,
}

/// The service answers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `healthy`
    status: &'static str,
    /// `video-pipeline`
    service: &'static str,
}

/// Tells what a video holds
///
/// It is examined in a process without rights, and removed.
#[utoipa::path(post, path = "/api/v1/video-pipeline/video-info/", operation_id = "read_video_info", tag = "video pipeline",
    request_body(content = VideoForm, content_type = "multipart/form-data"),
    responses(
        (status = 200, description = "What it holds", body = Retrieved),
        (status = 408, description = "The upload was too slow", body = Detail),
        (status = 413, description = "The upload is too large", body = Detail),
        (status = 415, description = "The upload is not a video", body = Detail),
    ),
    extensions(("x-role" = json!("operator")), ("x-stream" = json!("none"))))]
pub(super) async fn video_info(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    request: Request,
) -> Result<Json<Retrieved>, Adapted> {
    caller.require(Role::Operator, None)?;
    let expected = Expected { file: Some("video"), check: &|_name, _value| Ok(()) };
    let form = Form::read(&shared, request, expected).await?;
    let file = form.file.ok_or_else(|| Failure::invalid("give a video as `video`"))?;
    let info = examined(&shared, file.path()).await?;
    Ok(Json(Retrieved { message: "Video information retrieved", info }))
}

/// Lists hardware that decodes here
#[utoipa::path(get, path = "/api/v1/video-pipeline/hw-accel-cap/", operation_id = "list_hardware", tag = "video pipeline",
    responses((status = 200, description = "What can be used", body = Capabilities)),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("none"))))]
pub(super) async fn hw_accel_cap(State(shared): State<Arc<Shared>>) -> Json<Capabilities> {
    let available_hw_accelerations = shared.state.probe.hardware().await;
    Json(Capabilities { message: Available { available_hw_accelerations } })
}

/// Tells that the service answers
#[utoipa::path(get, path = "/api/v1/video-pipeline/health/", operation_id = "read_pipeline_health", tag = "video pipeline",
    responses((status = 200, description = "It does", body = Health)),
    extensions(("x-role" = json!("public")), ("x-stream" = json!("none"))))]
pub(super) async fn health() -> Json<Health> {
    Json(Health { status: "healthy", service: "video-pipeline" })
}

/// What a file holds, or why it is refused.
pub(crate) async fn examined(shared: &Shared, path: &Path) -> Result<VideoInfo, Failure> {
    shared.state.probe.video_info(path).await.map_err(|error| {
        let detail = error.to_string();
        match error {
            ProbeError::NotAVideo(_) => {
                Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Not a video", detail)
            }
            ProbeError::Damaged(_) | ProbeError::Killed(_) => Failure::invalid(detail),
            ProbeError::Unavailable(_) => Failure::unavailable(detail),
        }
    })
}
