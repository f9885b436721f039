//! Streams as runtime data: what each is to do, how it stands, and the supervisor that keeps them going.

mod spec;
mod status;
mod supervisor;

pub use spec::{FramesSpec, ModelSpec, StreamSpec};
pub use status::{FrameNews, LatestFrame, LookNews, News, StreamState, StreamStatus, Update};
pub use supervisor::{Follower, Missed, StreamError, Supervisor};
