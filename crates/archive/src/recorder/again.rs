//! A source that comes again from its start: what is recorded of it is not recorded twice.

use std::sync::Arc;

use ocelli_model::StreamId;
use ocelli_store::SegmentQuery;

use crate::{ArchiveError, ArchiveReader, Media, archive::Shared};

/// Up to where a run is recorded. What comes again comes in the same order, with the same times.
#[derive(Debug)]
pub(super) struct Again {
    run: u32,
    /// PTS of the last picture in decode order.
    picture: i64,
    /// PTS of the last block of sound.
    sound: Option<i64>,
    /// The run in hand, and whether that picture of it came.
    at: u32,
    passed: bool,
}

impl Again {
    /// Of the newest run that is recorded, unless that is older than `first_run`. Blocks.
    pub(super) fn of(
        shared: &Arc<Shared>,
        stream: &StreamId,
        first_run: u32,
    ) -> Result<Option<Self>, ArchiveError> {
        let newest = SegmentQuery {
            stream: Some(stream.clone()),
            newest_first: true,
            limit: 1,
            ..SegmentQuery::default()
        };
        let newest = shared.runtime.block_on(shared.index.segments(&newest))?.pop();
        let Some(newest) = newest.filter(|newest| newest.run >= first_run) else { return Ok(None) };
        let mut reader =
            ArchiveReader::new(Arc::clone(shared), None, stream.clone(), newest.run, newest.first_pts);
        let (mut picture, mut sound) = (None, None);
        while let Some(media) = reader.next()? {
            match media {
                Media::Picture(unit) => picture = Some(unit.pts),
                Media::Sound(unit) => sound = Some(unit.pts),
            }
        }
        let known = |picture| Self { run: newest.run, picture, sound, at: first_run, passed: false };
        Ok(picture.map(known))
    }

    /// Whether a picture is recorded. Asked for each.
    pub(super) fn has(&mut self, run: u32, pts: i64) -> bool {
        self.at = run;
        if run != self.run || self.passed {
            return run < self.run;
        }
        self.passed = pts == self.picture;
        true
    }

    /// Whether a block of sound of the run in hand is recorded.
    pub(super) fn has_sound(&self, pts: i64) -> bool {
        self.at < self.run || self.at == self.run && self.sound.is_some_and(|sound| pts <= sound)
    }

    /// What comes goes on in the middle of what is recorded: it need not begin with a keyframe.
    pub(super) fn goes_on(&self) -> bool {
        self.passed && self.at == self.run
    }
}
