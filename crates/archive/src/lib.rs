//! The media log. Every access unit of a recorded stream goes into parts (about 200 ms) of segments (about 2 s, beginning with a
//! keyframe), untranscoded and under its own media time. Players, clips and analyzers read the same bytes.

mod live;

pub use live::{Init, LivePart, LiveSegment, LiveView, LiveWindow};
