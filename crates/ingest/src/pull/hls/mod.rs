//! HLS (RFC 8216), live or whole, in MPEG-TS or fragmented MP4. Every address that a playlist names goes through the one client
//! under the address policy; libav sees the bytes of segments and nothing else.
//!
//! Whole segments of one rendition are read: the variant with the most bits a second of H.264 or H.265, and the sound in it. Parts
//! of low-latency lists, renditions of sound alone and encrypted media are not.

pub mod cursor;
pub mod date;
mod error;
mod feed;
mod fetch;
mod list;
pub mod playlist;

use std::{fmt, sync::Arc};

use ocelli_media::{AccessUnit, AudioQueue, AudioUnit, CodecParameters, libav::Demuxer};
use ocelli_net::shown;
use url::Url;

pub use self::{error::HlsError, playlist::PlaylistError};
use self::{
    feed::{Feed, Shared, Stretch},
    fetch::Fetch,
    list::List,
};
use super::http::HttpOptions;
use crate::{Source, SourceError, WallAnchor};

/// Probing reads seconds of a stream before its first picture: so many times the patience between two.
const TO_BEGIN: u32 = 3;

/// Media that a playlist names. A whole list is read from its start, a live one from three target durations before its end, as
/// fast as it is asked and comes. PTS are those of the segments. Where a playlist says that they do not go on
/// (a discontinuity, other initialisation, segments that were missed), a demuxer begins anew and PTS step as the media's do:
/// whoever follows the run rule has a new run there. Another time base there ends the source.
///
/// Patience between pictures is that of the options, and twice the target duration where the list is live.
///
/// Blocking; not for asynchronous tasks, its drop neither.
pub struct HlsSource {
    url: Url,
    options: HttpOptions,
    feed: Shared,
    demuxer: Demuxer,
    /// Of an earlier stretch, or what was missed.
    damage: Option<String>,
    /// Sound of the stretch before that nobody has taken.
    left: AudioQueue,
    /// The next unit is the first of its stretch.
    begins: bool,
    anchor: Option<WallAnchor>,
}

impl HlsSource {
    /// Reads the playlist, and probes what comes. `is_live` of the options says nothing here: the playlist does.
    pub fn open(url: &Url, options: HttpOptions) -> Result<Self, SourceError> {
        let mut fetch = Fetch::new(options.clone())?;
        fetch.allow(options.stall_timeout.saturating_mul(TO_BEGIN));
        let list = List::open(&fetch, url)?;
        let feed = Shared::new(Feed::new(fetch, list));
        let demuxer = stretch(&feed, &options, TO_BEGIN)?;
        Ok(Self {
            url: url.clone(),
            options,
            feed,
            demuxer,
            damage: None,
            left: AudioQueue::default(),
            begins: true,
            anchor: None,
        })
    }

    /// The stretch is over.
    fn go_on(&mut self) -> Result<bool, SourceError> {
        let (goes_on, live) = {
            let mut feed = self.feed.feed();
            (feed.next_stretch(), feed.list().is_live())
        };
        if !goes_on {
            return Ok(false);
        }
        if let Some(damage) = self.demuxer.damage() {
            self.damage.get_or_insert(damage.to_owned());
        }
        while let Some(sound) = self.demuxer.next_audio() {
            self.left.push(sound);
        }
        let next = stretch(&self.feed, &self.options, TO_BEGIN)?;
        if next.parameters().time_base != self.demuxer.parameters().time_base {
            return Err(HlsError::TimeBase { live }.into());
        }
        (self.demuxer, self.begins) = (next, true);
        Ok(true)
    }

    /// What is known of the picture that begins a stretch.
    fn begin(&mut self, unit: &AccessUnit) {
        let feed = self.feed.feed();
        if let Some(unix_ns) = feed.date().and_then(date::unix_ns) {
            self.anchor = Some(WallAnchor { pts: unit.pts, unix_ns });
        }
        let missed = feed.missed();
        if missed > 0 {
            self.damage
                .get_or_insert_with(|| format!("segments that were gone before they were read: {missed}"));
        }
        self.begins = false;
    }
}

/// A demuxer for the next stretch.
fn stretch(feed: &Shared, options: &HttpOptions, times: u32) -> Result<Demuxer, SourceError> {
    allow(feed, options, times);
    let opened = Demuxer::open_with_audio(Box::new(Stretch::new(feed.clone())));
    // What the connection did goes before what libav made of it.
    match feed.feed().take_failure() {
        Some(failure) => Err(failure),
        None => Ok(opened?),
    }
}

fn allow(feed: &Shared, options: &HttpOptions, times: u32) {
    let mut feed = feed.feed();
    let patience = options.stall_timeout.saturating_add(feed.list().patience());
    feed.fetch().allow(patience.saturating_mul(times));
}

impl Source for HlsSource {
    fn parameters(&self) -> &Arc<CodecParameters> {
        self.demuxer.parameters()
    }

    fn next_unit(&mut self) -> Result<Option<AccessUnit>, SourceError> {
        loop {
            allow(&self.feed, &self.options, 1);
            let next = self.demuxer.next_unit();
            if let Some(failure) = self.feed.feed().take_failure() {
                return Err(failure);
            }
            match next? {
                Some(unit) => {
                    if self.begins {
                        self.begin(&unit);
                    }
                    return Ok(Some(unit));
                }
                None if self.go_on()? => {}
                None => return Ok(None),
            }
        }
    }

    fn next_audio(&mut self) -> Option<AudioUnit> {
        self.left.pop().or_else(|| self.demuxer.next_audio())
    }

    fn damage(&self) -> Option<&str> {
        self.damage.as_deref().or(self.demuxer.damage())
    }

    fn anchor(&self) -> Option<WallAnchor> {
        self.anchor
    }

    fn rewind(&mut self) -> Result<bool, SourceError> {
        *self = Self::open(&self.url, self.options.clone())?;
        Ok(true)
    }
}

impl fmt::Debug for HlsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HlsSource").field("url", &shown(&self.url)).finish_non_exhaustive()
    }
}
