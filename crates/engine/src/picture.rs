//! What became of one chosen picture.

use ocelli_model::TimeBase;

use crate::Place;

/// What the engine tells of a source. Frames of a run come in order of media time.
#[derive(Debug)]
pub enum Notice<T> {
    /// A run begins.
    Run {
        /// Counts from 0 within the source.
        run: u32,
        /// PTS that its slots count from.
        t0: i64,
        /// Seconds per tick.
        time_base: TimeBase,
    },
    /// A chosen picture was looked at, or failed.
    Frame(Seen<T>),
    /// A chosen picture that nobody wanted, in its place.
    Passed(Place),
    /// Slots that hold no picture; not before pictures of earlier slots were chosen.
    Empty {
        /// Which run.
        run: u32,
        /// The first of them.
        first: i64,
        /// The last of them.
        last: i64,
    },
    /// A run is over, and all of it was told.
    RunEnd {
        /// Which run.
        run: u32,
        /// Largest PTS of a picture that could be chosen.
        last_pts: i64,
        /// Pictures that were chosen and slots that were empty, counted before decoding.
        due: u64,
        /// Media time went on elsewhere, or the source ended; false where reading ended before it, or in damage.
        whole: bool,
    },
}

impl<T> Notice<T> {
    /// The picture, for sinks that nothing else concerns.
    pub fn into_frame(self) -> Option<Seen<T>> {
        if let Self::Frame(seen) = self { Some(seen) } else { None }
    }
}

/// A chosen picture with its output, or the reason why there is none.
#[derive(Debug)]
pub struct Seen<T> {
    /// Where it stands.
    pub place: Place,
    /// Its verdict is *analysed* or *failed*.
    pub result: Result<T, Failure>,
}

/// Why a chosen picture *failed*.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// One line for people.
    pub reason: String,
}
