//! The local camera, started and waited for.

use std::{future, sync::Arc};

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
};
use ocelli_engine::{SourceKind, StreamSpec, StreamState};
use ocelli_model::StreamId;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use utoipa::ToSchema;

use super::{
    ErrorBody,
    going::{end, goes, set_going},
    new::{camera, webcam},
    recorded::{newest, newest_live},
    stream::{Host, StreamObject},
    streams::enter,
};
use crate::{
    access::{Caller, Role},
    extract::whole,
    failure::{Failure, Refused},
    state::Shared,
};

/// Key of the stream that is created for the local camera.
const KEY: &str = "webcam";
const MOST_BYTES: usize = 4096;

/// Which stream is to read the camera.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = WebcamStart)]
pub(super) struct WebcamStart {
    /// `webcam` unless told. A body may be left out.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    stream_key: Option<StreamId>,
}

/// The local camera can be played.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebcamStarted)]
pub(super) struct WebcamStarted {
    message: &'static str,
    #[serde(flatten)]
    stream: StreamObject,
}

/// Opens the local camera
///
/// Creates its stream where there is none, and uses the one that reads the camera where one does. Answers once it can be played;
/// where it cannot be, the answer says why (503), and it is stopped again. Where the configuration names a synthetic camera as the
/// local one, the message says so.
#[utoipa::path(post, path = "/api/streaming/streams/webcam/start/", operation_id = "start_webcam", tag = "media analyzer",
    request_body(content = WebcamStart, example = json!({})),
    responses(
        (status = 200, description = "The stream, which can be played", body = WebcamStarted),
        (status = 409, description = "The device is taken by another stream, or the key by another kind of stream", body = ErrorBody),
    ),
    extensions(("x-role" = json!("operator")), ("x-stream" = json!("body:stream_key"))))]
pub(super) async fn start(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    host: Host,
    request: Request,
) -> Result<Json<WebcamStarted>, Refused> {
    caller.require(Role::Operator, None)?;
    let asked = read(request).await?.stream_key;
    let id = asked.unwrap_or_else(|| KEY.parse().expect("it is a name"));
    caller.require(Role::Operator, Some(&id))?;
    let id = chosen(&shared, &caller, id).await?;
    let started = begin(&shared, &id).await?;
    if let Err(failure) = playable(&shared, &id, &started).await {
        if started.is_new {
            end(&shared, &id).await?;
        }
        return Err(failure.into());
    }
    let engine = &shared.state.engine;
    let (spec, status) = (engine.spec(&id)?, engine.status(&id)?);
    tracing::info!(stream = %id, caller = caller.name(), "local camera started");
    let message = match spec.source.url.kind() {
        SourceKind::Synthetic => "A synthetic camera stands in for the local one, as the configuration says",
        _ => "The local camera is playing",
    };
    Ok(Json(WebcamStarted { message, stream: StreamObject::of(&shared, &caller, &host, &spec, status) }))
}

async fn read(request: Request) -> Result<WebcamStart, Failure> {
    let bytes = whole(request, MOST_BYTES).await?;
    if bytes.trim_ascii().is_empty() {
        return Ok(WebcamStart::default());
    }
    serde_json::from_slice(&bytes)
        .map_err(|error| Failure::malformed(format!("the body is not valid: {error}")))
}

/// The stream that is to read the camera: one that does, else the one with this key.
async fn chosen(shared: &Shared, caller: &Caller, id: StreamId) -> Result<StreamId, Failure> {
    let source = camera(shared)?;
    let engine = &shared.state.engine;
    let reads = |id: &StreamId, spec: &StreamSpec| {
        spec.source.url == source.url && caller.require(Role::Operator, Some(id)).is_ok()
    };
    let mut going = engine.list().into_iter().filter(goes).map(|status| status.id);
    let found =
        going.find(|other| engine.spec(other).is_ok_and(|spec| is_webcam(&spec) && reads(other, &spec)));
    if let Some(other) = found {
        return Ok(other);
    }
    match engine.spec(&id) {
        Ok(spec) if is_webcam(&spec) => Ok(id),
        Ok(_) => {
            let detail = format!("stream {id} reads something else; give another stream_key");
            Err(Failure::new(StatusCode::CONFLICT, "Key is taken", detail))
        }
        Err(_unknown) => Ok(enter(shared, &webcam(), id).await?.id),
    }
}

fn is_webcam(spec: &StreamSpec) -> bool {
    spec.analyzer.as_ref().is_some_and(|analyzer| analyzer.source_type == "webcam")
}

/// A camera that was started.
struct Started {
    /// By this request.
    is_new: bool,
    /// The newest segment before that.
    before: Option<u64>,
}

async fn begin(shared: &Shared, id: &StreamId) -> Result<Started, Failure> {
    let engine = &shared.state.engine;
    let status = engine.status(id)?;
    if status.state == StreamState::Error {
        // It would be tried again, but later.
        engine.stop(id).await?;
    }
    let is_new = !goes(&status);
    let before = newest_live(shared, id).filter(|_| is_new);
    set_going(shared, id).await?;
    Ok(Started { is_new, before })
}

/// Waits until there is something to play.
async fn playable(shared: &Shared, id: &StreamId, started: &Started) -> Result<(), Failure> {
    let patience = shared.state.settings.analyzer.webcam_patience;
    timeout(patience, media(shared, id, started)).await.unwrap_or_else(|_elapsed| {
        let words = format!("the camera gave nothing to play within {} s", patience.as_secs());
        Err(Failure::unavailable(words))
    })
}

async fn media(shared: &Shared, id: &StreamId, started: &Started) -> Result<(), Failure> {
    let engine = &shared.state.engine;
    // In this order: what happens in between is told.
    let mut follower = engine.follow(id)?;
    loop {
        let status = engine.status(id)?;
        match (status.state, status.last_error) {
            (StreamState::Running, _) if shared.state.media.is_none() => return Ok(()),
            (StreamState::Running, _) if started.plays(newest_live(shared, id)) => return Ok(()),
            (StreamState::Starting | StreamState::Running, _) | (_, None) => {}
            (_, Some(why)) => return Err(unusable(&why)),
        }
        tokio::select! {
            () = part(shared, id, started) => {}
            told = follower.next() => if told.is_none() {
                return Err(Failure::missing("Stream not found", format!("stream {id} was deleted")));
            }
        }
    }
}

/// Why the camera gives nothing. Another program may have it: the engine tells that in words.
fn unusable(why: &str) -> Failure {
    let detail = format!("the camera cannot be used: {why}");
    if why.contains("in use by another program") {
        return Failure::new(StatusCode::CONFLICT, "Device is taken", detail);
    }
    Failure::unavailable(detail)
}

/// Waits until there is something to play, for ever where nothing is being recorded yet.
async fn part(shared: &Shared, id: &StreamId, started: &Started) {
    let view = shared.state.media.as_ref().and_then(|media| media.live(id));
    if let Some(mut view) = view.filter(|_| !started.plays(newest_live(shared, id))) {
        let window = view.wait(|window| started.plays(newest(window))).await;
        if started.plays(newest(&window)) {
            return;
        }
    }
    future::pending::<()>().await;
}

impl Started {
    /// Whether the newest segment is one of what was started.
    fn plays(&self, newest: Option<u64>) -> bool {
        newest.is_some() && newest > self.before
    }
}
