//! The detectors on real pictures, the tracker on known truth. What they need lies in the product's data directory and in the shared folder; a
//! test says what it skips where those are absent.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop there")]

mod choice;
mod failures;
mod gate;
mod inputs;
mod pictures;
mod precision;
mod reference;
mod runtime;
mod tracks;
mod user;
