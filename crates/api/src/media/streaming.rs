//! The playlists of contract 3: `/streaming/{stream_key}.m3u8` and the segments beside it, over the same code as ours. A stream key
//! is the name of a stream.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};

use super::{
    hls::{self, Directives, PieceQuery},
    log,
    shelf::Place,
};
use crate::{
    access::SignedQuery,
    extract::Params,
    failure::{Failure, Refused},
    state::Shared,
};

/// Gives the playlist of a stream
///
/// `{stream_key}.m3u8`: the live playlist, as below `/api/v1`.
#[utoipa::path(get, path = "/streaming/{playlist}", operation_id = "stream_playlist", tag = "streaming",
    params(("playlist" = String, Path, description = "`{stream_key}.m3u8`", example = "cam1.m3u8"), Directives),
    responses(
        (status = 200, description = "A media playlist", body = String, content_type = "application/vnd.apple.mpegurl"),
        (status = 404, description = "There is no such stream, or nothing of it is live"),
    ),
    extensions(("x-role" = json!("viewer")), ("x-stream" = json!("path:playlist.m3u8")), ("x-media" = json!("kept"))))]
pub(super) async fn playlist(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    signed: Option<Extension<SignedQuery>>,
    directives: Result<Params<Directives>, Failure>,
) -> Result<Response, Refused> {
    let Params(directives) = directives?;
    let key = name.strip_suffix(".m3u8").ok_or_else(|| Failure::malformed("a playlist ends in .m3u8"))?;
    let id = key.parse().map_err(Failure::malformed)?;
    Ok(hls::live_playlist(&shared, &id, &directives, Place::Beside, signed.as_deref()).await?)
}

/// Gives a file of the playlist of a stream
#[utoipa::path(get, path = "/streaming/{id}/{piece}", operation_id = "stream_media", tag = "streaming",
    params(("id" = String, Path, description = "The stream key"),
        ("piece" = String, Path, description = "Name of the file, as the playlist says it", example = "7.m4s"),
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
    query: Result<Params<PieceQuery>, Failure>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let Params(query) = query?;
    let id = id.parse().map_err(Failure::malformed)?;
    Ok(hls::answer(log(&shared)?, &id, &name, &query, &headers).await?)
}
