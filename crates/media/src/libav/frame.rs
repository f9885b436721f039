//! Decoded pictures.

use super::{AvError, av_frame::AvFrame, scale::Scaler};
use crate::{
    Rotation,
    pixel::{OwnedPicture, Picture, rotated},
};

/// A decoded picture, upright, as 8-bit 4:2:0 planes: the decoder's own where it gives these, else converted.
#[derive(Debug)]
pub struct Frame {
    /// Media time in the stream's time base.
    pub pts: i64,
    pixels: Pixels,
}

#[derive(Debug)]
enum Pixels {
    Native(AvFrame),
    Turned(OwnedPicture),
}

impl Frame {
    /// Converts what is not 8-bit 4:2:0, and turns what is not upright.
    pub(super) fn new(
        pts: i64,
        frame: AvFrame,
        turn: Rotation,
        scaler: &mut Scaler,
    ) -> Result<Self, AvError> {
        let planar = frame.planes().is_some();
        let frame = if planar { frame } else { scaler.convert(&frame)? };
        let picture = frame.planes().ok_or(AvError::INVALID)?;
        let pixels = if turn == Rotation::None {
            Pixels::Native(frame)
        } else {
            Pixels::Turned(rotated(&picture, turn).map_err(|_malformed| AvError::INVALID)?)
        };
        Ok(Self { pts, pixels })
    }

    /// A frame from planes that did not come from a decoder.
    pub fn from_picture(pts: i64, picture: OwnedPicture) -> Self {
        Self { pts, pixels: Pixels::Turned(picture) }
    }

    /// The planes.
    pub fn picture(&self) -> Picture<'_> {
        match &self.pixels {
            Pixels::Native(frame) => frame.planes().expect("checked when the frame was made"),
            Pixels::Turned(picture) => picture.as_picture(),
        }
    }
}
