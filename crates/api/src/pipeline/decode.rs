//! Decoding, begun and ended as contract 1 says.

mod forms;

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
};
use ocelli_engine::{
    FramesSpec, SourceSpec, SourceUrl, SourceUrlError, StreamError, StreamSpec, StreamState, StreamStatus,
};
use ocelli_model::{Rate, RateError, SamplingPlan, StreamId};
use serde::{Deserialize as _, de::value::StrDeserializer};

use self::forms::{DecodeForm, Started, StopForm, Stopped};
use super::{
    Detail,
    form::{Expected, Form},
    info::examined,
    status::unknown,
    upload::{Upload, forget_uploads},
};
use crate::{
    access::{Caller, Role},
    failure::{Adapted, Failure},
    state::Shared,
    view::{Hardware, rate},
};

/// What a decode is to do.
#[derive(Debug)]
struct Asked {
    id: StreamId,
    rate: Rate,
    hardware: Option<String>,
    quality: u8,
}

/// Begins to decode a camera or a file into JPEGs
///
/// Empties the camera's folder and starts at `frame_0001.jpg`. A camera that is being decoded is refused (409): stop it
/// first. One that has completed, stopped or failed is decoded anew.
#[utoipa::path(post, path = "/api/v1/video-pipeline/decode/", operation_id = "start_decode", tag = "video pipeline",
    request_body(content((DecodeForm = "multipart/form-data"), (DecodeForm = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "It has begun", body = Started),
        (status = 408, description = "The upload was too slow", body = Detail),
        (status = 409, description = "The camera is being decoded", body = Detail),
        (status = 413, description = "The upload is too large", body = Detail),
        (status = 415, description = "The upload is not a video", body = Detail),
    ),
    extensions(("x-role" = json!("operator")), ("x-stream" = json!("body:camera_id"))))]
pub(super) async fn decode(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    request: Request,
) -> Result<Json<Started>, Adapted> {
    caller.require(Role::Operator, None)?;
    let check = |name: &str, value: &str| {
        if name != "camera_id" {
            return Ok(());
        }
        let id = camera(Some(value))?;
        caller.require(Role::Operator, Some(&id))?;
        is_free(&shared, &id)
    };
    let expected = Expected { file: Some("file"), check: &check };
    let form = Form::read(&shared, request, expected).await?;
    let asked = Asked::read(&shared, &form)?;
    let id = asked.id.clone();
    caller.require(Role::Operator, Some(&id))?;
    let beginning = shared.begin_decode(&id).ok_or_else(|| is_going(&id))?;
    is_free(&shared, &id)?;
    let url = form.field("url").map(str::to_owned);
    match (url, form.file) {
        (Some(_), Some(_)) => Err(Failure::invalid("give `file` or `url`, not both"))?,
        (None, None) => Err(Failure::invalid("give a video as `file`, or its place as `url`"))?,
        (Some(url), None) => from_url(&shared, &asked, &url).await?,
        (None, Some(file)) => from_file(&shared, &asked, file).await?,
    }
    drop(beginning);
    tracing::info!(stream = %id, caller = caller.name(), "decoding started");
    let output_folder = shared.state.engine.frame_folder(&id).display().to_string();
    Ok(Json(Started { message: "Decoding started", camera_id: id, output_folder, status: "started" }))
}

/// Ends the decoding of a camera
///
/// Its frames stay. Nothing happens where it has ended.
#[utoipa::path(post, path = "/api/v1/video-pipeline/decode/stop/", operation_id = "stop_decode", tag = "video pipeline",
    request_body(content((StopForm = "application/x-www-form-urlencoded"), (StopForm = "multipart/form-data"))),
    responses((status = 200, description = "It has ended", body = Stopped)),
    extensions(("x-role" = json!("operator")), ("x-stream" = json!("body:camera_id"))))]
pub(super) async fn stop(
    State(shared): State<Arc<Shared>>,
    caller: Caller,
    request: Request,
) -> Result<Json<Stopped>, Adapted> {
    caller.require(Role::Operator, None)?;
    let expected = Expected { file: None, check: &|_name, _value| Ok(()) };
    let form = Form::read(&shared, request, expected).await?;
    let id = camera(form.field("camera_id"))?;
    caller.require(Role::Operator, Some(&id))?;
    let engine = &shared.state.engine;
    let before = engine.status(&id).map_err(|error| unknown(&id, error))?;
    let StreamStatus { state: status, .. } = engine.stop(&id).await?;
    let message = if goes(&before) { "Decoding stopped" } else { "Decoding had ended already" };
    tracing::info!(stream = %id, caller = caller.name(), "decoding stopped");
    Ok(Json(Stopped { message, camera_id: id, status }))
}

/// The id of a camera, as given.
pub(super) fn camera(word: Option<&str>) -> Result<StreamId, Failure> {
    let word = word.ok_or_else(|| Failure::invalid("`camera_id` is missing"))?;
    word.parse().map_err(|error| Failure::invalid(format!("camera_id: {error}")))
}

fn goes(status: &StreamStatus) -> bool {
    matches!(status.state, StreamState::Starting | StreamState::Running | StreamState::Restarting)
}

fn is_going(id: &StreamId) -> Failure {
    let detail = format!("camera {id} is being decoded; stop it first");
    Failure::new(StatusCode::CONFLICT, "Camera is being decoded", detail)
}

fn is_free(shared: &Shared, id: &StreamId) -> Result<(), Failure> {
    let going = shared.state.engine.status(id).is_ok_and(|status| goes(&status));
    if going { Err(is_going(id)) } else { Ok(()) }
}

impl Asked {
    fn read(shared: &Shared, form: &Form) -> Result<Self, Failure> {
        let id = camera(form.field("camera_id"))?;
        let fps = form.field("fps").unwrap_or("1");
        let rate = rate(fps).map_err(|error| Failure::invalid(format!("fps: {}", told(&error))))?;
        let hardware = match form.field("force_format") {
            None => shared.state.settings.hardware.clone(),
            Some(word) => force_format(word)?.spec(),
        };
        Ok(Self { id, rate, hardware, quality: shared.state.settings.quality })
    }

    fn spec(&self, source: SourceSpec) -> StreamSpec {
        StreamSpec {
            source,
            fps: SamplingPlan::Rate(self.rate),
            frames: Some(FramesSpec { quality: self.quality }),
            models: Vec::new(),
            tracks: false,
            gate: None,
            hardware: self.hardware.clone(),
            record: None,
            publish: None,
            analyzer: None,
        }
    }
}

/// `all` is a word of the native interface.
fn told(error: &RateError) -> String {
    match error {
        RateError::NotARate(_) => "give frames per second such as 1, 0.5 or 30000/1001".to_owned(),
        RateError::OutOfRange(_) => error.to_string(),
    }
}

fn force_format(word: &str) -> Result<Hardware, Failure> {
    let read = Hardware::deserialize(StrDeserializer::<serde::de::value::Error>::new(word)).ok();
    // `auto` is a word of the native interface.
    let read = read.filter(|hardware| *hardware != Hardware::Auto);
    read.ok_or_else(|| Failure::invalid("force_format: give cuda, qsv, vaapi or none"))
}

async fn from_url(shared: &Shared, asked: &Asked, url: &str) -> Result<(), Failure> {
    let url: SourceUrl =
        url.parse().map_err(|error: SourceUrlError| Failure::invalid(format!("url: {error}")))?;
    let spec = asked.spec(SourceSpec::new(url));
    shared.state.policy.check(&spec).map_err(|why| Failure::invalid(format!("url: {why}")))?;
    begin(shared, &asked.id, spec).await?;
    forget_uploads(shared, &asked.id, None).await;
    Ok(())
}

/// Where the client goes away while the engine begins, the file stays: the decode may go on and read it.
async fn from_file(shared: &Shared, asked: &Asked, file: Upload) -> Result<(), Failure> {
    examined(shared, file.path()).await?;
    let place = file.keep(shared, &asked.id).await?;
    let url = SourceUrl::from_path(&place).map_err(Failure::invalid)?;
    let spec = asked.spec(SourceSpec { untrusted: true, ..SourceSpec::new(url) });
    let begun = begin(shared, &asked.id, spec).await;
    if begun.is_ok() {
        forget_uploads(shared, &asked.id, Some(&place)).await;
    } else if let Err(error) = tokio::fs::remove_file(&place).await {
        tracing::warn!(stream = %asked.id, %error, "a refused upload cannot be removed");
    }
    begun
}

async fn begin(shared: &Shared, id: &StreamId, spec: StreamSpec) -> Result<(), Failure> {
    match shared.state.engine.decode(id.clone(), spec).await {
        Ok(_) => Ok(()),
        Err(StreamError::Running(_)) => Err(is_going(id)),
        Err(error) => Err(error.into()),
    }
}
