//! The archive as a whole: on a real disk, and on one that fails wherever a test says.

mod changes;
mod clips;
mod clocks;
mod crashes;
mod disks;
mod kept;
mod reading;
mod removal;
mod seen;
mod support;
