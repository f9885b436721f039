//! Pictures to JPEG.

use ocelli_media::{
    libav::Frame,
    pixel::jpeg::{JpegEncoder, JpegError},
};

use ocelli_model::TimeBase;

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

/// What [`comment`] says; `None` where something else is in it. The slot is not.
pub(crate) fn read_comment(comment: &[u8]) -> Option<Place> {
    let text = str::from_utf8(comment).ok()?.strip_prefix("ocelli ")?;
    let field = |name: &str| text.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    let (num, den) = field("time_base")?.split_once('/')?;
    let time_base = TimeBase::new(num.parse().ok()?, den.parse().ok()?).ok()?;
    Some(Place { run: field("run")?.parse().ok()?, pts: field("pts")?.parse().ok()?, time_base, slot: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_reads_back() {
        let time_base = TimeBase::new(1, 90_000).unwrap();
        let place = Place { run: 3, pts: -1800, time_base, slot: None };
        assert_eq!(read_comment(comment(place).as_bytes()), Some(place));
        for other in [
            "",
            "ocelli",
            "ocelli run=1",
            "ocelli run=1 pts=2 time_base=1/0",
            "Lavc run=1 pts=2 time_base=1/25",
        ] {
            assert_eq!(read_comment(other.as_bytes()), None, "{other}");
        }
    }
}
