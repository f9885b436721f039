//! Sources that others push to us: publishers find the stream of their key at a [`PublishHub`], whoever posts pictures at a
//! [`FrameHub`].

mod admission;
mod ending;
mod feed;
pub mod frames;
mod hub;
pub mod rtmp;

pub use admission::{Admission, Admitted, OnSecond, Refusal};
pub use ending::{Ending, PublishError};
pub use feed::FeedLimits;
pub use frames::{Accepted, FrameHub, FrameRefused, FrameSource, FramesError, PictureError, PostedAt};
pub use hub::{PublishHub, PublishOptions, PublishSource};
