//! Playlists of HLS (RFC 8216), as far as whole segments of one rendition need them.

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

/// Largest playlist: a day of 2 s segments takes half of it.
pub(super) const MOST_BYTES: usize = 8 << 20;
/// Most that one playlist may name.
const MOST_SEGMENTS: usize = 100_000;
const MOST_VARIANTS: usize = 256;
/// Longest time that a segment may claim.
const LONGEST: f64 = 3600.0;

/// What a playlist names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Playlist {
    /// Other playlists with the same content.
    Variants(Vec<Variant>),
    /// Media.
    Media(Media),
}

/// One of several qualities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variant {
    /// Where its own playlist lies, as written.
    pub uri: String,
    /// Bits per second at most; 0 where it does not say.
    pub bandwidth: u64,
    /// As in RFC 6381, where it says.
    pub codecs: Option<String>,
}

/// Segments after each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Media {
    /// The longest that a segment is.
    pub target: Duration,
    /// Number of the first.
    pub first: u64,
    /// In order.
    pub segments: Vec<Segment>,
    /// Nothing will be added.
    pub ended: bool,
}

/// A piece of media.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// As written.
    pub uri: String,
    /// Of what the URI names; all of it if `None`.
    pub range: Option<Range>,
    /// How long it says it is.
    pub duration: Duration,
    /// Its times, or its coding, do not go on from the one before.
    pub discontinuity: bool,
    /// It is known not to be there.
    pub gap: bool,
    /// What must be read before it.
    pub map: Option<Arc<Map>>,
    /// How it is encrypted.
    pub encryption: Option<String>,
    /// Wall time of its first picture, as written.
    pub date: Option<String>,
}

/// An initialisation section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    /// As written.
    pub uri: String,
    /// Of what the URI names; all of it if `None`.
    pub range: Option<Range>,
}

/// A piece of a larger thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Its first byte, counted from 0.
    pub first: u64,
    /// How many.
    pub bytes: u64,
}

/// Why a playlist cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PlaylistError(pub(super) &'static str);

impl Range {
    /// One that ends somewhere.
    fn of(first: u64, bytes: u64) -> Result<Self, PlaylistError> {
        first.checked_add(bytes).ok_or(PlaylistError("a byte range ends nowhere"))?;
        Ok(Self { first, bytes })
    }
}

impl Playlist {
    /// Reads a playlist: text of at most 8 MiB that names at most 100,000 segments or 256 variants.
    pub fn read(bytes: &[u8]) -> Result<Self, PlaylistError> {
        if bytes.len() > MOST_BYTES {
            return Err(PlaylistError("it is larger than 8 MiB"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_error| PlaylistError("it is no text"))?;
        let mut lines = text.strip_prefix('\u{feff}').unwrap_or(text).lines().map(str::trim);
        if lines.next() != Some("#EXTM3U") {
            return Err(PlaylistError("it does not begin with #EXTM3U"));
        }
        let mut reader = Reader::default();
        for line in lines {
            match line.strip_prefix("#EXT") {
                Some(tag) => reader.tag(tag)?,
                None if line.is_empty() || line.starts_with('#') => {}
                None => reader.uri(line)?,
            }
        }
        reader.end()
    }
}

/// What was read so far, and what the next URI will take.
#[derive(Default)]
struct Reader {
    media: Media,
    variants: Vec<Variant>,
    has_target: bool,
    variant: Option<Variant>,
    duration: Option<Duration>,
    range: Option<(u64, Option<u64>)>,
    discontinuity: bool,
    gap: bool,
    date: Option<String>,
    /// Hold until they are said anew.
    map: Option<Arc<Map>>,
    encryption: Option<String>,
}

impl Reader {
    /// A tag without the letters that all begin with.
    fn tag(&mut self, tag: &str) -> Result<(), PlaylistError> {
        let (name, value) = tag.split_once(':').unwrap_or((tag, ""));
        match name {
            "INF" => self.duration = Some(seconds(value.split(',').next().unwrap_or_default())?),
            "-X-TARGETDURATION" => (self.media.target, self.has_target) = (seconds(value)?, true),
            "-X-MEDIA-SEQUENCE" => self.media.first = number(value)?,
            "-X-ENDLIST" => self.media.ended = true,
            "-X-DISCONTINUITY" => self.discontinuity = true,
            "-X-GAP" => self.gap = true,
            "-X-BYTERANGE" => self.range = Some(range(value)?),
            "-X-PROGRAM-DATE-TIME" => self.date = Some(value.to_owned()),
            "-X-KEY" => {
                let method = attribute(value, "METHOD").unwrap_or_default();
                self.encryption = (method != "NONE").then(|| method.to_owned());
            }
            "-X-MAP" => {
                let uri = attribute(value, "URI").ok_or(PlaylistError("an EXT-X-MAP names nothing"))?;
                let read = attribute(value, "BYTERANGE").map(range).transpose()?;
                let range = read.map(|(bytes, first)| Range::of(first.unwrap_or(0), bytes)).transpose()?;
                self.map = Some(Arc::new(Map { uri: uri.to_owned(), range }));
            }
            "-X-STREAM-INF" => {
                let bandwidth = attribute(value, "BANDWIDTH").map_or(Ok(0), number)?;
                let codecs = attribute(value, "CODECS").map(str::to_owned);
                self.variant = Some(Variant { uri: String::new(), bandwidth, codecs });
            }
            // Renditions, parts, hints and whatever else.
            _ => {}
        }
        Ok(())
    }

    fn uri(&mut self, uri: &str) -> Result<(), PlaylistError> {
        if let Some(variant) = self.variant.take() {
            if self.variants.len() >= MOST_VARIANTS {
                return Err(PlaylistError("it names too many variants"));
            }
            self.variants.push(Variant { uri: uri.to_owned(), ..variant });
            return Ok(());
        }
        let duration = self.duration.take().ok_or(PlaylistError("a segment has no EXTINF"))?;
        if self.media.segments.len() >= MOST_SEGMENTS {
            return Err(PlaylistError("it names too many segments"));
        }
        let range = self.range.take().map(|(bytes, first)| self.place(uri, bytes, first)).transpose()?;
        self.media.segments.push(Segment {
            uri: uri.to_owned(),
            range,
            duration,
            discontinuity: std::mem::take(&mut self.discontinuity),
            gap: std::mem::take(&mut self.gap),
            map: self.map.clone(),
            encryption: self.encryption.clone(),
            date: self.date.take(),
        });
        Ok(())
    }

    /// A range without a start follows that of the segment before (section 4.3.2.2).
    fn place(&self, uri: &str, bytes: u64, first: Option<u64>) -> Result<Range, PlaylistError> {
        let before = || {
            let before = self.media.segments.last().filter(|before| before.uri == uri)?;
            before.range.map(|range| range.first + range.bytes)
        };
        let first = first.or_else(before).ok_or(PlaylistError("a byte range begins nowhere"))?;
        Range::of(first, bytes)
    }

    fn end(self) -> Result<Playlist, PlaylistError> {
        match (self.variants.is_empty(), self.media.segments.is_empty()) {
            (false, true) => Ok(Playlist::Variants(self.variants)),
            (false, false) => Err(PlaylistError("it names both variants and segments")),
            (true, _) if !self.has_target => Err(PlaylistError("it has no EXT-X-TARGETDURATION")),
            (true, _) => {
                let count = self.media.segments.len() as u64;
                self.media.first.checked_add(count).ok_or(PlaylistError("its numbers overflow"))?;
                Ok(Playlist::Media(self.media))
            }
        }
    }
}

/// The value of an attribute, without its quotes (section 4.2).
fn attribute<'a>(list: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = list;
    loop {
        let (key, after) = rest.split_once('=')?;
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_at(after.find(',').unwrap_or(after.len())),
        };
        if key.trim() == name {
            return Some(value);
        }
        rest = next.trim_start().strip_prefix(',')?;
    }
}

fn seconds(word: &str) -> Result<Duration, PlaylistError> {
    let seconds = word.trim().parse().ok().filter(|seconds| (0.0..=LONGEST).contains(seconds));
    Ok(Duration::from_secs_f64(seconds.ok_or(PlaylistError("a duration is no time up to an hour"))?))
}

fn number(word: &str) -> Result<u64, PlaylistError> {
    word.trim().parse().map_err(|_error| PlaylistError("a number is none"))
}

/// Bytes, and where they begin.
fn range(word: &str) -> Result<(u64, Option<u64>), PlaylistError> {
    let (bytes, first) = match word.split_once('@') {
        Some((bytes, first)) => (bytes, Some(number(first)?)),
        None => (word, None),
    };
    Ok((number(bytes)?, first))
}
