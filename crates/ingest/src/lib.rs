//! Files, servers and cameras to access units. Whatever the protocol, it ends as a [`Source`].

pub mod child;
mod fault;
pub mod pull;
pub mod push;
mod source;
mod spec;
mod stop;
mod url;

pub use fault::Fault;
pub use source::{Source, SourceError, WallAnchor};
pub use spec::{OpenSource, Pace, SourceSpec, Transport};
pub use stop::Stop;
pub use url::{DeviceFormat, DeviceOptions, Motion, SourceKind, SourceUrl, SourceUrlError, SyntheticOptions};
