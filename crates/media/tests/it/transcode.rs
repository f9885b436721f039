//! Sound that browsers do not play, as AAC: heard by ffmpeg at the times that the source had.

mod coded;
mod heard;
mod times;
