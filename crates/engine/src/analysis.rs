//! Pictures to detections.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use ocelli_analyze::Analyzer;
use ocelli_media::{
    libav::Frame,
    pixel::{Outline, OwnedPicture, draw},
};
use ocelli_model::{Detection, TrackId, Verdict};

use crate::{Failure, Place, Work, WorkError, reason::reason};

/// Reported in place of detections that no output has a form for.
const NOT_FINITE: &str = "the analyzer gave a detection whose numbers are not finite";

/// What was seen on one picture.
#[derive(Debug)]
pub struct Looked {
    /// Size of the upright picture in pixels.
    pub width: u32,
    /// See `width`.
    pub height: u32,
    /// One per analyzer, in their order.
    pub looks: Vec<Look>,
    /// A copy of the picture, where asked for.
    pub picture: Option<OwnedPicture>,
}

/// What one analyzer saw on one picture.
#[derive(Clone, Debug)]
pub enum Look {
    /// It looked.
    Seen(Analysis),
    /// It could not.
    Failed(Failure),
    /// It was kept from it: *gated* or *dropped*.
    Kept(Verdict, String),
    /// Nobody wants its result.
    Passed,
}

/// A result of one analyzer.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// In the analyzer's order: by falling confidence.
    pub detections: Vec<Detection>,
    /// Wall time of preprocessing, model and reading its outputs.
    pub took: Duration,
}

/// Which results of several analyzers anybody wants. Pure: the same question has the same answer.
pub trait Demand: fmt::Debug + Send + Sync {
    /// Whether analyzer number `analyzer` is to look at the picture at `place`.
    fn wants(&self, analyzer: usize, place: Place) -> bool;
}

/// Runs analyzers on one thread, one after the other on each picture: they share its decoding.
pub struct AnalyzeWork {
    analyzers: Vec<Box<dyn Analyzer>>,
    keeps_picture: bool,
    demand: Option<Arc<dyn Demand>>,
}

impl AnalyzeWork {
    /// `keeps_picture` asks for a copy of each picture, to draw on.
    pub fn new(analyzers: Vec<Box<dyn Analyzer>>, keeps_picture: bool) -> Self {
        Self { analyzers, keeps_picture, demand: None }
    }

    /// From now on looks only where there is demand; everywhere if `None`.
    pub fn look_for(&mut self, demand: Option<Arc<dyn Demand>>) {
        self.demand = demand;
    }

    fn look(&mut self, index: usize, place: Place, frame: &Frame) -> Look {
        if self.demand.as_ref().is_some_and(|demand| !demand.wants(index, place)) {
            return Look::Passed;
        }
        look(&mut *self.analyzers[index], frame)
    }
}

/// What an analyzer sees on a picture, and how long it took.
#[expect(clippy::disallowed_methods, reason = "how long a frame took is measured here, at the edge")]
pub(crate) fn look(analyzer: &mut dyn Analyzer, frame: &Frame) -> Look {
    let started = Instant::now();
    match analyzer.analyze(&frame.picture()) {
        Ok(detections) if !detections.iter().all(is_finite) => {
            Look::Failed(Failure { reason: NOT_FINITE.to_owned() })
        }
        Ok(detections) => Look::Seen(Analysis { detections, took: whole_micros(started.elapsed()) }),
        Err(error) => Look::Failed(Failure { reason: reason(&error) }),
    }
}

/// Rounded as it is written and kept: what is read back is what was printed.
fn whole_micros(took: Duration) -> Duration {
    Duration::from_micros(u64::try_from((took.as_nanos() + 500) / 1000).unwrap_or(u64::MAX))
}

fn is_finite(detection: &Detection) -> bool {
    let Detection { confidence, bbox, .. } = detection;
    [*confidence, bbox.x, bbox.y, bbox.width, bbox.height].into_iter().all(f32::is_finite)
}

impl fmt::Debug for AnalyzeWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let versions: Vec<_> = self.analyzers.iter().map(|analyzer| analyzer.version()).collect();
        f.debug_struct("AnalyzeWork").field("versions", &versions).finish_non_exhaustive()
    }
}

impl Work for AnalyzeWork {
    type Output = Looked;

    fn work(&mut self, place: Place, frame: &Frame) -> Result<Looked, WorkError> {
        let looks = (0..self.analyzers.len()).map(|index| self.look(index, place, frame)).collect();
        let picture = frame.picture();
        let copy = self.keeps_picture.then(|| picture.to_owned_picture());
        Ok(Looked { width: picture.width, height: picture.height, looks, picture: copy })
    }
}

/// Draws every box with its label and track, the most confident last. `tracks` is empty or holds one per detection.
pub fn draw_detections(picture: &mut OwnedPicture, detections: &[Detection], tracks: &[Option<TrackId>]) {
    for (index, Detection { label, confidence, bbox }) in detections.iter().enumerate().rev() {
        let rect = [bbox.x, bbox.y, bbox.x + bbox.width, bbox.y + bbox.height];
        let track = tracks.get(index).copied().flatten();
        let text = match track {
            Some(track) => format!("{label} #{track} {:.0}%", confidence * 100.0),
            None => format!("{label} {:.0}%", confidence * 100.0),
        };
        draw(picture, &Outline { rect, label, text: &text });
    }
}
