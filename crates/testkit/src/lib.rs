//! Dev-only: synthetic clips with a machine-readable frame number, the sampling oracle, faults.
//!
//! Truth comes from the `ffmpeg` and `ffprobe` programs (5.1, installed by `./dev setup`), never from our own parsers, and
//! everything here panics with a clear message instead of returning errors: its callers are tests.

pub mod certificate;
mod cli;
pub mod clip;
pub mod fault;
pub mod mot;
pub mod number;
pub mod onnx;
pub mod oracle;
pub mod paff;
pub mod paint;
pub mod probe;
mod random;
#[cfg(feature = "reel")]
pub mod reel;
pub mod rtsp;
pub mod scene;
pub mod ts;
pub mod variety;
pub mod view;
pub mod zoo;

pub use certificate::Certificate;
pub use clip::{Clip, ClipCodec, Container};
pub use number::{read_number, read_number_rotated};
pub use paint::{Rect, find_marker, marker};
pub use probe::{Truth, probe};
#[cfg(feature = "reel")]
pub use reel::Reel;
pub use rtsp::RtspServer;
