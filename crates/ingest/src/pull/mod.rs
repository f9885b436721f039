//! Sources that we go and read.

mod device;
mod driver;
mod file;
pub mod hls;
mod http;
mod open;
mod paced;
mod rtsp;
mod synthetic;

pub use device::{DeviceError, DeviceSource};
pub(crate) use driver::Driver;
pub use file::{FileIdentity, FileSource};
pub(crate) use file::{checked, identify, open_regular};
pub use hls::{HlsError, HlsSource, PlaylistError};
pub use http::{HttpError, HttpOptions, HttpSource};
pub use open::{OpenUntrusted, Opener, OpenerError, OpenerOptions};
pub use paced::Paced;
pub use rtsp::{RtspError, RtspOptions, RtspSource, RtspUrl};
pub use synthetic::SyntheticSource;

pub use crate::Stop;

#[cfg(test)]
mod tests;
