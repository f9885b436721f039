//! Pixel work on decoded planes: YUV to JPEG, YUV to model tensor, rotation, drawing. No RGB picture in between.

mod cells;
mod draw;
pub mod jpeg;
mod picture;
#[cfg(test)]
mod reference;
mod rotate;
pub mod tensor;

pub use cells::Cells;
pub use draw::{Outline, draw};
pub use picture::{Matrix, OwnedPicture, Picture, PictureError, Plane, Range};
pub use rotate::rotated;
