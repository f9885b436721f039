//! The seam for streams: what is to go on after a restart.

use std::fmt;

use async_trait::async_trait;
use ocelli_model::StreamId;

use crate::{RunId, StoreError};

/// A stream as its supervisor keeps it. Times named `_ms` are wall time in milliseconds since 1970, given by the caller.
#[derive(Clone, PartialEq, Eq)]
pub struct StreamRecord {
    /// Its name, the key of its source, too.
    pub id: StreamId,
    /// What it is to do, as JSON that the store does not look into; at most 64 KiB. It may hold secrets, and is therefore left
    /// out by `Debug`.
    pub spec: String,
    /// It goes on after a restart of the server.
    pub wanted: bool,
    /// How it ended, where it is not going.
    pub ended: Option<StreamEnd>,
    /// Counts decodes: each new one empties the frame folder.
    pub decode: u64,
    /// The last decode whose folder was emptied: less than `decode` where that is still to be done.
    pub decode_cleared: u64,
    /// Frames written in this decode. After a killed process at least so many were.
    pub frames: u64,
    /// Attempts after the first since it was started.
    pub restarts: u64,
    /// When it was entered.
    pub created_ms: i64,
    /// When what it is to do was last changed.
    pub changed_ms: i64,
    /// When it was last started.
    pub started_ms: Option<i64>,
}

impl fmt::Debug for StreamRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamRecord")
            .field("id", &self.id)
            .field("wanted", &self.wanted)
            .field("ended", &self.ended)
            .field("decode", &self.decode)
            .field("decode_cleared", &self.decode_cleared)
            .field("frames", &self.frames)
            .field("restarts", &self.restarts)
            .finish_non_exhaustive()
    }
}

/// How a stream ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamEnd {
    /// The word for it.
    pub state: EndState,
    /// Why, for people and without secrets; at most 4 KiB.
    pub error: Option<String>,
}

/// The states in which a stream does not go on by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndState {
    /// Its source was read to the end.
    Completed,
    /// Its user stopped it, or never started it.
    Stopped,
    /// It cannot go on as configured.
    Error,
}

/// A moment of which media time and wall time are both known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WallAnchor {
    /// In ticks of the run.
    pub pts: i64,
    /// Wall time in nanoseconds since 1970.
    pub unix_ns: i64,
    /// Whose clock.
    pub origin: AnchorOrigin,
}

/// Who said what time it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AnchorOrigin {
    /// The camera or server, in a sender report of RTCP (RFC 3550 section 6.4.1).
    SenderReport,
    /// This machine, when the media came in.
    Arrival,
}

/// What went by [`Streams::prune`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Runs with all that hung on them.
    pub runs: u64,
    /// Results.
    pub frames: u64,
    /// Detections in them.
    pub detections: u64,
    /// Tracks of which nothing is left.
    pub tracks: u64,
    /// Lines of ledgers.
    pub lines: u64,
    /// Wall-time anchors.
    pub anchors: u64,
}

impl Pruned {
    /// Counts `more`, too.
    pub fn add(&mut self, more: Self) {
        self.runs += more.runs;
        self.frames += more.frames;
        self.detections += more.detections;
        self.tracks += more.tracks;
        self.lines += more.lines;
        self.anchors += more.anchors;
    }
}

/// Streams and what hangs on them. As with [`crate::ResultLog`], what returned `Ok` is durable, and a dropped future
/// happened wholly or not at all.
#[async_trait]
pub trait Streams: Send + Sync + fmt::Debug {
    /// Enters a stream, or replaces all that is kept of it.
    async fn put_stream(&self, stream: &StreamRecord) -> Result<(), StoreError>;

    /// Forgets a stream; whether there was one. Its runs and results stay.
    async fn remove_stream(&self, id: &StreamId) -> Result<bool, StoreError>;

    /// All streams by name.
    async fn streams(&self) -> Result<Vec<StreamRecord>, StoreError>;

    /// The first ordinal that no run of this stream ever had, also where it was removed since.
    async fn next_ordinal(&self, key: &str) -> Result<u32, StoreError>;

    /// Adds anchors of a run. Those that are there already change nothing, none is ever replaced.
    async fn anchor(&self, run: RunId, anchors: &[WallAnchor]) -> Result<(), StoreError>;

    /// Anchors of a run by media time.
    async fn anchors(&self, run: RunId) -> Result<Vec<WallAnchor>, StoreError>;

    /// Removes what streams brought before this wall time, the oldest first. Closed runs that ended before go with all that
    /// hangs on them. Of others go results with their tracks, and whole 10 s windows of their ledgers, so that these stay in
    /// balance; entries for what went change nothing any more. The wall time of a PTS is reckoned from the run's `began_ms` at
    /// t0. Runs of files stay.
    ///
    /// Works in small transactions, others get in between; may be dropped at any time, and goes on at the next call. The room
    /// is used again, the files of the store do not become smaller.
    async fn prune(&self, before_ms: i64) -> Result<Pruned, StoreError>;
}
