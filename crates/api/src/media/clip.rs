//! Clips and single pictures of a recording, exact to the frame.

use std::{ops::Range, sync::Arc};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use futures_util::StreamExt as _;
use ocelli_model::{StreamId, TimeBase};
use ocelli_store::SegmentQuery;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    log,
    log::{MediaError, MediaLog},
    window::{Window, WindowQuery, at, moment, nothing_at},
};
use crate::{
    extract::{Named, Params},
    failure::Failure,
    native::MediaTime,
    state::Shared,
};

/// Where the last picture of a clip ends, in ticks.
const END_PTS: HeaderName = HeaderName::from_static("x-media-end-pts");
/// Longest clip.
const LONGEST_CLIP_SECONDS: f64 = 3_600.0;
/// How long before a picture arrives that is shown at a moment: no stream is so slow.
const LOOK_BACK_MS: i64 = 60_000;

/// Which picture.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FrameQuery {
    /// Wall time: RFC 3339, or milliseconds since 1970.
    #[param(example = "2026-11-29T15:00:00Z")]
    at: Option<String>,
    /// Ordinal of a run, instead of wall time.
    run: Option<u32>,
    /// Media time in this run, in ticks of its time base.
    pts: Option<i64>,
    /// JPEG quality, 1 to 100.
    quality: Option<u8>,
}

/// Gives a piece of the recording as a file
///
/// An MP4 that players show from exactly the picture that is shown at the beginning of a stretch of one run to its end, by wall time or
/// media time, untranscoded; at most an hour. Headers tell where in the run it begins and ends: early where the parameters of
/// the pictures change. Media time in the file plus `X-Media-Time-Pts` is PTS. A moment of wall time is counted from when the
/// first picture of its segment came in.
#[utoipa::path(get, path = "/api/v1/streams/{id}/clip.mp4", operation_id = "read_clip", tag = "playback",
    params(("id" = String, Path, description = "Name of the stream"), WindowQuery),
    responses((status = 200, description = "An MP4", body = Vec<u8>, content_type = "video/mp4", headers(
        ("X-Run" = u32, description = "Ordinal of the run within the stream"),
        ("X-Media-Time" = f64, description = "Media time of the first picture in seconds"),
        ("X-Media-Time-Pts" = i64, description = "Media time of the first picture in ticks"),
        ("X-Media-End-Pts" = i64, description = "Where the last picture ends, in ticks"),
        ("X-Media-Time-Base" = String, description = "Seconds per tick, such as `1/90000`")))),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("path:id")), ("x-media" = json!("made"))))]
pub(super) async fn clip(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
    Params(query): Params<WindowQuery>,
) -> Result<Response, Failure> {
    let window = query.read()?;
    let log = log(&shared)?;
    let found = {
        let _permit = shared.long_reads.acquire().await.expect("nothing closes it");
        window.within_run(&**log, &id).await?
    };
    let lasts = found.time_base.seconds(found.pts.end.saturating_sub(found.pts.start));
    if lasts > LONGEST_CLIP_SECONDS {
        return Err(Failure::invalid(
            "a clip is at most an hour long; hls/archive.m3u8 plays more at a time",
        ));
    }
    let clip = {
        // The media is read once to find out what goes in, and again as it is sent.
        let _permit = shared.making.acquire().await.expect("nothing closes it");
        log.clip(&id, found.run, found.pts).await?
    };
    let mut fields = told(found.run, clip.first_pts, clip.time_base);
    fields.insert(END_PTS, HeaderValue::from(clip.end_pts));
    fields.insert(header::CONTENT_LENGTH, HeaderValue::from(clip.length));
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("video/mp4"));
    let name = format!("inline; filename=\"{id}-{}-{}.mp4\"", found.run, clip.first_pts);
    let name = HeaderValue::try_from(name).expect("ids of streams hold only letters that headers may");
    fields.insert(header::CONTENT_DISPOSITION, name);
    let bytes = clip.bytes.inspect(move |piece| {
        if let Err(error) = piece {
            tracing::warn!(stream = %id, %error, "a clip ends early");
        }
    });
    Ok((fields, Body::from_stream(bytes)).into_response())
}

/// Gives one picture of the recording
///
/// The one that is shown at a moment of wall time, or at a media time: the last that begins no later. Headers tell its own.
#[utoipa::path(get, path = "/api/v1/streams/{id}/frame.jpg", operation_id = "read_frame", tag = "playback",
    params(("id" = String, Path, description = "Name of the stream"), FrameQuery),
    responses((status = 200, description = "A picture", body = Vec<u8>, content_type = "image/jpeg", headers(
        ("X-Run" = u32, description = "Ordinal of the run within the stream"),
        ("X-Media-Time" = f64, description = "Media time in seconds"),
        ("X-Media-Time-Pts" = i64, description = "Media time in ticks"),
        ("X-Media-Time-Base" = String, description = "Seconds per tick, such as `1/90000`")))),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("path:id")), ("x-media" = json!("made"))))]
pub(super) async fn frame(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
    Params(query): Params<FrameQuery>,
) -> Result<Response, Failure> {
    let quality = match query.quality {
        None => shared.state.settings.quality,
        Some(quality @ 1..=100) => quality,
        Some(_) => return Err(Failure::invalid("quality: give 1 to 100")),
    };
    let log = log(&shared)?;
    let (run, pts) = match (&query.at, query.run, query.pts) {
        (Some(word), None, None) => shown_at(&**log, &id, moment("at", word)?).await?,
        (None, Some(run), Some(pts)) => (run, pts),
        _ => {
            return Err(Failure::invalid("give at (RFC 3339, or milliseconds since 1970), or run and pts"));
        }
    };
    let _permit = shared.making.acquire().await.expect("nothing closes it");
    let still = match log.still(&id, run, pts, quality).await {
        Err(MediaError::Missing(detail)) => return Err(missing(&**log, &id, (run, pts), detail).await?),
        made => made?,
    };
    let mut fields = told(run, still.pts, still.time_base);
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"));
    Ok((fields, still.jpeg).into_response())
}

/// Why there is no picture: with what the recording has, where it has nothing there.
async fn missing(
    log: &dyn MediaLog,
    stream: &StreamId,
    (run, pts): (u32, i64),
    detail: String,
) -> Result<Failure, Failure> {
    let window = Window::Media(run, pts..pts.saturating_add(1));
    match window.segments(log, stream).await {
        Ok(_) => Ok(Failure::missing("Not recorded", detail)),
        Err(nothing) => Ok(nothing),
    }
}

fn told(run: u32, pts: i64, time_base: TimeBase) -> HeaderMap {
    let mut fields = HeaderMap::new();
    MediaTime { run: Some(run), pts, time_base }.tell(&mut fields);
    fields
}

/// Run and media time that are shown at a moment.
async fn shown_at(log: &dyn MediaLog, stream: &StreamId, wall_ms: i64) -> Result<(u32, i64), Failure> {
    let around = |wall: Range<i64>| SegmentQuery {
        stream: Some(stream.clone()),
        wall_ms: Some(wall),
        newest_first: true,
        limit: 1,
        ..SegmentQuery::default()
    };
    // The segment of the moment, or the one before it where the moment lies between two.
    let here = log.segments(&around(wall_ms..wall_ms.saturating_add(1))).await?;
    let found = match here.into_iter().next() {
        Some(found) => Some(found),
        None => {
            log.segments(&around(wall_ms.saturating_sub(LOOK_BACK_MS)..wall_ms)).await?.into_iter().next()
        }
    };
    let Some(segment) = found else { return Err(nothing_at(log, stream).await?) };
    let pts = at(&segment, wall_ms);
    // A moment after the last picture came in and before it ends is still its own; later ones are not recorded.
    let lasts_ms = segment.time_base.seconds(segment.end_pts.saturating_sub(segment.first_pts)) * 1e3;
    let ends_ms = segment.ended_ms.max(segment.began_ms.saturating_add(lasts_ms.ceil() as i64));
    if wall_ms > ends_ms {
        return Err(nothing_at(log, stream).await?);
    }
    Ok((segment.run, pts.min(segment.end_pts.saturating_sub(1)).max(segment.first_pts)))
}
