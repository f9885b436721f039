//! Pictures to detections.

use std::time::{Duration, Instant};

use ocelli_analyze::Analyzer;
use ocelli_media::{
    libav::Frame,
    pixel::{Outline, OwnedPicture, Picture, draw},
};
use ocelli_model::Detection;

use crate::{Place, Work, WorkError, reason::reason};

/// What one analyzer saw on one picture.
#[derive(Debug)]
pub struct Analysis {
    /// In the analyzer's order: by falling confidence.
    pub detections: Vec<Detection>,
    /// Size of the upright picture in pixels.
    pub width: u32,
    /// See `width`.
    pub height: u32,
    /// Wall time of preprocessing, model and reading its outputs.
    pub took: Duration,
    /// The picture with its boxes drawn, where asked for.
    pub annotated: Option<OwnedPicture>,
}

/// Runs one analyzer on one thread.
pub struct AnalyzeWork {
    analyzer: Box<dyn Analyzer>,
    annotate: bool,
}

impl AnalyzeWork {
    /// `annotate` asks for a copy of each picture with its boxes drawn.
    pub fn new(analyzer: Box<dyn Analyzer>, annotate: bool) -> Self {
        Self { analyzer, annotate }
    }
}

impl std::fmt::Debug for AnalyzeWork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnalyzeWork").field("version", self.analyzer.version()).finish_non_exhaustive()
    }
}

impl Work for AnalyzeWork {
    type Output = Analysis;

    #[expect(clippy::disallowed_methods, reason = "how long a frame took is measured here, at the edge")]
    fn work(&mut self, _place: Place, frame: &Frame) -> Result<Analysis, WorkError> {
        let picture = frame.picture();
        let started = Instant::now();
        let detections =
            self.analyzer.analyze(&picture).map_err(|error| WorkError { reason: reason(&error) })?;
        let took = started.elapsed();
        let annotated = self.annotate.then(|| annotated(&picture, &detections));
        Ok(Analysis { detections, width: picture.width, height: picture.height, took, annotated })
    }
}

/// A copy with every box and its label, the most confident drawn last.
fn annotated(picture: &Picture<'_>, detections: &[Detection]) -> OwnedPicture {
    let mut copy = picture.to_owned_picture();
    for Detection { label, confidence, bbox } in detections.iter().rev() {
        let rect = [bbox.x, bbox.y, bbox.x + bbox.width, bbox.y + bbox.height];
        let text = format!("{label} {:.0}%", confidence * 100.0);
        draw(&mut copy, &Outline { rect, label, text: &text });
    }
    copy
}
