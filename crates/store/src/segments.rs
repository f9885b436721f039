//! The seam for recorded media: which segments of which stream lie where. The media itself is no business of the store.

use std::{fmt, ops::Range};

use async_trait::async_trait;
use ocelli_model::{StreamId, TimeBase};

use crate::StoreError;

/// One sealed segment of a stream's recording. Times named `_ms` are wall time in milliseconds since 1970, given by the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentRecord {
    /// Of which stream.
    pub stream: StreamId,
    /// Counts the segments of the stream through all its runs: the media sequence number of playlists. None is given twice, also where
    /// the segment was removed since.
    pub number: u64,
    /// Ordinal of its run.
    pub run: u32,
    /// Seconds per tick of the times below.
    pub time_base: TimeBase,
    /// Smallest PTS of a picture in it.
    pub first_pts: i64,
    /// First PTS that belongs to the next segment, were there one: end of its last picture.
    pub end_pts: i64,
    /// It begins with a keyframe.
    pub keyframe: bool,
    /// When its first picture came in.
    pub began_ms: i64,
    /// When its last picture came in.
    pub ended_ms: i64,
    /// Names its initialisation segment: equal names, equal bytes.
    pub init: String,
    /// The initialisation segment is the first so many bytes of the object.
    pub init_bytes: u32,
    /// Size of the whole object.
    pub bytes: u64,
    /// Its key in the object store.
    pub location: String,
    /// What retention must know of it.
    pub class: SegmentClass,
}

/// What retention goes by: the higher, the longer it stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum SegmentClass {
    /// Nothing in particular.
    #[default]
    Other,
    /// Something happened in it.
    Event,
    /// Its user wants it kept: retention never removes it.
    Pinned,
}

/// Which segments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentQuery {
    /// Of one stream, or of all: then by stream, and within it by number.
    pub stream: Option<StreamId>,
    /// Of one run.
    pub run: Option<u32>,
    /// Numbers.
    pub numbers: Option<Range<u64>>,
    /// Those that hold media time of this range. Needs `run`.
    pub pts: Option<Range<i64>>,
    /// Those that came in during this wall time, also in part.
    pub wall_ms: Option<Range<i64>>,
    /// Newest first instead of oldest first.
    pub newest_first: bool,
    /// Most segments of the answer, 1 to 100,000.
    pub limit: u32,
}

/// A piece of a recording that is missing although media came: nothing is lost silently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingGap {
    /// Of which stream.
    pub stream: StreamId,
    /// Ordinal of its run.
    pub run: u32,
    /// PTS of the first picture that is missing.
    pub first_pts: i64,
    /// PTS of the first picture that is there again; `None` while it lasts, or where the run ended in it.
    pub end_pts: Option<i64>,
    /// When it began.
    pub began_ms: i64,
    /// Why, for people.
    pub reason: String,
}

/// What a stream's recording takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingUse {
    /// Which stream.
    pub stream: StreamId,
    /// Segments.
    pub segments: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// When the oldest began.
    pub oldest_ms: i64,
    /// When the newest ended.
    pub newest_ms: i64,
}

/// Segments of recordings. As with [`crate::ResultLog`], what returned `Ok` is durable, and a dropped future happened wholly or not
/// at all.
#[async_trait]
pub trait Segments: Send + Sync + fmt::Debug {
    /// Enters a segment. The same again changes nothing, not even its class; another of the same number is
    /// [`StoreError::Invalid`].
    async fn put_segment(&self, segment: &SegmentRecord) -> Result<(), StoreError>;

    /// Segments that are asked for.
    async fn segments(&self, query: &SegmentQuery) -> Result<Vec<SegmentRecord>, StoreError>;

    /// The first number that no segment of this stream ever had, also where it was removed since.
    async fn next_segment(&self, stream: &StreamId) -> Result<u64, StoreError>;

    /// Forgets segments of a stream by number; those that are not there do not matter. Their media may be removed from here on.
    /// Gaps from before all that is left go with them.
    async fn remove_segments(&self, stream: &StreamId, numbers: &[u64]) -> Result<(), StoreError>;

    /// Gives the segments that are there a class, and counts them. A pinned one stays so unless `unpin`; then it is what it was, or became,
    /// beside: one with an event stays that.
    async fn classify(
        &self,
        stream: &StreamId,
        numbers: Range<u64>,
        class: SegmentClass,
        unpin: bool,
    ) -> Result<u64, StoreError>;

    /// Enters a gap, or its end where one of the same run and `first_pts` is there.
    async fn put_gap(&self, gap: &RecordingGap) -> Result<(), StoreError>;

    /// Gaps of a stream, by run and PTS.
    async fn gaps(&self, stream: &StreamId) -> Result<Vec<RecordingGap>, StoreError>;

    /// What each stream's recording takes, by stream.
    async fn recordings(&self) -> Result<Vec<RecordingUse>, StoreError>;
}
