//! Files (later sockets and devices) to access units. Whatever the protocol, it ends as a [`Source`].

pub mod pull;
mod source;

pub use source::{Source, SourceError};
