//! Pictures to measure with.

use std::{ops::ControlFlow, path::Path};

use ocelli_engine::{Place, Settings, Watch, Work, WorkError, run};
use ocelli_ingest::pull::FileSource;
use ocelli_media::{
    libav::Frame,
    pixel::{Matrix, OwnedPicture, Range},
};

/// Of the footage that set-up fetches, and how many pictures a second of it.
const FOOTAGE: [(&str, &str); 2] = [("vtest.avi", "1/4"), ("bikes.mp4", "2")];

/// Hands on a copy of each picture.
struct Keep;

impl Work for Keep {
    type Output = OwnedPicture;

    fn work(&mut self, _place: Place, frame: &Frame) -> Result<OwnedPicture, WorkError> {
        Ok(frame.picture().to_owned_picture())
    }
}

/// Pictures of real footage below `home`; none where it is not there or cannot be read.
pub(super) fn real(home: &Path) -> Vec<OwnedPicture> {
    FOOTAGE.iter().flat_map(|(name, fps)| of_file(&home.join("footage").join(name), fps)).collect()
}

fn of_file(path: &Path, fps: &str) -> Vec<OwnedPicture> {
    let (Ok(mut source), Ok(plan)) = (FileSource::open(path), fps.parse()) else { return Vec::new() };
    let mut pictures = Vec::new();
    let settings = Settings::new(plan);
    let done = run(&mut source, settings, &mut [Keep], &Watch::default(), |notice| {
        pictures.extend(notice.into_frame().and_then(|seen| seen.result.ok()));
        ControlFlow::Continue(())
    });
    if let Err(error) = done {
        tracing::warn!(path = %path.display(), %error, "no pictures to measure with");
    }
    pictures
}

/// A picture with something in every corner.
pub(super) fn synthetic() -> OwnedPicture {
    let mut picture = OwnedPicture::black(768, 576, Range::Limited, Matrix::Bt601);
    for (plane, samples) in picture.planes.iter_mut().enumerate() {
        for (index, sample) in samples.iter_mut().enumerate() {
            *sample = (16 + (index * 7 + index / 384 + plane * 50) % 200) as u8;
        }
    }
    picture
}
