//! Runs the engine over a file with a worker that reads the painted number.

use std::{ops::ControlFlow, path::Path};

use ocelli_engine::{Place, Report, Seen, Settings, Watch, Work, WorkError, run};
use ocelli_ingest::pull::FileSource;
use ocelli_media::libav::Frame;
use ocelli_testkit::read_number_rotated;

/// What [`ReadNumber`] saw: the number, degrees clockwise by which the picture is turned, and its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number {
    pub(crate) shown: u32,
    pub(crate) degrees: u32,
    pub(crate) size: (u32, u32),
}

/// Reads the number from the luma plane.
pub(crate) struct ReadNumber;

impl Work for ReadNumber {
    type Output = Number;

    fn work(&mut self, _place: Place, frame: &Frame) -> Result<Number, WorkError> {
        let picture = frame.picture();
        let luma = picture.planes[0];
        let (width, height) = (picture.width, picture.height);
        let read = read_number_rotated(luma.data, luma.stride, width as usize, height as usize);
        let (number, degrees) =
            read.ok_or_else(|| WorkError { reason: "no number to be seen".to_owned() })?;
        Ok(Number { shown: number, degrees, size: (width, height) })
    }
}

/// Everything that comes out of `path`, with two workers racing.
pub(crate) fn look(path: &Path, plan: &str) -> (Vec<Seen<Number>>, Report) {
    let mut source = FileSource::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let settings = Settings::new(plan.parse().expect("a plan"));
    let mut seen = Vec::new();
    let report = run(&mut source, settings, &mut [ReadNumber, ReadNumber], &Watch::default(), |one| {
        seen.extend(one.into_frame());
        ControlFlow::Continue(())
    });
    (seen, report.expect("the decoder takes the clip"))
}
