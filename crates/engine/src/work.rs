//! What is done with each chosen picture.

use ocelli_media::libav::Frame;
use ocelli_model::TimeBase;

/// Where a picture stands in its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Counts from 0 within one source; media time may restart with each run.
    pub run: u32,
    /// Media time in `time_base`.
    pub pts: i64,
    /// Seconds per tick.
    pub time_base: TimeBase,
    /// The slot it won; `None` where every picture is looked at.
    pub slot: Option<i64>,
}

impl Place {
    /// Media time for people.
    pub fn seconds(&self) -> f64 {
        self.time_base.seconds(self.pts)
    }
}

/// Why a picture that decoded well has no result.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct WorkError {
    /// One line for people.
    pub reason: String,
}

/// Makes a result of one picture. One value per thread; blocking.
pub trait Work: Send {
    /// What comes out.
    type Output: Send;

    /// The same picture gives the same output, on whichever worker.
    fn work(&mut self, place: Place, frame: &Frame) -> Result<Self::Output, WorkError>;
}
