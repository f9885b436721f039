
mod picture;

pub use picture::{Matrix, OwnedPicture, Picture, PictureError, Plane, Range};
