//! Pictures that clients post.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use ocelli_engine::{FrameRefused, PictureError, PostedAt};
use ocelli_model::TimeBase;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    extract::{Named, Params, whole},
    failure::Failure,
    state::Shared,
};

/// Most bytes of a picture; the hub says the same.
const MOST_BYTES: usize = 16 << 20;
/// Both clocks count milliseconds.
const MILLISECONDS: u32 = 1000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct When {
    /// Media time of the picture in milliseconds, on any clock of the sender's that rises; the time of its arrival if left out.
    pts_ms: Option<i64>,
}

/// A picture that was taken: it waits for its stream, and is not durable yet.
#[derive(Debug, Serialize, ToSchema)]
struct Taken {
    /// Its media time in ticks, by which its results are known.
    pts: i64,
    /// Seconds per tick: `[1, 1000]`.
    #[schema(value_type = [u32; 2])]
    time_base: TimeBase,
    /// Size in pixels.
    width: u32,
    /// See `width`.
    height: u32,
}

/// Takes a picture for a stream whose source is `frames:` and its own name
///
/// The body is the picture: JPEG of 8 bit, or PNG of at most 8 bit a sample, up to 16 MiB and 8K. One at a time, in order of media time. Where a
/// picture is refused nothing of it is kept.
#[utoipa::path(post, path = "/api/v1/streams/{id}/frames", operation_id = "post_frame", tag = "streams",
    params(("id" = String, Path, description = "Name of the stream"), When),
    request_body(content = Vec<u8>, content_type = "image/jpeg", description = "The picture"),
    responses(
        (status = 202, description = "It was taken", body = Taken),
        (status = 409, description = "The stream is not running, or does not take posted pictures"),
        (status = 413, description = "It is larger than 16 MiB"),
        (status = 415, description = "It is neither JPEG nor PNG"),
        (status = 422, description = "It is broken, or its time is not later than that of the one before"),
        (status = 429, description = "Pictures come faster than they are read"),
    ),
    extensions(("x-role" = json!("operator")), ("x-stream" = json!("path:id"))))]
pub(super) async fn post(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
    Params(when): Params<When>,
    request: Request,
) -> Result<Response, Failure> {
    shared.state.engine.status(&id)?;
    let picture = whole(request, MOST_BYTES).await?;
    let at = match when.pts_ms {
        Some(pts) => PostedAt::Media(pts),
        None => PostedAt::Arrival(shared.state.access.now_ms()),
    };
    let taken = shared.state.frames.post(&id, picture, at).map_err(refused)?;
    let time_base = TimeBase::new(1, MILLISECONDS).expect("neither is zero");
    let taken = Taken { pts: taken.pts, time_base, width: taken.width, height: taken.height };
    Ok((StatusCode::ACCEPTED, Json(taken)).into_response())
}

fn refused(refusal: FrameRefused) -> Failure {
    let detail = refusal.to_string();
    match refusal {
        FrameRefused::NoReader => {
            let detail =
                "the stream takes no pictures now: start it, and give it the source frames: and its own name";
            Failure::new(StatusCode::CONFLICT, "Stream takes no frames", detail)
        }
        FrameRefused::Full => Failure::new(StatusCode::TOO_MANY_REQUESTS, "Too many frames", detail),
        FrameRefused::Picture(PictureError::Kind) => {
            Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Not a picture", detail)
        }
        FrameRefused::Picture(PictureError::Large) => Failure::too_large(detail),
        FrameRefused::Order { .. } | FrameRefused::Picture(_) => Failure::invalid(detail),
    }
}
