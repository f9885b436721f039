//! The words of `docs/glossary.md` as values: no I/O, no clock, no thread.

mod detection;
mod rate;
mod stream;
mod time;
mod verdict;
mod version;

pub use detection::{BoundingBox, Detection, Rectangle, TrackId, Written, rounded};
pub use rate::{Rate, RateError, SamplingPlan, SlotClock};
pub use stream::{StreamId, StreamIdError};
pub use time::{TimeBase, TimeBaseError};
pub use verdict::{Tally, Verdict, VerdictError};
pub use version::{AnalyzerVersion, VersionBuilder, VersionError};
