//! The bytes of segments after each other, as libav reads them.

use std::{
    fmt,
    io::{self, Read, Seek, SeekFrom},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::{Buf as _, Bytes};
use ocelli_net::{Body, DownloadError, shown};

use super::{
    HlsError,
    cursor::{Cursor, Next},
    fetch::{Fetch, resolve},
    list::List,
    playlist::{Map, Range, Segment},
};
use crate::{SourceError, pull::http::HttpError};

/// Largest initialisation section.
const MOST_MAP: usize = 1 << 20;
/// Bytes of a packet of MPEG-TS, and the first of each.
const PACKET: usize = 188;
const SYNC: u8 = 0x47;
/// What a segment of fragmented MP4 begins with (ISO/IEC 23009-1, 6.3.4.2; Apple's begin with whatever fits).
const BOXES: [&[u8]; 7] = [b"ftyp", b"styp", b"moov", b"moof", b"sidx", b"emsg", b"prft"];

/// Follows a list, and gives what its segments hold. What goes on without a break is one *stretch*: its bytes are one stream
/// for a demuxer, and end where the next begins.
pub(super) struct Feed {
    fetch: Fetch,
    list: List,
    cursor: Cursor,
    /// Of the segment that is read, and how much of it is left where a part was named.
    body: Option<(Body, Option<u64>)>,
    piece: Bytes,
    /// The segment that begins the next stretch.
    next: Option<Segment>,
    /// Whether anything of this stretch was read.
    begun: bool,
    map: Option<Arc<Map>>,
    /// Date of its first segment, as written.
    date: Option<String>,
    ended: bool,
    missed: u64,
    failed: Option<SourceError>,
}

impl Feed {
    pub(super) fn new(fetch: Fetch, list: List) -> Self {
        Self {
            fetch,
            list,
            cursor: Cursor::default(),
            body: None,
            piece: Bytes::new(),
            next: None,
            begun: false,
            map: None,
            date: None,
            ended: false,
            missed: 0,
            failed: None,
        }
    }

    pub(super) fn fetch(&mut self) -> &mut Fetch {
        &mut self.fetch
    }

    pub(super) fn list(&self) -> &List {
        &self.list
    }

    /// The first failure of the feed itself: libav would make a number of it.
    pub(super) fn take_failure(&mut self) -> Option<SourceError> {
        self.failed.take()
    }

    /// Goes on to the next stretch; false where there is none.
    pub(super) fn next_stretch(&mut self) -> bool {
        self.begun = false;
        !self.ended
    }

    /// When the first picture of the stretch was taken, if the playlist says.
    pub(super) fn date(&self) -> Option<&str> {
        self.date.as_deref()
    }

    /// Segments that were gone before they could be read.
    pub(super) fn missed(&self) -> u64 {
        self.missed
    }

    /// Makes the piece one that holds something; false at the end of the stretch.
    fn fill(&mut self) -> Result<bool, SourceError> {
        while self.piece.is_empty() {
            if let Some((body, left)) = &mut self.body {
                match self.fetch.piece(body)? {
                    Some(piece) => self.piece = limited(piece, left),
                    None if left.is_some_and(|left| left > 0) => return Err(HttpError::Short.into()),
                    None => self.body = None,
                }
                if self.body.as_ref().is_some_and(|(_, left)| *left == Some(0)) {
                    self.body = None;
                }
                continue;
            }
            let Some(segment) = self.next_segment()? else { return Ok(false) };
            let breaks = segment.discontinuity || segment.map != self.map;
            if self.begun && breaks {
                self.next = Some(segment);
                return Ok(false);
            }
            self.open(&segment)?;
        }
        Ok(true)
    }

    /// Waits for it where the list is live; `None` where there are no more.
    fn next_segment(&mut self) -> Result<Option<Segment>, SourceError> {
        if let Some(next) = self.next.take() {
            return Ok(Some(next));
        }
        let mut missed = 0;
        loop {
            self.list.refresh(&self.fetch)?;
            let media = self.list.media();
            match self.cursor.next(media) {
                Next::Wait => self.fetch.rest(self.list.pause())?,
                Next::End => {
                    self.ended = true;
                    return Ok(None);
                }
                Next::Restarted => return Err(HlsError::Restarted.into()),
                Next::Read { at, missed: gone } => {
                    let segment = media.segments[at].clone();
                    self.cursor.step(media, at);
                    missed += gone;
                    if segment.gap {
                        missed += 1;
                        continue;
                    }
                    self.missed += missed;
                    // What does not follow is no continuation.
                    let discontinuity = segment.discontinuity || missed > 0;
                    return Ok(Some(Segment { discontinuity, ..segment }));
                }
            }
        }
    }

    /// Asks for a segment, and for what must be read before it.
    fn open(&mut self, segment: &Segment) -> Result<(), SourceError> {
        if let Some(method) = &segment.encryption {
            let known = ["AES-128", "SAMPLE-AES", "SAMPLE-AES-CTR"].into_iter().find(|known| known == method);
            return Err(
                HlsError::Encrypted(known.unwrap_or("by a method that is not known").to_owned()).into()
            );
        }
        let mut start = Vec::new();
        if let Some(map) = segment.map.as_ref().filter(|_| !self.begun) {
            start = self.read_map(map)?;
        }
        let url = resolve(self.list.place(), &segment.uri)?;
        tracing::debug!(url = shown(&url), "reading a segment");
        let mut left = segment.range.map(|range| range.bytes);
        let mut body = match self.fetch.ask(&url, segment.range.map_or(0, |range| range.first)) {
            // It left the server before we came.
            Err(SourceError::Http(HttpError::Fetch(error))) if self.list.is_live() && is_gone(&error) => {
                self.missed += 1;
                // Those that follow do not continue what was before.
                self.body = None;
                return self.skip();
            }
            body => body?,
        };
        let html = body.media_type().is_some_and(|kind| kind.starts_with("text/"));
        let mut first = Vec::new();
        while first.len() <= PACKET && left != Some(0) {
            let Some(piece) = self.fetch.piece(&mut body)? else { break };
            first.extend_from_slice(&limited(piece, &mut left));
        }
        if !is_media(&first) {
            return Err(HlsError::Segment(if html { ", but a page" } else { "" }).into());
        }
        start.extend(first);
        if !self.begun {
            (self.begun, self.map) = (true, segment.map.clone());
            self.date.clone_from(&segment.date);
        }
        self.piece = start.into();
        self.body = Some((body, left));
        Ok(())
    }

    /// The next segment begins a stretch of its own, unless this one has not begun.
    fn skip(&mut self) -> Result<(), SourceError> {
        if let Some(segment) = self.next_segment()? {
            self.next = Some(Segment { discontinuity: true, ..segment });
        }
        Ok(())
    }

    fn read_map(&self, map: &Map) -> Result<Vec<u8>, SourceError> {
        let url = resolve(self.list.place(), &map.uri)?;
        let Range { first, bytes } = map.range.unwrap_or(Range { first: 0, bytes: MOST_MAP as u64 });
        let mut body = self.fetch.ask(&url, first)?;
        let mut left = Some(bytes.min(MOST_MAP as u64 + 1));
        let mut section = Vec::new();
        while left != Some(0)
            && let Some(piece) = self.fetch.piece(&mut body)?
        {
            section.extend_from_slice(&limited(piece, &mut left));
        }
        if section.len() > MOST_MAP || (map.range.is_none() && left == Some(0)) {
            return Err(HlsError::LargeMap.into());
        }
        if !is_media(&section) {
            return Err(HlsError::Segment("").into());
        }
        Ok(section)
    }
}

/// The piece, as far as a limit goes.
fn limited(mut piece: Bytes, left: &mut Option<u64>) -> Bytes {
    if let Some(left) = left {
        piece.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
        *left -= piece.len() as u64;
    }
    piece
}

fn is_media(start: &[u8]) -> bool {
    let packets = start.first() == Some(&SYNC) && start.get(PACKET).is_none_or(|next| *next == SYNC);
    (packets && start.len() >= PACKET) || start.get(4..8).is_some_and(|kind| BOXES.contains(&kind))
}

fn is_gone(error: &DownloadError) -> bool {
    matches!(error, DownloadError::Status { status, .. } if [404, 410].contains(&status.as_u16()))
}

/// A feed that a demuxer reads while the source still speaks to it.
#[derive(Clone)]
pub(super) struct Shared(Arc<Mutex<Feed>>);

impl Shared {
    pub(super) fn new(feed: Feed) -> Self {
        Self(Arc::new(Mutex::new(feed)))
    }

    /// Never held while the other side runs: both are on one thread.
    pub(super) fn feed(&self) -> MutexGuard<'_, Feed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One stretch, from front to back.
pub(super) struct Stretch {
    feed: Shared,
    at: u64,
    ended: bool,
}

impl Stretch {
    pub(super) fn new(feed: Shared) -> Self {
        Self { feed, at: 0, ended: false }
    }
}

impl Read for Stretch {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Whoever asks again at the end must not begin the next.
        if self.ended {
            return Ok(0);
        }
        let mut feed = self.feed.feed();
        match feed.fill() {
            Ok(true) => {}
            Ok(false) => {
                self.ended = true;
                return Ok(0);
            }
            Err(error) => {
                feed.failed.get_or_insert(error);
                return Err(io::ErrorKind::Other.into());
            }
        }
        let read = feed.piece.len().min(buffer.len());
        feed.piece.copy_to_slice(&mut buffer[..read]);
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Stretch {
    /// Only says where it is.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(_) => None,
        };
        target.filter(|target| *target == self.at).ok_or_else(|| io::ErrorKind::Unsupported.into())
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").finish_non_exhaustive()
    }
}
