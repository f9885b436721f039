//! What the routes ask of whoever keeps recorded media.

use std::{error::Error, fmt, ops::Range};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use ocelli_archive::LiveView;
use ocelli_model::{StreamId, TimeBase};
use ocelli_store::{RecordingGap, RecordingUse, SegmentClass, SegmentQuery, SegmentRecord, StoreError};

/// The archive as the routes see it. A seam of its own, as [`crate::Engine`] is.
#[async_trait]
pub trait MediaLog: Send + Sync + fmt::Debug {
    /// The newest segments of a stream that is recorded now, or was since the server started.
    fn live(&self, stream: &StreamId) -> Option<LiveView>;

    /// Sealed segments.
    async fn segments(&self, query: &SegmentQuery) -> Result<Vec<SegmentRecord>, MediaError>;

    /// What is missing although it came.
    async fn gaps(&self, stream: &StreamId) -> Result<Vec<RecordingGap>, MediaError>;

    /// What a stream's recording takes; `None` where nothing is kept of it.
    async fn recording(&self, stream: &StreamId) -> Result<Option<RecordingUse>, MediaError>;

    /// Bytes of a segment's object: its initialisation segment lies at its head.
    async fn read(&self, segment: &SegmentRecord, range: Range<u64>) -> Result<Bytes, MediaError>;

    /// A file of its own that shows exactly the pictures of `pts`.
    async fn clip(&self, stream: &StreamId, run: u32, pts: Range<i64>) -> Result<Clip, MediaError>;

    /// The picture that is shown at `pts`: the last one that begins no later. `quality` is that of the JPEG, 1 to 100.
    async fn still(&self, stream: &StreamId, run: u32, pts: i64, quality: u8) -> Result<Still, MediaError>;

    /// Gives segments a class; how many there were.
    async fn classify(
        &self,
        stream: &StreamId,
        numbers: Range<u64>,
        class: SegmentClass,
        unpin: bool,
    ) -> Result<u64, MediaError>;
}

/// A piece of a recording as a file.
pub struct Clip {
    /// PTS of the first picture that is shown.
    pub first_pts: i64,
    /// Where the last one ends.
    pub end_pts: i64,
    /// Seconds per tick of these.
    pub time_base: TimeBase,
    /// Bytes of the whole file.
    pub length: u64,
    /// The file, piece by piece.
    pub bytes: BoxStream<'static, Result<Bytes, MediaError>>,
}

/// One picture of a recording.
#[derive(Clone, Debug)]
pub struct Still {
    /// It, encoded.
    pub jpeg: Bytes,
    /// Its own PTS: at or before the one asked for.
    pub pts: i64,
    /// Seconds per tick.
    pub time_base: TimeBase,
}

/// Why recorded media is not given.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The index.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such media, or not any more; the words say what there is.
    #[error("{0}")]
    Missing(String),
    /// Not now: the disk does not answer, too many ask. The words are for clients.
    #[error("{0}")]
    Unavailable(String),
    /// It is there and cannot be used.
    #[error("recorded media cannot be read")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
}

impl fmt::Debug for Clip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first_pts, end_pts, time_base, length, bytes: _ } = self;
        let mut shown = f.debug_struct("Clip");
        shown.field("first_pts", first_pts).field("end_pts", end_pts).field("time_base", time_base);
        shown.field("length", length).finish_non_exhaustive()
    }
}
