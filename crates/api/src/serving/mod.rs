//! The accept loop: connections to requests.

mod peer;

pub use peer::Peer;
