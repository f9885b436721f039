//! Runs streams: the loop from source to results, in one process, with bounded queues.

mod analysis;
mod choosing;
mod jpeg;
mod order;
mod picture;
mod reading;
mod reason;
mod record;
mod run;
mod still;
mod stream;
mod work;

pub use analysis::{Analysis, AnalyzeWork, Demand, Look, Looked, draw_detections};
pub use jpeg::JpegWork;
pub use ocelli_ingest::{
    Pace, SourceKind, SourceSpec, SourceUrl, SourceUrlError, Transport,
    push::{FrameHub, FrameRefused, PictureError, PostedAt},
};
pub use picture::{Failure, Notice, Seen};
pub use record::{
    AnalyzerFacts, FrameTold, Kept, Known, Media, Pass, RecordError, Recording, Sums, TellEarly, Told,
};
pub use run::{Report, RunError, Settings, Watch, run};
pub use still::{Still, StillError, still};
pub use stream::*;
pub use work::{Place, Work, WorkError};
