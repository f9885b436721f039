//! Sources that others push to us: publishers find the stream of their key at a [`PublishHub`].

mod admission;
mod ending;
mod feed;
mod hub;
pub mod rtmp;

pub use admission::{Admission, Admitted, OnSecond, Refusal};
pub use ending::{Ending, PublishError};
pub use feed::FeedLimits;
pub use hub::{PublishHub, PublishOptions, PublishSource};
