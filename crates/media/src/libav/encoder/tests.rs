//! What FFmpeg's own tools read back: times to the tick, pixels nearly.

mod files;
mod pictures;
mod times;
