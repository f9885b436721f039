//! Video over HTTP or HTTPS: a file, or a stream that does not end. Bytes come through the one client, under the address
//! policy; libav sees nothing else.

mod error;
mod input;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use ocelli_media::{AccessUnit, AudioUnit, CodecParameters, libav::Demuxer};
use ocelli_net::{Client, shown};
use tokio::runtime::Handle;
use url::Url;

pub use self::error::HttpError;
use self::input::{HttpInput, Link};
use super::file::is_playlist;
use crate::{Source, SourceError, Stop};

/// Enough to know a playlist, and where an MP4 file has its index.
const START: usize = 1024;
/// Probing reads seconds of a stream before its first picture: so many times the patience between two.
const TO_BEGIN: u32 = 3;
/// Media types of what names other files (RFC 8216 section 4, ISO/IEC 23009-1 annex C).
const PLAYLISTS: [&str; 5] = [
    "application/vnd.apple.mpegurl",
    "application/x-mpegurl",
    "audio/mpegurl",
    "audio/x-mpegurl",
    "application/dash+xml",
];

/// How a file or stream is read over HTTP.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// Connects, under its address policy. User and password of the URL are told as HTTP's basic authentication.
    pub client: Client,
    /// From looking up the name to the head of the answer, redirects included.
    pub connect_timeout: Duration,
    /// Longest time without a picture; three times as long before the first. What else comes meanwhile does not count.
    pub stall_timeout: Duration,
    /// Whether the end of something without a size is no end but a fault.
    pub is_live: bool,
    /// Ends a wait from another thread.
    pub stop: Stop,
    /// Where the connection's timers and socket live; one of the source's own if `None`. Needs I/O and time enabled, and
    /// a thread that drives it; outlives the source.
    pub runtime: Option<Handle>,
}

impl HttpOptions {
    /// 10 s each for the connection and between pictures; a file.
    pub fn new(client: Client) -> Self {
        let patience = Duration::from_secs(10);
        Self {
            client,
            connect_timeout: patience,
            stall_timeout: patience,
            is_live: false,
            stop: Stop::default(),
            runtime: None,
        }
    }
}

/// Any video that the system's FFmpeg reads, from a server. Read as fast as it is consumed: nothing is read ahead but what
/// sockets hold. Where the server knows byte ranges, libav may jump.
///
/// Blocking; not for asynchronous tasks, its drop neither.
pub struct HttpSource {
    url: Url,
    options: HttpOptions,
    link: Link,
    demuxer: Demuxer,
}

impl HttpSource {
    /// Connects, and probes what comes.
    pub fn open(url: &Url, options: HttpOptions) -> Result<Self, SourceError> {
        let link = Link::new(options.stall_timeout.saturating_mul(TO_BEGIN));
        let mut input = HttpInput::open(url, options.clone(), link.clone())?;
        let start = input.start(START)?;
        if start.is_empty() {
            return Err(SourceError::Empty);
        }
        let named = input.media_type().is_some_and(|kind| PLAYLISTS.contains(&kind.as_str()));
        if named || is_playlist(&start) {
            return Err(SourceError::Playlist);
        }
        if !input.is_reachable() && has_media_before_index(&start) {
            return Err(HttpError::NoRanges.into());
        }
        let opened = Demuxer::open_with_audio(Box::new(input));
        // What the connection did goes before what libav made of it.
        if let Some(failure) = link.take_failure() {
            return Err(failure);
        }
        Ok(Self { url: url.clone(), options, link, demuxer: opened? })
    }
}

/// Whether an MP4 file (ISO/IEC 14496-12 section 6.3) shows its pictures before its index, as far as its start shows.
fn has_media_before_index(start: &[u8]) -> bool {
    let mut rest = start;
    if rest.get(4..8) != Some(b"ftyp") {
        return false;
    }
    while let Some((head, _)) = rest.split_at_checked(8) {
        let size = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        match &head[4..] {
            b"mdat" => return true,
            b"moov" | b"moof" => return false,
            _ => {}
        }
        match rest.get(size..) {
            Some(next) if size >= 8 => rest = next,
            _ => return false,
        }
    }
    false
}

impl Source for HttpSource {
    fn parameters(&self) -> &Arc<CodecParameters> {
        self.demuxer.parameters()
    }

    fn next_unit(&mut self) -> Result<Option<AccessUnit>, SourceError> {
        self.link.allow(self.options.stall_timeout);
        let next = self.demuxer.next_unit();
        match self.link.take_failure() {
            Some(failure) => Err(failure),
            None => Ok(next?),
        }
    }

    fn next_audio(&mut self) -> Option<AudioUnit> {
        self.demuxer.next_audio()
    }

    fn damage(&self) -> Option<&str> {
        self.demuxer.damage()
    }

    fn rewind(&mut self) -> Result<bool, SourceError> {
        *self = Self::open(&self.url, self.options.clone())?;
        Ok(true)
    }
}

impl fmt::Debug for HttpSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSource").field("url", &shown(&self.url)).finish_non_exhaustive()
    }
}
