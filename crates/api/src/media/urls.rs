//! URLs for players that can send no header: `<video>`, `<img>`, hls.js as it comes.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    access::{Caller, MediaPath},
    extract::{JsonBody, Named},
    failure::Failure,
    state::Shared,
};

/// Seconds that a URL holds where nothing is said.
const DEFAULT_SECONDS: u32 = 3_600;
/// Most seconds.
const MOST_SECONDS: u32 = 7 * 86_400;
/// What may be asked for, relative to the stream, before its query.
const PATHS: [&str; 7] =
    ["hls/index.m3u8", "hls/live.m3u8", "hls/archive.m3u8", "media", "clip.mp4", "frame.jpg", "snapshot.jpg"];
/// Longest query that a URL takes along.
const LONGEST_QUERY: usize = 1_024;

/// What is to be read.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMediaUrl {
    /// What, relative to the stream, with its query: `hls/index.m3u8` if left out; `hls/live.m3u8`, `hls/archive.m3u8?start=…`,
    /// `media`, `clip.mp4?…`, `frame.jpg?…`, `snapshot.jpg`, or `streaming` for the playlist below `/streaming/`.
    #[schema(example = "hls/index.m3u8")]
    path: Option<String>,
    /// How long it holds in seconds, up to a week; an hour if left out. No longer than the credential that asks.
    expires_in: Option<u32>,
}

/// A URL that needs no credential.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MediaUrl {
    /// Path and query, on the host that was asked.
    url: String,
    /// When it ends, in seconds since 1970.
    expires: i64,
}

/// Makes a URL that needs no credential
///
/// Whoever has it may read what it names until it expires, and nothing else: playlists carry the signature on to what they list. For
/// the playlists below `hls/`, that is everything there; the query is not signed. Where no key is configured
/// (`access.media_key`), such URLs end with the server's process.
#[utoipa::path(post, path = "/api/v1/streams/{id}/media-urls", operation_id = "create_media_url", tag = "playback",
    params(("id" = String, Path, description = "Name of the stream")),
    request_body(content = NewMediaUrl, example = json!({"path": "hls/index.m3u8", "expires_in": 3600})),
    responses((status = 200, description = "The URL", body = MediaUrl)),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("path:id"))))]
pub(super) async fn create(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
    caller: Caller,
    JsonBody(new): JsonBody<NewMediaUrl>,
) -> Result<Json<MediaUrl>, Failure> {
    let seconds = match new.expires_in {
        None => DEFAULT_SECONDS,
        Some(seconds @ 1..=MOST_SECONDS) => seconds,
        Some(_) => return Err(Failure::invalid(format!("expires_in: give 1 to {MOST_SECONDS} seconds"))),
    };
    let wanted = new.path.as_deref().unwrap_or("hls/index.m3u8");
    let (path, query) = wanted.split_once('?').unwrap_or((wanted, ""));
    let (opened, place) = if path == "streaming" {
        (MediaPath::Streaming, format!("/streaming/{id}.m3u8"))
    } else if PATHS.contains(&path) {
        (MediaPath::for_reading(path), format!("/api/v1/streams/{id}/{path}"))
    } else {
        let known = PATHS.join(", ");
        return Err(Failure::invalid(format!("path: give one of {known}, streaming")));
    };
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'#' && byte != b'"';
    if query.len() > LONGEST_QUERY || !query.bytes().all(plain) {
        return Err(Failure::invalid("path: its query is too long, or holds letters that no URL has"));
    }
    let (signed, expires) = shared.state.access.media_query(&caller, &id, &opened, seconds);
    let query = if query.is_empty() { signed } else { format!("{query}&{signed}") };
    Ok(Json(MediaUrl { url: format!("{place}?{query}"), expires }))
}
