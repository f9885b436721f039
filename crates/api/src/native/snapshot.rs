//! The newest frame of a stream as a picture.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use ocelli_engine::LatestFrame;
use ocelli_model::{StreamId, TimeBase};
use sha2::{Digest as _, Sha256};

use crate::{extract::Named, failure::Failure, state::Shared, view::rounded};

/// Media time in seconds, for people.
const MEDIA_TIME: HeaderName = HeaderName::from_static("x-media-time");
/// Media time in ticks.
const MEDIA_TIME_PTS: HeaderName = HeaderName::from_static("x-media-time-pts");
/// Seconds per tick as `numerator/denominator`.
const MEDIA_TIME_BASE: HeaderName = HeaderName::from_static("x-media-time-base");
/// Number in the frame folder.
const FRAME_NUMBER: HeaderName = HeaderName::from_static("x-frame-number");
/// Ordinal of the run within the stream.
const RUN: HeaderName = HeaderName::from_static("x-run");

/// Gives the newest frame
///
/// Also after the stream ended. Headers tell its media time; `If-None-Match` with its `ETag` spares those who ask often.
#[utoipa::path(get, path = "/api/v1/streams/{id}/snapshot.jpg", operation_id = "read_snapshot", tag = "streams",
    params(("id" = String, Path, description = "Name of the stream"),
        ("If-None-Match" = Option<String>, Header, description = "`ETag` of the picture at hand")),
    responses(
        (status = 200, description = "A picture", body = Vec<u8>, content_type = "image/jpeg", headers(
            ("ETag" = String, description = "Changes with the picture"),
            ("X-Media-Time" = f64, description = "Media time in seconds"),
            ("X-Media-Time-Pts" = i64, description = "Media time in ticks"),
            ("X-Media-Time-Base" = String, description = "Seconds per tick, such as `1/90000`"),
            ("X-Frame-Number" = u64, description = "Number in the frame folder"),
            ("X-Run" = u32, description = "Ordinal of the run within the stream"))),
        (status = 304, description = "It is the one at hand"),
    ),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("path:id")), ("x-media" = json!("made"))))]
pub(super) async fn snapshot(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    picture(&shared, &id, &headers).await
}

/// The newest frame, as both interfaces give it.
pub(crate) async fn picture(
    shared: &Shared,
    id: &StreamId,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    let Some(frame) = shared.state.engine.latest(id).await? else {
        let detail = format!("stream {id} has no frame yet; ask again once its status counts one");
        return Err(Failure::missing("No frame yet", detail));
    };
    let tag = tag(&frame.jpeg);
    let mut response = if is_at_hand(headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "image/jpeg")], frame.jpeg.clone()).into_response()
    };
    let fields = response.headers_mut();
    fields.insert(header::ETAG, HeaderValue::try_from(tag).expect("hexadecimal digits in quotes"));
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    with_media_time(fields, &frame);
    Ok(response)
}

/// Its place in time and in the folder, as far as known.
fn with_media_time(fields: &mut HeaderMap, frame: &LatestFrame) {
    let number = |value: u64| HeaderValue::from(value);
    if let Some((pts, time_base)) = frame.media_time {
        MediaTime { run: frame.run, pts, time_base }.tell(fields);
    }
    if let Some(frame) = frame.number {
        fields.insert(FRAME_NUMBER, number(frame));
    }
    if let Some(run) = frame.run {
        fields.insert(RUN, number(run.into()));
    }
}

/// The place of a picture in its stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MediaTime {
    pub(crate) run: Option<u32>,
    pub(crate) pts: i64,
    pub(crate) time_base: TimeBase,
}

impl MediaTime {
    /// Says it in the header fields of an answer.
    pub(crate) fn tell(self, fields: &mut HeaderMap) {
        let Self { run, pts, time_base: base } = self;
        let text = |text: String| HeaderValue::try_from(text).expect("digits and punctuation");
        fields.insert(MEDIA_TIME, text(rounded(base.seconds(pts), 6).to_string()));
        fields.insert(MEDIA_TIME_PTS, HeaderValue::from(pts));
        fields.insert(MEDIA_TIME_BASE, text(format!("{}/{}", base.num(), base.den())));
        if let Some(run) = run {
            fields.insert(RUN, HeaderValue::from(run));
        }
    }
}

/// Of the bytes: numbers begin anew with a new decode.
fn tag(jpeg: &[u8]) -> String {
    let digest = Sha256::digest(jpeg);
    let mut tag = String::from("\"");
    for byte in digest.iter().take(16) {
        write!(tag, "{byte:02x}").expect("a string takes all");
    }
    tag.push('"');
    tag
}

/// RFC 9110, section 13.1.2: a list of tags, compared weakly.
fn is_at_hand(headers: &HeaderMap, tag: &str) -> bool {
    let lists = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    lists
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .any(|held| held == "*" || held.strip_prefix("W/").unwrap_or(held) == tag)
}
