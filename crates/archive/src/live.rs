//! The newest segments of a stream, in memory: what live players are served from.

use std::sync::Arc;

use bytes::Bytes;
use ocelli_model::TimeBase;
use tokio::sync::watch;

/// What a player must have before segments: `ftyp` and `moov` (ISO/IEC 14496-12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Init {
    /// Equal names, equal bytes; 16 hexadecimal digits.
    pub name: String,
    /// The initialisation segment.
    pub bytes: Bytes,
    /// Codecs as RFC 6381 names them, such as `avc1.64001f,mp4a.40.2`.
    pub codecs: String,
    /// Coded size in pixels.
    pub width: u32,
    /// See `width`.
    pub height: u32,
}

/// About 200 ms of media: one `moof` and its `mdat`.
#[derive(Clone, Debug)]
pub struct LivePart {
    /// The whole part.
    pub bytes: Bytes,
    /// Smallest PTS of a picture in it.
    pub first_pts: i64,
    /// Length in ticks.
    pub ticks: i64,
    /// Length in ticks as playlists tell it: [`LiveWindow::part_target_ms`] where it is longer than that.
    pub stated: i64,
    /// It begins with a keyframe.
    pub keyframe: bool,
}

/// A segment that is still growing, or was sealed lately. Its media is its parts, one after the other.
#[derive(Clone, Debug)]
pub struct LiveSegment {
    /// Media sequence number: counts through all runs of the stream, never given twice.
    pub number: u64,
    /// Ordinal of its run.
    pub run: u32,
    /// The discontinuity sequence: one more than that of the segment before it where the run or the tracks are other ones. What it is counted
    /// from means nothing; no count comes again with other media.
    pub discontinuity: u64,
    /// Seconds per tick of the times below.
    pub time_base: TimeBase,
    /// Smallest PTS of a picture in it.
    pub first_pts: i64,
    /// End of its last picture so far.
    pub end_pts: i64,
    /// Length so far as playlists tell it, in ticks: that of its parts, together.
    pub stated: i64,
    /// When its first picture came in, in milliseconds since 1970.
    pub began_ms: i64,
    /// It begins with a keyframe.
    pub keyframe: bool,
    /// What its parts need.
    pub init: Arc<Init>,
    /// Whole parts, oldest first. Empty where it was sealed so long ago that only the archive holds it.
    pub parts: Vec<LivePart>,
    /// Nothing is added to it any more, and the archive holds it.
    pub sealed: bool,
}

/// The newest segments of a stream. A value that never changes: the next state is another one.
#[derive(Clone, Debug, Default)]
pub struct LiveWindow {
    /// Oldest first; only the last may be growing. Sealed ones that lie back have no parts here any more.
    pub segments: Vec<Arc<LiveSegment>>,
    /// Longest segment that this stream makes, in whole seconds: `EXT-X-TARGETDURATION`. 0 until one is whole; does not change from then on.
    pub target_seconds: u32,
    /// Longest part, in milliseconds: `PART-TARGET`. As `target_seconds`.
    pub part_target_ms: u32,
    /// Recording has ended: nothing more comes before it begins anew.
    pub ended: bool,
    /// The source is away (a publisher, or a camera that is tried again), and recording goes on when it is back.
    pub waiting: bool,
    /// Recording is interrupted for this reason (no room, for one); what comes is live only, or lost.
    pub paused: Option<String>,
    /// Codecs of the source that browsers do not play, such as `pcm_alaw`: what is recorded was encoded anew, as H.264 and AAC.
    pub encoded: Vec<String>,
}

/// Where live players look. Cheap to clone; whoever holds it hears of each part.
#[derive(Clone, Debug)]
pub struct LiveView {
    window: watch::Receiver<Arc<LiveWindow>>,
}

impl LiveView {
    /// Follows what the sender shows.
    pub fn new(window: watch::Receiver<Arc<LiveWindow>>) -> Self {
        Self { window }
    }

    /// How it stands now.
    pub fn now(&self) -> Arc<LiveWindow> {
        Arc::clone(&self.window.borrow())
    }

    /// The first state from now on for which `ready` holds; the last there was, where recording is over.
    pub async fn wait(&mut self, mut ready: impl FnMut(&LiveWindow) -> bool) -> Arc<LiveWindow> {
        if let Ok(window) = self.window.wait_for(|window| ready(window)).await {
            return Arc::clone(&window);
        }
        self.now()
    }
}

impl LiveSegment {
    /// Media time in seconds.
    pub fn seconds(&self) -> f64 {
        self.time_base.seconds(self.end_pts - self.first_pts)
    }

    /// Seconds as playlists tell them.
    pub fn stated_seconds(&self) -> f64 {
        self.time_base.seconds(self.stated)
    }
}
