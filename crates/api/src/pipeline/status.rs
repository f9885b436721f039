//! How a decode stands, and its newest frame.

use std::sync::Arc;

use axum::{Json, extract::State, http::HeaderMap, response::Response};
use ocelli_engine::{StreamError, StreamState};
use ocelli_model::StreamId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Detail, decode::camera};
use crate::{
    extract::Params,
    failure::{Adapted, Failure},
    native::picture,
    state::Shared,
};

/// Which camera.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CameraQuery {
    /// Its name.
    #[param(required = true)]
    camera_id: Option<String>,
}

/// A decode at one moment.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DecodeStatus {
    #[schema(value_type = String)]
    camera_id: StreamId,
    #[schema(value_type = crate::view::State)]
    status: StreamState,
    /// Frames written in this decode.
    frame_count: u64,
    /// Why the last attempt ended, or what keeps frames from being written.
    last_error: Option<String>,
    /// Attempts after the first.
    restart_count: u64,
}

/// Tells how a decode stands
#[utoipa::path(get, path = "/api/v1/video-pipeline/decode/status/", operation_id = "read_decode_status", tag = "video pipeline", params(CameraQuery),
    responses((status = 200, description = "How it stands", body = DecodeStatus)),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("query:camera_id"))))]
pub(super) async fn status(
    State(shared): State<Arc<Shared>>,
    query: Result<Params<CameraQuery>, Failure>,
) -> Result<Json<DecodeStatus>, Adapted> {
    let id = camera(query?.0.camera_id.as_deref())?;
    let status = shared.state.engine.status(&id).map_err(|error| unknown(&id, error))?;
    Ok(Json(DecodeStatus {
        camera_id: id,
        status: status.state,
        frame_count: status.frame_count,
        last_error: status.last_error,
        restart_count: status.restart_count,
    }))
}

/// Gives the newest frame of a camera
///
/// Also after its decode has completed or was stopped. Headers tell its media time.
#[utoipa::path(get, path = "/api/v1/video-pipeline/latest-frame/", operation_id = "read_latest_frame", tag = "video pipeline", params(CameraQuery),
    responses(
        (status = 200, description = "A picture", body = Vec<u8>, content_type = "image/jpeg", headers(
            ("ETag" = String, description = "Changes with the picture"),
            ("X-Media-Time" = f64, description = "Media time in seconds"),
            ("X-Media-Time-Pts" = i64, description = "Media time in ticks"),
            ("X-Media-Time-Base" = String, description = "Seconds per tick, such as `1/90000`"),
            ("X-Frame-Number" = u64, description = "Number in the frame folder"),
            ("X-Run" = u32, description = "Ordinal of the run within the stream"))),
        (status = 304, description = "It is the one at hand (`If-None-Match`)"),
        (status = 404, description = "Unknown camera, or no frame yet", body = Detail),
    ),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("query:camera_id"))))]
pub(super) async fn latest_frame(
    State(shared): State<Arc<Shared>>,
    query: Result<Params<CameraQuery>, Failure>,
    headers: HeaderMap,
) -> Result<Response, Adapted> {
    let id = camera(query?.0.camera_id.as_deref())?;
    shared.state.engine.status(&id).map_err(|error| unknown(&id, error))?;
    Ok(picture(&shared, &id, &headers).await?)
}

/// In the words of this contract.
pub(super) fn unknown(id: &StreamId, error: StreamError) -> Failure {
    match error {
        StreamError::Unknown(_) => {
            let detail = format!("there is no camera {id}; begin with `POST decode/`");
            Failure::missing("Camera not found", detail)
        }
        error => error.into(),
    }
}
