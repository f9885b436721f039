//! Clips: a window of a run as a plain MP4.

mod boxes;
mod head;

use std::{
    collections::VecDeque,
    ops::{ControlFlow, Range},
    sync::Arc,
};

use bytes::{Bytes, BytesMut};
use ocelli_media::{AccessUnit, AudioUnit, CodecParameters};
use ocelli_model::TimeBase;
use tokio::runtime::Handle;

use self::head::{Entry, Table, Track};
use crate::{ArchiveError, ArchiveReader, Media, archive::blocking};

/// Most units of a clip: a day at 30 fps and sound beside it.
const MOST: usize = 8_000_000;
/// Sound that is given ahead of the first picture, for decoders that need some to begin with.
const SOUND_AHEAD: f64 = 0.1;

/// An MP4 that any player shows from exactly `first_pts` to `end_pts`, without transcoding. It begins with the keyframe that is needed; an
/// edit list says that what comes before `first_pts` is decoded and not shown. It is no fragmented MP4: edit lists of those are followed by
/// few players. The media time of a picture in the clip is its PTS less `first_pts`, in the stream's own ticks.
///
/// It ends early where the pictures' parameters change: what follows needs another clip. It comes in pieces of a segment at most.
#[derive(Debug)]
pub struct Clip {
    /// PTS of the first picture that is shown.
    pub first_pts: i64,
    /// End of the last one.
    pub end_pts: i64,
    /// Seconds per tick of both.
    pub time_base: TimeBase,
    /// Size of the whole file.
    pub bytes: u64,
    head: Option<Bytes>,
    taking: Taking,
    reader: Option<ArchiveReader>,
    runtime: Handle,
    /// Bytes of media that are still to come.
    left: u64,
}

/// What may go into a clip, in the order in which it is read.
#[derive(Clone, Debug)]
struct Taking {
    pts: Range<i64>,
    /// Pictures that go in, once it is known: those behind the last that is shown do not.
    pictures: usize,
    video: Option<Arc<CodecParameters>>,
    seen: usize,
}

impl Taking {
    /// Whether a unit goes in; an end where nothing more does.
    fn unit(&mut self, media: &Media) -> ControlFlow<(), bool> {
        match media {
            Media::Picture(unit) => self.picture(unit),
            Media::Sound(unit) => ControlFlow::Continue(self.sound(unit)),
        }
    }

    /// Adds the media of units that go in; whether nothing more does.
    fn add(&mut self, units: &VecDeque<Media>, piece: &mut BytesMut) -> bool {
        for media in units {
            match self.unit(media) {
                ControlFlow::Break(()) => return true,
                ControlFlow::Continue(false) => {}
                ControlFlow::Continue(true) => piece.extend_from_slice(match media {
                    Media::Picture(unit) => &unit.data,
                    Media::Sound(unit) => &unit.data,
                }),
            }
        }
        false
    }

    fn picture(&mut self, unit: &AccessUnit) -> ControlFlow<(), bool> {
        let video = self.video.get_or_insert_with(|| Arc::clone(&unit.parameters));
        // No later picture has a lower PTS than this one's DTS, unless both are before 0, where all DTS are 0.
        let dts = unit.dts.unwrap_or(unit.pts);
        let beyond = dts >= self.pts.end && (dts > 0 || self.pts.end > 0);
        if beyond || !Arc::ptr_eq(video, &unit.parameters) {
            return ControlFlow::Break(());
        }
        self.seen += 1;
        ControlFlow::Continue(self.seen <= self.pictures)
    }

    fn sound(&self, unit: &AudioUnit) -> bool {
        let Some(video) = &self.video else { return false };
        let (base, at) = (video.time_base, unit.parameters.time_base.seconds(unit.pts));
        at >= base.seconds(self.pts.start) - SOUND_AHEAD && at < base.seconds(self.pts.end)
    }
}

/// All that a clip's head must know.
#[derive(Debug)]
pub(crate) struct Plan {
    taking: Taking,
    init: Bytes,
    video: Track,
    sound: Option<Track>,
    media: u64,
    first_pts: i64,
    end_pts: i64,
}

impl Plan {
    /// Reads all of it once. Nothing where there is no picture.
    pub(crate) fn of(mut reader: ArchiveReader, pts: Range<i64>) -> Result<Option<Self>, ArchiveError> {
        let mut taking = Taking { pts: pts.clone(), pictures: usize::MAX, video: None, seen: 0 };
        let mut tables = Tables::default();
        let mut init = Bytes::new();
        'read: loop {
            let piece = reader.piece()?;
            if piece.is_empty() {
                break;
            }
            if init.is_empty() {
                init = reader.head().clone();
            }
            for unit in piece {
                match taking.unit(&unit) {
                    ControlFlow::Break(()) => {
                        tables.follows(&unit);
                        break 'read;
                    }
                    ControlFlow::Continue(false) => continue,
                    ControlFlow::Continue(true) => tables.push(&unit, pts.end),
                }
                if tables.len() > MOST {
                    return Err(ArchiveError::Invalid("a clip of over 8,000,000 units".to_owned()));
                }
            }
        }
        let Some(base) = taking.video.as_ref().map(|video| video.time_base) else { return Ok(None) };
        let Tables { mut video, sound, media, next, .. } = tables.end();
        // The second reader has parameters of its own.
        taking = Taking { pictures: video.len(), video: None, seen: 0, ..taking };
        // What is seen at the beginning began before it, or is the first there is.
        let shown = |entry: &&Entry| entry.pts < pts.end;
        let before =
            video.entries().filter(shown).filter(|entry| entry.pts <= pts.start).map(|entry| entry.pts).max();
        let Some(first_pts) = before.or_else(|| video.entries().filter(shown).map(|entry| entry.pts).min())
        else {
            return Ok(None);
        };
        let last = video.entries().filter(shown).map(|entry| entry.pts).max().unwrap_or(first_pts);
        let next = next.filter(|next| *next > last);
        let end_pts = next.unwrap_or_else(|| last.saturating_add(video.step())).min(pts.end);
        if end_pts <= first_pts.max(pts.start) {
            return Ok(None);
        }
        video.decode_evenly();
        let video = Track { base, table: video };
        let sound = sound.map(|(base, table)| Track { base, table });
        Ok(Some(Self { taking, init, video, sound, media, first_pts, end_pts }))
    }
}

/// Units that go in.
#[derive(Debug, Default)]
struct Tables {
    video: Table,
    sound: Option<(TimeBase, Table)>,
    media: u64,
    /// Pictures that are shown after the end, and what came with them: they go in where one follows that is shown before it.
    waiting: Vec<(Option<TimeBase>, Entry)>,
    /// The least PTS of pictures that were read and are not shown.
    next: Option<i64>,
}

impl Tables {
    fn push(&mut self, media: &Media, end: i64) {
        let (sound, entry) = match media {
            Media::Picture(unit) => {
                let dts = unit.dts.unwrap_or(unit.pts);
                (None, Entry::new(unit.pts, dts, unit.data.len(), unit.container_keyframe))
            }
            Media::Sound(unit) => {
                (Some(unit.parameters.time_base), Entry::new(unit.pts, unit.pts, unit.data.len(), true))
            }
        };
        let after = sound.is_none() && entry.pts >= end;
        if after {
            self.follows(media);
        }
        let waits = after || sound.is_some() && !self.waiting.is_empty();
        self.waiting.push((sound, entry));
        if !waits {
            self.take(|_| true);
        }
    }

    /// A picture that is not shown: the last one that is lasts to it.
    fn follows(&mut self, media: &Media) {
        if let Media::Picture(unit) = media {
            self.next = Some(self.next.map_or(unit.pts, |next| next.min(unit.pts)));
        }
    }

    fn take(&mut self, goes_in: impl Fn(Option<TimeBase>) -> bool) {
        for (sound, entry) in std::mem::take(&mut self.waiting) {
            if !goes_in(sound) {
                continue;
            }
            let size = u64::from(entry.size);
            match sound {
                None => self.video.push(entry, self.media),
                Some(base) => {
                    let (_, table) = self.sound.get_or_insert_with(|| (base, Table::default()));
                    table.push(entry, self.media);
                }
            }
            self.media += size;
        }
    }

    /// Nothing more comes.
    fn end(mut self) -> Self {
        self.take(|sound| sound.is_some());
        self
    }

    fn len(&self) -> usize {
        self.waiting.len() + self.video.len() + self.sound.as_ref().map_or(0, |(_, table)| table.len())
    }
}

impl Clip {
    pub(crate) fn new(plan: Plan, reader: ArchiveReader, runtime: Handle) -> Result<Self, ArchiveError> {
        let Plan { taking, init, video, sound, media, first_pts, end_pts } = plan;
        let time_base = video.base;
        let head =
            head::write(&init, &video, sound.as_ref(), first_pts..end_pts, media).ok_or_else(|| {
                ArchiveError::Invalid("the clip's times are beyond what an MP4 holds".to_owned())
            })?;
        let bytes = head.len() as u64 + media;
        let (head, reader) = (Some(head), Some(reader));
        Ok(Self { first_pts, end_pts, time_base, bytes, head, taking, reader, runtime, left: media })
    }

    /// The next piece; nothing after the last. An error where media went meanwhile: then the file is not whole.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ArchiveError> {
        if let Some(head) = self.head.take() {
            return Ok(Some(head));
        }
        let Some(reader) = self.reader.take().filter(|_| self.left > 0) else { return Ok(None) };
        let (mut taking, runtime) = (self.taking.clone(), self.runtime.clone());
        let (reader, taking, piece) = blocking(&runtime, move || {
            let mut reader = reader;
            let mut piece = BytesMut::new();
            while piece.is_empty() {
                let units = reader.piece()?;
                if units.is_empty() || taking.add(&units, &mut piece) {
                    break;
                }
            }
            Ok((reader, taking, piece.freeze()))
        })
        .await?;
        let size = piece.len() as u64;
        if size == 0 || size > self.left {
            return Err(ArchiveError::Missing("all of a clip any more".to_owned()));
        }
        self.left -= size;
        (self.reader, self.taking) = (Some(reader), taking);
        Ok(Some(piece))
    }
}
