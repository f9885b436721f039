//! HTTP Live Streaming: playlists, and the segments, parts and initialisation segments beside them.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use ocelli_archive::LiveWindow;
use ocelli_model::StreamId;
use serde::Deserialize;
use tokio::time::timeout;
use utoipa::IntoParams;

use super::{
    log,
    log::MediaLog,
    pieces::{Piece, patience, waited},
    playlist::{self, Asked, Begin, Standing, standing, tail},
    shelf::Place,
    window::{Window, WindowQuery, at},
};
use crate::{
    access::SignedQuery,
    extract::{Named, Params},
    failure::Failure,
    state::Shared,
};

/// Media type of playlists (RFC 8216, section 4).
pub(super) const PLAYLIST: &str = "application/vnd.apple.mpegurl";

/// Longest that a reload waits: hls.js takes an answer that has not begun after 10 s for none.
const LONGEST_RELOAD: Duration = Duration::from_secs(8);

/// Delivery directives (RFC 8216bis, section 6.2.5). Others are passed over, as that section asks.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Directives {
    /// Wait until the playlist holds the segment with this media sequence number.
    #[serde(rename = "_HLS_msn")]
    #[param(rename = "_HLS_msn", example = 1)]
    msn: Option<u64>,
    /// And this part of it.
    #[serde(rename = "_HLS_part")]
    #[param(rename = "_HLS_part")]
    part: Option<u64>,
    /// `YES` or `v2`: leave out what lies beyond the skip boundary.
    #[serde(rename = "_HLS_skip")]
    #[param(rename = "_HLS_skip", example = "YES")]
    skip: Option<String>,
}

/// Where an initialisation segment is found.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PieceQuery {
    /// Number of a segment that begins with the initialisation segment that is asked for; playlists of the archive say it.
    segment: Option<u64>,
}

/// Gives the live playlist
///
/// Low-latency HLS by RFC 8216bis: parts of about 200 ms, blocking reload, preload hints, delta updates; plain players use the
/// same. Segments are numbered through all runs of the stream. `EXT-X-DISCONTINUITY` stands where another run begins and where the
/// tracks change; the URI of `EXT-X-MAP` names the run (`run`). `EXT-X-PROGRAM-DATE-TIME` is when a segment's first picture came in.
/// A reload that waits in vain for 8 s, or three target durations where these are shorter, is given the playlist as it stands.
#[utoipa::path(get, path = "/api/v1/streams/{id}/hls/live.m3u8", operation_id = "read_live_playlist", tag = "playback",
    params(("id" = String, Path, description = "Name of the stream"), Directives),
    responses((status = 200, description = "A media playlist", body = String, content_type = "application/vnd.apple.mpegurl")),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("path:id")), ("x-media" = json!("kept"))))]
pub(super) async fn live(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
    signed: Option<Extension<SignedQuery>>,
    Params(directives): Params<Directives>,
) -> Result<Response, Failure> {
    live_playlist(&shared, &id, &directives, Place::Among, signed.as_deref()).await
}

/// The live playlist, as both interfaces give it.
pub(super) async fn live_playlist(
    shared: &Shared,
    id: &StreamId,
    directives: &Directives,
    place: Place,
    signed: Option<&SignedQuery>,
) -> Result<Response, Failure> {
    let asked = directives.asked()?;
    let Some(mut view) = log(shared)?.live(id) else {
        shared.playlists.forget(id);
        shared.state.engine.status(id)?;
        return Err(not_live(id));
    };
    let is_too_far = |standing: Standing| standing == Standing::TooFar;
    if asked.is_some_and(|asked| is_too_far(standing(&view.now(), asked))) {
        return Err(Failure::malformed("_HLS_msn or _HLS_part is further ahead than any playlist told"));
    }
    // What a playlist promises of lengths it can never take back, and one without segments is of no use to plain players.
    let promised = |window: &LiveWindow| window.target_seconds > 0 || window.ended;
    let stands = |window: &LiveWindow| match asked {
        Some(asked) => standing(window, asked) != Standing::Later,
        None => tail(window).len() > 1 || window.ended,
    };
    let patience = patience(&view.now()).min(LONGEST_RELOAD);
    let ready = timeout(patience, view.wait(|window| promised(window) && stands(window))).await;
    // Not 503, which section 6.2.5.2 has for it: hls.js gives up after three of those, for good. What has not changed it asks for again,
    // without waiting. So players live through the absence of a source.
    let window = ready.unwrap_or_else(|_elapsed| view.now());
    if tail(&window).is_empty() || !promised(&window) {
        return Err(if window.ended { not_live(id) } else { only_begun() });
    }
    let delta = directives.skip.as_deref().is_some_and(|word| word == "YES" || word == "v2");
    let written = shared.playlists.of(id, &window);
    Ok(text(written.playlist(place, delta).with_query(signed.map(|signed| &*signed.0))))
}

/// That there is nothing to follow.
pub(super) fn not_live(id: &StreamId) -> Failure {
    Failure::missing("Not live", format!("nothing of stream {id} is live; its archive may have more"))
}

fn only_begun() -> Failure {
    Failure::unavailable("the recording has only begun")
}

impl Directives {
    fn asked(&self) -> Result<Option<Asked>, Failure> {
        match (self.msn, self.part) {
            (None, Some(_)) => Err(Failure::malformed("_HLS_part needs _HLS_msn")),
            (None, None) => Ok(None),
            (Some(msn), part) => Ok(Some(Asked { msn, part })),
        }
    }
}

/// Gives the multivariant playlist
///
/// It says codecs, size and bandwidth of the stream and names `live.m3u8`. Where a stream changes its codecs it says those of
/// the newest segment.
#[utoipa::path(get, path = "/api/v1/streams/{id}/hls/index.m3u8", operation_id = "read_multivariant_playlist", tag = "playback",
    params(("id" = String, Path, description = "Name of the stream")),
    responses((status = 200, description = "A multivariant playlist", body = String, content_type = "application/vnd.apple.mpegurl")),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("path:id")), ("x-media" = json!("kept"))))]
pub(super) async fn multivariant(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
    signed: Option<Extension<SignedQuery>>,
) -> Result<Response, Failure> {
    let Some(mut view) = log(&shared)?.live(&id) else {
        shared.state.engine.status(&id)?;
        return Err(not_live(&id));
    };
    // Until a segment is whole its bandwidth is a guess.
    let window = waited(&mut view, |window| window.segments.len() > 1 || window.ended).await?;
    let playlist = playlist::multivariant(&window, "live.m3u8");
    let playlist = playlist.ok_or_else(|| if window.ended { not_live(&id) } else { only_begun() })?;
    Ok(text(playlist.with_query(signed.as_ref().map(|signed| &*signed.0.0))))
}

/// Gives a playlist of the archive
///
/// All sealed segments that hold some of a stretch of wall or media time, as a playlist that is complete. `EXT-X-START` says where
/// in it the stretch begins, exactly. Media that is missing within a run is written as `EXT-X-GAP`.
#[utoipa::path(get, path = "/api/v1/streams/{id}/hls/archive.m3u8", operation_id = "read_archive_playlist", tag = "playback",
    params(("id" = String, Path, description = "Name of the stream"), WindowQuery),
    responses((status = 200, description = "A media playlist", body = String, content_type = "application/vnd.apple.mpegurl")),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("path:id")), ("x-media" = json!("made"))))]
pub(super) async fn archive(
    State(shared): State<Arc<Shared>>,
    Named(id): Named,
    signed: Option<Extension<SignedQuery>>,
    Params(query): Params<WindowQuery>,
) -> Result<Response, Failure> {
    let window = query.read()?;
    let _permit = shared.long_reads.acquire().await.expect("nothing closes it");
    let segments = window.segments(&**log(&shared)?, &id).await?;
    let first = &segments[0];
    let begins = match &window {
        Window::Wall(wall) => at(first, wall.start),
        Window::Media(_, pts) => pts.start.max(first.first_pts),
    };
    let begin = (begins > first.first_pts).then(|| Begin(first.time_base.seconds(begins - first.first_pts)));
    let playlist = playlist::vod(&segments, begin).map_err(Failure::invalid)?;
    Ok(text(playlist.with_query(signed.as_ref().map(|signed| &*signed.0.0))))
}

/// Gives a file of a playlist
///
/// `init-{name}.mp4`: an initialisation segment. `{number}.m4s`: a segment. `{number}.{part}.m4s`: a part of a segment; one that
/// comes next is waited for. None of them ever changes.
#[utoipa::path(get, path = "/api/v1/streams/{id}/hls/{piece}", operation_id = "read_media", tag = "playback",
    params(("id" = String, Path, description = "Name of the stream"),
        ("piece" = String, Path, description = "Name of the file, as playlists say it", example = "7.m4s"),
        PieceQuery,
        ("Range" = Option<String>, Header, description = "Bytes of it")),
    responses(
        (status = 200, description = "All of it", body = Vec<u8>, content_type = "video/mp4"),
        (status = 206, description = "The bytes that were asked for", body = Vec<u8>, content_type = "video/mp4"),
        (status = 416, description = "It has no such bytes"),
    ),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("path:id")), ("x-media" = json!("kept"))))]
pub(super) async fn piece(
    State(shared): State<Arc<Shared>>,
    Path((id, name)): Path<(String, String)>,
    Params(query): Params<PieceQuery>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let id = id.parse().map_err(Failure::malformed)?;
    answer(log(&shared)?, &id, &name, &query, &headers).await
}

/// A file of a playlist, as both interfaces give it.
pub(super) async fn answer(
    log: &Arc<dyn MediaLog>,
    id: &StreamId,
    name: &str,
    query: &PieceQuery,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    let Some(piece) = Piece::read(name) else {
        let detail = format!("{name:?} is no file of a playlist: init-….mp4, 7.m4s, 7.2.m4s");
        return Err(Failure::missing("Not recorded", detail));
    };
    piece.answer(log, id, query.segment, headers).await
}

/// A playlist as an answer: to be asked for anew each time.
fn text(playlist: Bytes) -> Response {
    let fields = [
        (header::CONTENT_TYPE, HeaderValue::from_static(PLAYLIST)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (fields, playlist).into_response()
}
