//! Runs streams: the loop from source to results, in one process, with bounded queues.

mod analysis;
mod jpeg;
mod order;
mod picture;
mod reading;
mod reason;
mod run;
mod work;

pub use analysis::{Analysis, AnalyzeWork};
pub use jpeg::JpegWork;
pub use picture::{Event, Failure, Seen};
pub use run::{Report, RunError, Settings, Watch, run};
pub use work::{Place, Work, WorkError};
