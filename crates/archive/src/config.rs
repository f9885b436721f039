//! What an archive is to do.

use std::{path::PathBuf, time::Duration};

/// Where and how streams are recorded.
#[derive(Clone, Debug)]
pub struct ArchiveConfig {
    /// Of the archive alone; on a local disk.
    pub folder: PathBuf,
    /// Parts close when they are this long, give or take half a picture.
    pub part: Duration,
    /// The first keyframe that comes when a segment is this long, give or take half a picture, begins the next.
    pub segment: Duration,
    /// No segment is longer, whether a keyframe comes or not: for groups of pictures without end.
    pub longest_segment: Duration,
    /// What a power cut takes lies at most this far back, and as long as the disk takes.
    pub sync_every: Duration,
    /// What goes, and when.
    pub keep: Retention,
    /// Room to leave on the disk for others: recording makes room or pauses rather than take it.
    pub reserve_bytes: u64,
    /// What a stream may have waiting for a slow disk. Beyond, media is left out up to the next segment that there is room for.
    pub queue_bytes: usize,
    /// How far back the live window lists segments.
    pub listed: Duration,
    /// Wall time in milliseconds since 1970: what people look for. Somebody may set it.
    pub now_ms: fn() -> i64,
    /// Milliseconds since any moment before, of a clock that nobody sets: what ages are counted on.
    pub steady_ms: fn() -> i64,
}

/// How long recordings stay. What is pinned always stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Segments of no class go when they are this old.
    pub age: Option<Duration>,
    /// Those in which something happened: when they are this old; as others, if `None`.
    pub event_age: Option<Duration>,
    /// All recordings together take at most so many bytes: of what is not pinned the oldest goes first, whatever its class.
    pub bytes: Option<u64>,
}

impl ArchiveConfig {
    /// Parts of 200 ms, segments of 2 s, nothing goes; the wall clock is taken for one that nobody sets.
    pub fn new(folder: PathBuf, now_ms: fn() -> i64) -> Self {
        Self {
            folder,
            part: Duration::from_millis(200),
            segment: Duration::from_secs(2),
            longest_segment: Duration::from_secs(10),
            sync_every: Duration::from_millis(500),
            keep: Retention::default(),
            reserve_bytes: 1 << 30,
            queue_bytes: 8 << 20,
            listed: Duration::from_secs(30),
            now_ms,
            steady_ms: now_ms,
        }
    }
}
