//! Object detectors: a model of the catalogue, its preprocessing, and its outputs read as detections.

use std::fmt;

use ocelli_media::pixel::{
    Picture,
    tensor::{Placement, TensorWriter},
};
use ocelli_model::{AnalyzerVersion, BoundingBox, Detection};

use crate::{
    analyzer::{AnalyzeError, Analyzer},
    runtime::{ModelInstance, RunError},
};

mod contract;
mod dry_run;
mod labels;
mod load;
mod nms;
mod ssd;
mod yolox;

use contract::Contract;
pub(crate) use dry_run::dry_run;
pub use dry_run::{DryRun, DryRunError};
pub use labels::{Labels, LabelsError, MOST_LABEL_FILE_BYTES, UnknownClass};
pub use load::{DetectorConfig, DetectorError, DetectorModel, Upstream, load};
use nms::Candidate;

/// What passes from a model's outputs.
#[derive(Clone, Debug, PartialEq)]
struct Filter {
    /// Lowest confidence.
    confidence: f32,
    /// One mark for each class column.
    wanted: Vec<bool>,
}

/// One model instance with its buffers.
pub struct Detector {
    instance: Box<dyn ModelInstance>,
    writer: TensorWriter,
    contract: Contract,
    filter: Filter,
    version: AnalyzerVersion,
    candidates: Vec<Candidate>,
}

impl fmt::Debug for Detector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detector").field("version", &self.version).finish_non_exhaustive()
    }
}

impl Detector {
    /// The model's input tensor, for callers that fill it themselves before [`Detector::detect`].
    pub fn input_mut(&mut self) -> Result<&mut [f32], RunError> {
        self.instance.input_mut()
    }

    /// Where in the tensor [`Analyzer::analyze`] puts this picture.
    pub fn placement(&self, picture: &Picture<'_>) -> Placement {
        self.contract.spec.placement(picture.width, picture.height)
    }

    /// Runs the model on what its input tensor holds; `placement` says where in it the picture is.
    pub fn detect(&mut self, placement: &Placement) -> Result<Vec<Detection>, RunError> {
        self.instance.run()?;
        self.candidates.clear();
        self.contract.decode(&*self.instance, &self.filter, &mut self.candidates)?;
        nms::suppress(&mut self.candidates, self.contract.overlap);
        let mut detections: Vec<Detection> = self
            .candidates
            .iter()
            .filter_map(|candidate| {
                let bbox = in_picture(placement, candidate.corners)?;
                let label = self.contract.labels.name(candidate.class);
                Some(Detection { label, confidence: candidate.score, bbox })
            })
            .collect();
        detections.sort_by(order);
        Ok(detections)
    }
}

/// The part of a box that lies in the picture, in fractions of it; `None` where nothing does.
fn in_picture(placement: &Placement, corners: [f32; 4]) -> Option<BoundingBox> {
    let [left, top, right, bottom] = placement.fractions(corners).map(|edge| edge.clamp(0.0, 1.0));
    let bbox = BoundingBox { x: left, y: top, width: right - left, height: bottom - top };
    (bbox.width > 0.0 && bbox.height > 0.0).then_some(bbox)
}

/// By falling confidence, then label, then place.
fn order(a: &Detection, b: &Detection) -> std::cmp::Ordering {
    let place = |bbox: &BoundingBox| [bbox.x, bbox.y, bbox.width, bbox.height];
    let places = place(&a.bbox).into_iter().zip(place(&b.bbox));
    let by_place = places.map(|(a, b)| a.total_cmp(&b)).find(|order| order.is_ne());
    let by_label = || a.label.cmp(&b.label).then(by_place.unwrap_or(std::cmp::Ordering::Equal));
    b.confidence.total_cmp(&a.confidence).then_with(by_label)
}

impl Analyzer for Detector {
    fn version(&self) -> &AnalyzerVersion {
        &self.version
    }

    fn analyze(&mut self, picture: &Picture<'_>) -> Result<Vec<Detection>, AnalyzeError> {
        let placement = self.writer.write(picture, self.instance.input_mut()?)?;
        Ok(self.detect(&placement)?)
    }
}

#[cfg(test)]
mod tests;
