//! Streams as runtime data: what each is to do, how it stands, and the supervisor that keeps them going.

mod admission;
mod anchors;
mod attempt;
mod backoff;
mod begun;
mod catch_up;
mod coded;
mod counters;
mod decoding;
mod entry;
mod events;
mod fleet;
mod flow;
mod going;
mod keeper;
mod looking;
mod planning;
mod pool;
mod publish;
mod replay;
mod seat;
mod shelf;
mod spec;
mod status;
mod supervisor;
mod tape;

use std::time::Instant;

pub use backoff::Backoff;
pub use counters::{LATENCY_BUCKETS_MS, Part, StreamCounts};
pub(crate) use replay::next_picture;

pub use publish::{PublishSpec, SecondPublisher};
pub use shelf::{LoadModels, Loaded};
pub use spec::{AnalyzerStream, EventSpec, FramesSpec, ModelSpec, RecordSpec, StreamSpec};
pub use status::{FrameNews, LatestFrame, LookNews, ModelLook, News, StreamState, StreamStatus, Update};
pub use supervisor::{Follower, Missed, Parts, StreamError, Supervisor, SupervisorConfig};

/// When something arrives, waits, or is told: the edge of a live stream reads the clock. No choice depends on it.
#[expect(clippy::disallowed_methods, reason = "the one place of the run loop that reads a clock")]
fn now() -> Instant {
    Instant::now()
}
