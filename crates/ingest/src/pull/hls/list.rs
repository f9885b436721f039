//! The list of segments, and how it grows.

use std::time::{Duration, Instant};

use url::Url;

use super::{
    HlsError,
    fetch::{Fetch, resolve},
    playlist::{MOST_BYTES, Media, Playlist, Variant},
};
use crate::{Fault, SourceError, pull::paced::now};

/// A server is not asked more often, whatever its list says, and at least now and then.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_mins(1));
/// Video that can be read, as RFC 6381 names it.
const CODECS: [&str; 4] = ["avc1", "avc3", "hvc1", "hev1"];

/// A media playlist of a server.
pub(super) struct List {
    /// Where redirects led: what it names is relative to that.
    place: Url,
    /// What is asked for.
    url: Url,
    media: Media,
    looked: Instant,
    /// The last look found something new.
    grew: bool,
}

impl List {
    /// Reads it, by way of the best variant where there are several.
    pub(super) fn open(fetch: &Fetch, url: &Url) -> Result<Self, SourceError> {
        let (place, playlist) = load(fetch, url)?;
        let (url, place, media) = match playlist {
            Playlist::Media(media) => (url.clone(), place, media),
            Playlist::Variants(variants) => {
                let best = best(&variants).ok_or(HlsError::NoVariant)?;
                let url = resolve(&place, &best.uri)?;
                match load(fetch, &url)? {
                    (place, Playlist::Media(media)) => (url, place, media),
                    (_, Playlist::Variants(_)) => return Err(HlsError::Nested.into()),
                }
            }
        };
        if media.ended && media.segments.is_empty() {
            return Err(HlsError::NoSegments.into());
        }
        Ok(Self { place, url, media, looked: now(), grew: true })
    }

    pub(super) fn media(&self) -> &Media {
        &self.media
    }

    pub(super) fn place(&self) -> &Url {
        &self.place
    }

    pub(super) fn is_live(&self) -> bool {
        !self.media.ended
    }

    /// How long its next segment may be away.
    pub(super) fn patience(&self) -> Duration {
        if self.is_live() { self.target().saturating_mul(2) } else { Duration::ZERO }
    }

    fn target(&self) -> Duration {
        self.media.target.clamp(PAUSES.0, PAUSES.1)
    }

    /// How long to wait before it may hold something new (section 6.3.4).
    pub(super) fn pause(&self) -> Duration {
        let wait = if self.grew { self.target() } else { (self.target() / 2).max(PAUSES.0) };
        wait.saturating_sub(now().saturating_duration_since(self.looked))
    }

    /// Looks again where that is due: segments leave the list at its other end. A server that has a bad moment is
    /// asked again.
    pub(super) fn refresh(&mut self, fetch: &Fetch) -> Result<(), SourceError> {
        if !self.is_live() || !self.pause().is_zero() {
            return Ok(());
        }
        let loaded = load(fetch, &self.url);
        self.looked = now();
        let (place, media) = match loaded {
            Ok((place, Playlist::Media(media))) => (place, media),
            Ok((_, Playlist::Variants(_))) => return Err(HlsError::Nested.into()),
            Err(error) if matches!(error.fault(), Fault::Network | Fault::Server) => {
                tracing::debug!(%error, "the playlist cannot be read now");
                self.grew = false;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let end = |media: &Media| media.first.saturating_add(media.segments.len() as u64);
        self.grew = end(&media) > end(&self.media);
        (self.place, self.media) = (place, media);
        Ok(())
    }
}

fn load(fetch: &Fetch, url: &Url) -> Result<(Url, Playlist), SourceError> {
    let mut body = fetch.ask(url, 0)?;
    let whole = fetch.whole(&mut body, MOST_BYTES)?;
    // One byte more than is read says so itself.
    let bytes = whole.unwrap_or_else(|| vec![0; MOST_BYTES + 1]);
    let playlist = Playlist::read(&bytes).map_err(HlsError::Playlist)?;
    Ok((body.place().clone(), playlist))
}

/// The most bits a second of video that we read; of several that do not say what they hold, the same.
fn best(variants: &[Variant]) -> Option<&Variant> {
    let readable = |variant: &&Variant| match &variant.codecs {
        Some(codecs) => {
            codecs.split(',').any(|codec| CODECS.iter().any(|known| codec.trim().starts_with(known)))
        }
        None => true,
    };
    let said = |variant: &Variant| variant.codecs.is_some();
    variants.iter().filter(readable).max_by_key(|variant| (said(variant), variant.bandwidth))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_variant_is_one_that_can_be_read() {
        let variant = |uri: &str, bandwidth, codecs: Option<&str>| Variant {
            uri: uri.to_owned(),
            bandwidth,
            codecs: codecs.map(str::to_owned),
        };
        let (sound, low) =
            (variant("sound", 9, Some("mp4a.40.2")), variant("low", 5, Some("mp4a.40.2, avc1.64001f")));
        let (high, new) =
            (variant("high", 7, Some("hvc1.1.6.L93.B0")), variant("new", 8, Some("av01.0.05M.08")));
        let unsaid = variant("unsaid", 99, None);
        let best = |variants: &[&Variant]| {
            let variants: Vec<_> = variants.iter().copied().cloned().collect();
            best(&variants).map(|variant| variant.uri.clone())
        };
        assert_eq!(best(&[&sound, &low, &high, &new, &unsaid]).as_deref(), Some("high"));
        assert_eq!(best(&[&sound, &low, &new]).as_deref(), Some("low"));
        assert_eq!(best(&[&sound, &unsaid]).as_deref(), Some("unsaid"));
        assert_eq!(best(&[&sound, &new]), None);
    }
}
