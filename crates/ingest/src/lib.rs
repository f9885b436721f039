//! Files (later sockets and devices) to access units. Whatever the protocol, it ends as a [`Source`].

pub mod pull;
mod source;
mod spec;

pub use source::{Source, SourceError};
pub use spec::{OpenSource, Pace, SourceSpec, SourceUrl, SourceUrlError};
