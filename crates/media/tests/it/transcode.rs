//! What browsers do not play, as AAC and H.264, at the times that the source had.

mod coded;
mod heard;
mod pictures;
mod times;
