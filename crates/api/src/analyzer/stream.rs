//! A stream, as contract 3 tells it.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, header, request::Parts, uri::Authority},
};
use ocelli_engine::{AnalyzerStream, StreamSpec, StreamState, StreamStatus};
use ocelli_model::StreamId;
use serde::Serialize;
use utoipa::ToSchema;

use super::key::number;
use crate::{
    access::{Caller, Role},
    failure::Failure,
    media::Wall,
    state::Shared,
};

/// A stream: what it is, and how it stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AnalyzerStream)]
pub(super) struct StreamObject {
    /// Made of its key: 1 to 2147483647.
    id: u64,
    name: String,
    /// `rtmp`, `webcam`, `file` or another kind of source.
    source_type: String,
    /// `live` or `batch`.
    processing_mode: String,
    /// Its name everywhere else.
    #[schema(value_type = String)]
    stream_key: StreamId,
    status: Word,
    /// Null unless it is active and recorded.
    hls_playlist_url: Option<String>,
    #[schema(example = "rtmp://localhost:1935/live")]
    rtmp_ingest_url: String,
    /// When it was created (ISO 8601).
    created_at: String,
    /// Where it comes from, without secrets.
    source: String,
    /// Why the last attempt ended, or what keeps an output from working now.
    last_error: Option<String>,
    /// What lets one publish to it; only for those who may operate it.
    #[serde(skip_serializing_if = "Option::is_none")]
    publish_secret: Option<String>,
    /// The key to paste into OBS, beside `rtmp_ingest_url`; only for those who may operate it.
    #[serde(skip_serializing_if = "Option::is_none")]
    publish_key: Option<String>,
}

/// How a stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = AnalyzerStreamStatus)]
pub(super) enum Word {
    /// It does not go: never started, stopped, or read to its end.
    Inactive,
    /// No media yet: it connects, waits for its publisher, or is about to try again.
    Starting,
    Active,
    Stopping,
    /// It cannot go on as configured; `last_error` says why.
    Error,
}

impl Word {
    pub(super) fn of(shared: &Shared, status: &StreamStatus) -> Self {
        match status.state {
            StreamState::Completed | StreamState::Stopped => Self::Inactive,
            _ if shared.desks.is_stopping(&status.id) => Self::Stopping,
            StreamState::Starting | StreamState::Restarting => Self::Starting,
            StreamState::Running => Self::Active,
            StreamState::Error => Self::Error,
        }
    }
}

/// The host that a client asked, as it can stand in a URL.
#[derive(Debug)]
pub(super) struct Host(String);

impl<S: Sync> FromRequestParts<S> for Host {
    type Rejection = Infallible;

    /// HTTP/2 names it in the target, HTTP/1.1 in a field.
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let field = || parts.headers.get(header::HOST)?.to_str().ok()?.parse::<Authority>().ok();
        let asked = parts.uri.authority().cloned().or_else(field);
        Ok(Self(asked.map_or_else(|| "localhost".to_owned(), |asked| asked.host().to_owned())))
    }
}

impl StreamObject {
    /// As `caller` may see it.
    pub(super) fn of(
        shared: &Shared,
        caller: &Caller,
        host: &Host,
        spec: &StreamSpec,
        status: StreamStatus,
    ) -> Self {
        let settings = &shared.state.settings.analyzer;
        let known = analyzer(spec, &status.id);
        let word = Word::of(shared, &status);
        let playable = word == Word::Active && spec.record.is_some() && shared.state.media.is_some();
        let operates = caller.require(Role::Operator, Some(&status.id)).is_ok();
        let secret = spec.publish.as_ref().filter(|_| operates).and_then(|publish| publish.secret.clone());
        let rtmp_host = settings.rtmp_host.as_deref().unwrap_or(&host.0);
        Self {
            id: known.number,
            name: known.name,
            source_type: known.source_type,
            processing_mode: known.processing_mode,
            status: word,
            hls_playlist_url: playable.then(|| format!("{}/{}.m3u8", settings.playlists, status.id)),
            rtmp_ingest_url: format!("rtmp://{rtmp_host}:{}/live", settings.rtmp_port),
            created_at: Wall(status.created_ms).to_string(),
            source: status.source,
            last_error: status.last_error,
            publish_key: secret.as_ref().map(|secret| format!("{}?secret={secret}", status.id)),
            publish_secret: secret,
            stream_key: status.id,
        }
    }
}

/// What clients of this contract call a stream; for those of other interfaces, what can be told of them.
pub(super) fn analyzer(spec: &StreamSpec, id: &StreamId) -> AnalyzerStream {
    spec.analyzer.clone().unwrap_or_else(|| {
        let source_type = match spec.source.url.expose().split(':').next() {
            Some("publish") => "rtmp",
            Some("device") => "webcam",
            Some("rtsps") => "rtsp",
            Some("https") => "http",
            Some("hls+http" | "hls+https") => "hls",
            Some(scheme @ ("rtsp" | "http" | "synthetic" | "frames")) => scheme,
            _ => "file",
        };
        let processing_mode = if spec.source.is_live() { "live" } else { "batch" };
        AnalyzerStream {
            number: number(id, 0),
            name: id.to_string(),
            source_type: source_type.to_owned(),
            processing_mode: processing_mode.to_owned(),
        }
    })
}

/// The streams with this number, among those that the caller may operate.
pub(super) fn numbered(shared: &Shared, caller: &Caller, number: u64) -> Result<StreamId, Failure> {
    let engine = &shared.state.engine;
    let is_it = |id: &StreamId| {
        caller.require(Role::Operator, Some(id)).is_ok()
            && engine.spec(id).is_ok_and(|spec| analyzer(&spec, id).number == number)
    };
    let mut found = engine.list().into_iter().map(|status| status.id).filter(is_it);
    match (found.next(), found.next()) {
        (None, _) => Err(Failure::missing("Stream not found", format!("there is no stream {number}"))),
        (Some(id), None) => Ok(id),
        // One of them is of another interface, and one in two thousand million.
        (Some(_), Some(_)) => Err(Failure::new(
            StatusCode::CONFLICT,
            "Ambiguous stream",
            format!("two streams have the number {number}; delete the one by its key, below /api/v1/streams"),
        )),
    }
}
