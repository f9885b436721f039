//! Media playlists (RFC 8216bis, `draft-pantos-hls-rfc8216bis`), as text. Pure: what is recorded in, text out.
//!
//! The discontinuity sequence number of a segment is the ordinal of its run, in live playlists and in those of the archive: where
//! ordinals are skipped, several `EXT-X-DISCONTINUITY` stand in a row. So a player that shows a picture knows its run, and the
//! picture's PTS is the time in the file.

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
