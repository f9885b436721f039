//! Pixel work on decoded planes: YUV to JPEG, YUV to model tensor, rotation, drawing. No RGB picture in between.

mod picture;

pub use picture::{Matrix, OwnedPicture, Picture, Plane, Range};
