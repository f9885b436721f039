//! Media playlists (RFC 8216bis, `draft-pantos-hls-rfc8216bis`), as text. Pure: what is recorded in, text out.
//!
//! `EXT-X-DISCONTINUITY` stands where another run begins, and where the tracks change within one. The URI of the `EXT-X-MAP` after it names
//! the run, so a player that shows a picture knows it, and the picture's PTS is the time in the file.

mod live;
mod reload;
mod text;
mod vod;

#[cfg(test)]
pub(super) mod sample;
#[cfg(test)]
mod tests;

pub(super) use live::{live, multivariant, tail};
pub(super) use reload::{Asked, Standing, standing};
pub(super) use text::Playlist;
pub(super) use vod::{Begin, vod};
