//! What became of one chosen picture.

use crate::Place;

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
