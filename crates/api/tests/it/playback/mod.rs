//! Playback: a real archive of real pictures, asked through the router, and by the programs of FFmpeg.

mod archived;
pub(crate) mod camera;
mod lengths;
mod live;
mod recording;
mod signed;
mod sockets;
mod tools;

use axum::http::Method;
use serde_json::json;

use crate::stand::{Answer, Stand};

/// A stand with a stream of this name.
async fn stand(name: &str) -> Stand {
    let stand = Stand::new().await;
    create(&stand, name).await;
    stand
}

async fn create(stand: &Stand, name: &str) {
    let stream = json!({"id": name, "source": {"url": "rtsp://192.0.2.7/one"}, "frames": {}});
    stand.json(Method::POST, "/api/v1/streams", &stream).await.with_status(201);
}

/// URIs of segments of a playlist.
fn uris(playlist: &str) -> Vec<&str> {
    playlist.lines().filter(|line| !line.starts_with('#')).collect()
}

/// Values of a tag.
fn values<'a>(playlist: &'a str, tag: &str) -> Vec<&'a str> {
    playlist.lines().filter_map(|line| line.strip_prefix(tag)?.strip_prefix(':')).collect()
}

/// The URI of a tag's attributes.
fn uri(attributes: &str) -> &str {
    attributes.split("URI=\"").nth(1).unwrap().split('"').next().unwrap()
}

/// The run that the URI of an `EXT-X-MAP` names.
fn run(map: &str) -> &str {
    uri(map).split("run=").nth(1).unwrap().split('&').next().unwrap()
}

fn playlist(answer: Answer) -> String {
    let answer = answer.with_status(200);
    assert_eq!(answer.header("content-type"), Some("application/vnd.apple.mpegurl"));
    assert_eq!(answer.header("cache-control"), Some("no-cache"));
    answer.text()
}
