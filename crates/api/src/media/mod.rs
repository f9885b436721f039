//! Playback: playlists and segments, media over WebSockets, clips, single pictures, and what is recorded.
//!
//! All of it is served from two places, behind [`MediaLog`]: the newest segments from memory, the others from the archive, and
//! always the bytes that were recorded. Times are PTS in the stream's own time base. Wall time asks for a stretch and is
//! written into playlists for people; nothing is joined by it.

mod archive;
mod boxes;
mod clip;
mod hls;
mod log;
mod pieces;
mod playlist;
mod pour;
mod range;
mod recording;
mod shelf;
mod socket;
mod streaming;
mod urls;
mod wall;
mod window;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

pub use log::{Clip, MediaError, MediaLog, Still};
pub(crate) use shelf::PlaylistShelf;
pub(crate) use socket::MediaMessage;
pub(crate) use wall::Wall;

use crate::{failure::Failure, state::Shared};

pub(crate) fn routes() -> OpenApiRouter<Arc<Shared>> {
    OpenApiRouter::default()
        .routes(routes!(hls::live))
        .routes(routes!(hls::multivariant))
        .routes(routes!(hls::archive))
        .routes(routes!(hls::piece))
        .routes(routes!(socket::media))
        .routes(routes!(clip::clip))
        .routes(routes!(clip::frame))
        .routes(routes!(recording::read))
        .routes(routes!(recording::segments))
        .routes(routes!(recording::pin))
        .routes(routes!(recording::unpin))
        .routes(routes!(urls::create))
        .routes(routes!(streaming::playlist))
        .routes(routes!(streaming::piece))
}

/// The archive, where there is one.
fn log(shared: &Shared) -> Result<&Arc<dyn MediaLog>, Failure> {
    let detail = "this server records nothing; give it a folder for recordings";
    shared.state.media.as_ref().ok_or_else(|| Failure::unavailable(detail))
}

impl From<MediaError> for Failure {
    fn from(error: MediaError) -> Self {
        match error {
            MediaError::Store(cause) => cause.into(),
            MediaError::Missing(detail) => Self::missing("Not recorded", detail),
            MediaError::Unavailable(detail) => Self::unavailable(detail),
            MediaError::Broken(_) => Self::internal("recorded media cannot be read", &error),
        }
    }
}
