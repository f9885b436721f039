//! Pictures to JPEG.

use ocelli_media::{
    libav::Frame,
    pixel::jpeg::{JpegEncoder, JpegError},
};

use crate::{Place, Work, WorkError};

/// Encodes each picture, with its media time in a comment segment.
#[derive(Debug)]
pub struct JpegWork {
    encoder: JpegEncoder,
}

impl JpegWork {
    /// `quality` is 1 to 100.
    pub fn new(quality: u8) -> Result<Self, JpegError> {
        Ok(Self { encoder: JpegEncoder::new(quality)? })
    }
}

impl Work for JpegWork {
    type Output = Vec<u8>;

    fn work(&mut self, place: Place, frame: &Frame) -> Result<Vec<u8>, WorkError> {
        let comment = comment(place);
        let encoded = self.encoder.encode(&frame.picture(), Some(comment.as_bytes()));
        encoded.map(<[u8]>::to_vec).map_err(|error| WorkError { reason: error.to_string() })
    }
}

/// `ocelli run=0 pts=90000 time_base=1/90000 seconds=1.000000`.
pub(crate) fn comment(place: Place) -> String {
    let Place { run, pts, time_base, .. } = place;
    let (num, den) = (time_base.num(), time_base.den());
    format!("ocelli run={run} pts={pts} time_base={num}/{den} seconds={:.6}", place.seconds())
}
