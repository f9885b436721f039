//! Contract 3: its streams, their analyses, its WebSocket.

mod analyses;
mod refused;
mod streams;
mod upload;
mod watch;
mod webcam;

use std::{sync::Arc, time::Duration};

use axum::http::Method;
use ocelli_engine::{FrameNews, LookNews, ModelLook, News};
use ocelli_model::{TimeBase, TrackId, Verdict, VersionBuilder};
use ocelli_store::{FrameResult, Results as _, RunFilter, RunId};
use serde_json::{Value, json};

use crate::stand::{Stand, facts::seen};

const STREAMS: &str = "/api/streaming/streams/";

/// A path below the streams, with the slash at the end or without.
fn at(path: &str, slash: &str) -> String {
    format!("{STREAMS}{path}{slash}")
}

async fn post(stand: &Stand, path: &str) -> Value {
    stand.ask(Method::POST, path, "", "").await.with_status(200).json()
}

/// Creates a stream and gives it.
async fn create(stand: &Stand, body: &Value) -> Value {
    stand.json(Method::POST, &at("create", "/"), body).await.with_status(200).json()
}

/// A stream that reads a camera, under this key.
async fn camera(stand: &Stand, key: &str) -> Value {
    let body = json!({"name": key, "source_type": "rtsp", "url": "rtsp://192.0.2.7/one", "stream_key": key});
    create(stand, &body).await
}

/// The stream as the list tells it.
async fn listed(stand: &Stand, key: &str) -> Value {
    let list = stand.get(STREAMS).await.with_status(200).json();
    let mut found = list["streams"].as_array().unwrap().iter().filter(|stream| stream["stream_key"] == key);
    found.next().unwrap_or_else(|| panic!("{key} is not among {list}")).clone()
}

/// The key of the stream's run with this ordinal.
async fn run_id(stand: &Stand, stream: &str, ordinal: u32) -> RunId {
    let filter = RunFilter { source_key: Some(stream.to_owned()), ..RunFilter::default() };
    let runs = stand.store.runs(&filter).await.unwrap();
    runs.iter().find(|run| run.run.ordinal == ordinal).unwrap().id
}

/// What is told of a frame that one model looked at, and another did not.
fn frame(run: u32, run_id: Option<RunId>, pts: i64, labels: &[&str]) -> News {
    let detections: Vec<_> = labels.iter().map(|label| seen(label, 0.9)).collect();
    let tracks = detections.iter().map(|_| Some(TrackId(4))).collect();
    let result = FrameResult { width: 640, height: 360, detections, took: Duration::from_micros(8_900) };
    let look = |model: &str, news| ModelLook {
        model: model.to_owned(),
        version: VersionBuilder::default().with("model", model).build(),
        news,
    };
    News::Frame(Arc::new(FrameNews {
        run,
        run_id,
        pts,
        time_base: TimeBase::new(1, 90_000).unwrap(),
        frame: None,
        looks: vec![
            look("ssd", LookNews::Seen(result, tracks)),
            look("yolo", LookNews::Unseen(Verdict::Gated, String::new())),
        ],
        latency_us: 12_345,
    }))
}
