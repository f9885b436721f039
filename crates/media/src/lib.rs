//! Coded video without sockets or files: access units, what they are, which of them are worth decoding, decoders,
//! and pixel work. Native code (libav) lives in `libav`, nowhere else in this crate.

mod audio;
pub mod bitstream;
pub mod cmaf;
pub mod decode;
pub mod fields;
pub mod libav;
pub mod pixel;
pub mod sampler;
mod unit;

pub use audio::{AudioCodec, AudioParameters, AudioQueue, AudioUnit};
pub use unit::{AccessUnit, Codec, CodecParameters, Rotation};
