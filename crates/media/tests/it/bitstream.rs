//! What the readers say of real clips, against FFmpeg's own parsers and decoders.

mod clip;
mod damage;
mod h264;
mod h265;
mod others;
