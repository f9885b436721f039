//! What goes wrong with HLS beside what goes wrong with HTTP.

use super::playlist::PlaylistError;
use crate::Fault;

/// Why a playlist, or what it names, cannot be read. No text of it holds a secret of a URL.
#[derive(Debug, thiserror::Error)]
pub enum HlsError {
    /// Not a playlist, or a broken one.
    #[error("the playlist cannot be used: {0}")]
    Playlist(#[from] PlaylistError),
    /// Lists of lists end somewhere.
    #[error("the playlist names variants, and one of these names variants again")]
    Nested,
    /// Sound alone, or pictures that cannot be read.
    #[error("none of the playlist's variants says that it has video of H.264 or H.265")]
    NoVariant,
    /// What it names is no address.
    #[error("the playlist names something that is no http or https address")]
    Address,
    /// What began encrypted stays encrypted.
    #[error("a playlist over https names media over http")]
    Downgrade,
    /// A key would be needed.
    #[error("the media is encrypted ({0}), which is not supported")]
    Encrypted(String),
    /// An error page, for one.
    #[error("a segment is neither MPEG-TS nor fragmented MP4{0}")]
    Segment(&'static str),
    /// A part of a file was named, and the server sends all of it.
    #[error("the playlist names parts of a file, and its server does not send parts")]
    NoRanges,
    /// More than any initialisation section takes.
    #[error("an initialisation section is larger than 1 MiB")]
    LargeMap,
    /// There is nothing in it.
    #[error("the playlist names no segments")]
    NoSegments,
    /// The numbers of segments began anew.
    #[error("the server began its playlist anew")]
    Restarted,
    /// Times of one run have one base.
    #[error("the media goes on in another time base after a discontinuity")]
    TimeBase {
        /// Whoever begins again begins behind it.
        live: bool,
    },
}

impl HlsError {
    /// What failed, and with that whether trying again soon may help.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Address | Self::Downgrade => Fault::Caller,
            Self::TimeBase { live: false }
            | Self::Nested
            | Self::NoVariant
            | Self::Encrypted(_)
            | Self::NoRanges
            | Self::LargeMap => Fault::Media,
            // It may be an error page of a server that will be well again.
            Self::Playlist(_)
            | Self::Segment(_)
            | Self::NoSegments
            | Self::Restarted
            | Self::TimeBase { live: true } => Fault::Server,
        }
    }
}
