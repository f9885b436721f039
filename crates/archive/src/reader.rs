//! Reading a run back: the same units, in decode order, with the same times.

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use ocelli_media::{
    AccessUnit, AudioUnit,
    cmaf::{self, Tracks},
};
use ocelli_model::StreamId;
use ocelli_store::{SegmentQuery, SegmentRecord};

use crate::{
    ArchiveError, LiveView,
    archive::Shared,
    live::{LiveSegment, LiveWindow},
    object::LARGEST,
};

/// Rows that are asked for at once.
const PAGE: u32 = 64;

/// What a recording holds.
#[derive(Clone, Debug)]
pub enum Media {
    /// A picture; `container_keyframe` says whether decoding can start with it.
    Picture(AccessUnit),
    /// A block of sound.
    Sound(AudioUnit),
}

/// Reads one run from a keyframe on. Blocks, and must not be used on a thread of the runtime. At the end of what is recorded so far it
/// gives nothing, and may be asked again later.
#[derive(Debug)]
pub struct ArchiveReader {
    shared: Arc<Shared>,
    live: Option<LiveView>,
    stream: StreamId,
    run: u32,
    /// Until the first unit was given.
    from_pts: Option<i64>,
    at: Option<At>,
    /// Sealed segments that follow.
    ahead: VecDeque<SegmentRecord>,
    ready: VecDeque<Media>,
    /// Of the last segment, and the name of what it was read from: as long as it stays the same, so do the parameters of units.
    tracks: Option<(String, Tracks)>,
    /// Its bytes.
    head: Bytes,
}

/// How far it has come.
#[derive(Clone, Copy, Debug)]
struct At {
    number: u64,
    /// Parts of it that were read.
    parts: usize,
    /// There are no more of them.
    whole: bool,
}

impl ArchiveReader {
    pub(crate) fn new(
        shared: Arc<Shared>,
        live: Option<LiveView>,
        stream: StreamId,
        run: u32,
        from_pts: i64,
    ) -> Self {
        Self {
            shared,
            live,
            stream,
            run,
            from_pts: Some(from_pts),
            at: None,
            ahead: VecDeque::new(),
            ready: VecDeque::new(),
            tracks: None,
            head: Bytes::new(),
        }
    }

    /// The next unit, the first being the keyframe at or before where reading was to begin. Nothing at the end, for now.
    #[expect(
        clippy::should_implement_trait,
        reason = "it goes on after it gave nothing, as no iterator should"
    )]
    pub fn next(&mut self) -> Result<Option<Media>, ArchiveError> {
        while self.ready.is_empty() {
            if !self.fill()? {
                return Ok(None);
            }
        }
        Ok(self.ready.pop_front())
    }

    /// All that was read and not given yet, after reading on where that is nothing.
    pub(crate) fn piece(&mut self) -> Result<VecDeque<Media>, ArchiveError> {
        while self.ready.is_empty() && self.fill()? {}
        Ok(std::mem::take(&mut self.ready))
    }

    /// The initialisation segment of what was read last.
    pub(crate) fn head(&self) -> &Bytes {
        &self.head
    }

    /// Reads on, by a segment at most; whether there was anything.
    fn fill(&mut self) -> Result<bool, ArchiveError> {
        let first = self.at.is_none();
        if first {
            let Some(number) = self.beginning()? else { return Ok(false) };
            self.at = Some(At { number, parts: 0, whole: false });
        }
        let Some(mut at) = self.at else { return Ok(false) };
        if at.whole {
            let Some(number) = self.following(at.number)? else { return Ok(false) };
            at = At { number, parts: 0, whole: false };
        }
        let parts_before = at.parts;
        let moved = self.read(&mut at)?;
        self.at = Some(at);
        if at.parts > parts_before
            && let Some(from) = self.from_pts.take()
        {
            self.skip(from);
        }
        Ok(moved)
    }

    /// Reads what is new of a segment; whether it came further.
    fn read(&mut self, at: &mut At) -> Result<bool, ArchiveError> {
        let sealed = match self.ahead.front() {
            Some(next) if next.number == at.number => self.ahead.pop_front(),
            _ => self.rows(at.number, 1)?.pop().filter(|row| row.number == at.number),
        };
        if let Some(row) = sealed {
            let bytes = self.shared.read(&row.location, 0..LARGEST)?;
            let scan = cmaf::scan(&bytes);
            let parts: Vec<Bytes> =
                scan.parts.iter().skip(at.parts).map(|range| bytes.slice(range.clone())).collect();
            let head = bytes.slice(..scan.init);
            self.take(&row.location, &row.init, &head, &parts)?;
            at.parts = scan.parts.len();
            at.whole = true;
            return Ok(true);
        }
        let Some(window) = self.live.as_ref().map(LiveView::now) else { return Ok(false) };
        let Some((segment, last)) = self.in_window(&window, |number| number == at.number) else {
            return Ok(false);
        };
        let parts: Vec<Bytes> = segment.parts.iter().skip(at.parts).map(|part| part.bytes.clone()).collect();
        let location = format!("segment {} of {}", at.number, self.stream);
        self.take(&location, &segment.init.name, &segment.init.bytes, &parts)?;
        at.parts += parts.len();
        // The last one may grow; one whose parts have left memory is in the index by now.
        at.whole = !last && !segment.parts.is_empty();
        Ok(!parts.is_empty() || at.whole)
    }

    fn take(
        &mut self,
        location: &str,
        init: &str,
        head: &Bytes,
        parts: &[Bytes],
    ) -> Result<(), ArchiveError> {
        let damaged = |source| ArchiveError::Damaged { location: location.to_owned(), source };
        if self.tracks.as_ref().is_none_or(|(known, _)| known != init) {
            self.tracks = Some((init.to_owned(), cmaf::read_init(head).map_err(damaged)?));
            self.head = Bytes::copy_from_slice(head);
        }
        let Some((_, tracks)) = &self.tracks else { return Ok(()) };
        for part in parts {
            let part = cmaf::read_part(tracks, part).map_err(damaged)?;
            self.ready.extend(part.video.iter().map(|sample| Media::Picture(tracks.unit(sample))));
            self.ready.extend(part.sound.iter().filter_map(|sample| tracks.audio(sample)).map(Media::Sound));
        }
        Ok(())
    }

    /// Leaves out what comes before the last keyframe that is not after `from`.
    fn skip(&mut self, from: i64) {
        let opens = |media: &Media| matches!(media, Media::Picture(unit) if unit.container_keyframe && unit.pts <= from);
        let Some(first) = self.ready.iter().rposition(opens) else { return };
        self.ready.drain(..first);
    }

    /// Number of the segment to begin with: that which shows `from`, or one before it that begins with a keyframe.
    fn beginning(&mut self) -> Result<Option<u64>, ArchiveError> {
        let from = self.from_pts.unwrap_or(i64::MIN);
        let window = self.live.as_ref().map(LiveView::now).unwrap_or_default();
        let living = || window.segments.iter().filter(|live| live.run == self.run && !live.parts.is_empty());
        let mut begins =
            living().rev().find(|live| live.first_pts <= from).map(|live| (live.number, live.keyframe));
        if begins.is_none_or(|(_, keyframe)| !keyframe) {
            let before = living().rev().find(|live| live.first_pts <= from && live.keyframe);
            begins = before.map(|live| (live.number, true)).or(begins);
        }
        if begins.is_none() {
            begins = self.sealed_beginning(from)?;
        }
        let Some((mut number, mut keyframe)) = begins else {
            return Ok(living().next().map(|live| live.number));
        };
        let shown = number;
        while !keyframe {
            let numbers = number.saturating_sub(u64::from(PAGE))..number;
            let page =
                self.query(&SegmentQuery { numbers: Some(numbers), newest_first: true, ..self.asked() })?;
            let Some(last) = page.last() else { return Ok(Some(shown)) };
            let opens = page.iter().find(|row| row.keyframe);
            (number, keyframe) = opens.map_or((last.number, false), |row| (row.number, true));
        }
        Ok(Some(number))
    }

    /// The sealed segment that shows a PTS, else the last before it, else the first.
    fn sealed_beginning(&self, from: i64) -> Result<Option<(u64, bool)>, ArchiveError> {
        let newest = SegmentQuery { newest_first: true, limit: 1, ..self.asked() };
        for query in [
            SegmentQuery { pts: Some(from..from.saturating_add(1)), ..newest.clone() },
            SegmentQuery { pts: Some(i64::MIN..from), ..newest },
            SegmentQuery { limit: 1, ..self.asked() },
        ] {
            if let Some(row) = self.query(&query)?.pop() {
                return Ok(Some((row.number, row.keyframe)));
            }
        }
        Ok(None)
    }

    /// Number of the next segment of the run.
    fn following(&mut self, number: u64) -> Result<Option<u64>, ArchiveError> {
        if self.ahead.is_empty() {
            self.ahead = self.rows(number.saturating_add(1), PAGE)?.into();
        }
        let window = self.live.as_ref().map(LiveView::now).unwrap_or_default();
        let living = self.in_window(&window, |live| live > number).map(|(live, _)| live.number);
        Ok(self.ahead.front().map(|row| row.number).into_iter().chain(living).min())
    }

    /// A segment in memory, and whether it is the last one.
    fn in_window<'a>(
        &self,
        window: &'a LiveWindow,
        wanted: impl Fn(u64) -> bool,
    ) -> Option<(&'a LiveSegment, bool)> {
        let at = window.segments.iter().position(|live| live.run == self.run && wanted(live.number))?;
        Some((&window.segments[at], at + 1 == window.segments.len()))
    }

    fn rows(&self, from: u64, limit: u32) -> Result<Vec<SegmentRecord>, ArchiveError> {
        self.query(&SegmentQuery { numbers: Some(from..u64::MAX), limit, ..self.asked() })
    }

    fn asked(&self) -> SegmentQuery {
        SegmentQuery {
            stream: Some(self.stream.clone()),
            run: Some(self.run),
            limit: PAGE,
            ..SegmentQuery::default()
        }
    }

    fn query(&self, query: &SegmentQuery) -> Result<Vec<SegmentRecord>, ArchiveError> {
        Ok(self.shared.runtime.block_on(self.shared.index.segments(query))?)
    }
}
