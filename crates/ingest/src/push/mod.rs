//! Sources that others push to us.

pub mod rtmp;
