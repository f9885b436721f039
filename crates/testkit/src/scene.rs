//! A made-up camera scene with known truth: objects of several classes enter, leave, cross, stand and hide each other, and a detector with known
//! faults looks at them. The world depends on the seed alone, not on the frame rate, so that one scene can be seen at several.

mod observe;
mod walk;

use std::sync::Arc;

use ocelli_model::{BoundingBox, Detection};

use crate::{mot::Sighting, random::Random};
pub use observe::Faults;

/// Width of the picture over its height.
const ASPECT: f64 = 16.0 / 9.0;
/// The world moves in steps this long, s; between them everything goes straight.
const STEP: f64 = 0.1;

/// What to make.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Another seed is another scene.
    pub seed: u64,
    /// Frames a second.
    pub fps: f64,
    /// How long, s.
    pub seconds: f64,
    /// About how many objects are in the picture at once.
    pub crowd: usize,
    /// How the detector errs.
    pub faults: Faults,
}

/// One frame of a sequence: the truth, and what the detector made of it.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneFrame {
    /// Media time.
    pub seconds: f64,
    /// Objects of which something can be seen.
    pub truth: Vec<Sighting>,
    /// What the detector says.
    pub detections: Vec<Detection>,
}

impl Scene {
    /// A street seen by a usual detector for `seconds`.
    pub fn street(seed: u64, fps: f64) -> Self {
        Self { seed, fps, seconds: 60.0, crowd: 12, faults: Faults::usual() }
    }

    /// All frames, in order of time.
    pub fn frames(&self) -> Vec<SceneFrame> {
        let mut world = walk::World::new(self.seed, self.crowd, self.seconds);
        let mut random = Random(self.seed ^ 0xDE7E_C70B);
        let count = (self.seconds * self.fps) as usize;
        let frame = |index: usize| {
            let seconds = index as f64 / self.fps;
            let shown = world.at(seconds);
            let detections = observe::detect(&shown, &self.faults, &mut random);
            let truth = shown.iter().map(|shown| shown.sighting).collect();
            SceneFrame { seconds, truth, detections }
        };
        (0..count).map(frame).collect()
    }
}

/// A sequence of real truth as a detector with faults sees it. `truth` is of one class, at `fps` frames a second; nearer objects, those whose
/// feet are lower in the picture, hide those behind them.
pub fn degraded(
    truth: &[Vec<Sighting>],
    fps: f64,
    label: &str,
    faults: &Faults,
    seed: u64,
) -> Vec<SceneFrame> {
    let mut random = Random(seed);
    let label = label.into();
    let frames = truth.iter().enumerate().map(|(index, sightings)| {
        let mut sightings = sightings.clone();
        sightings.sort_by(|a, b| feet(&b.bbox).total_cmp(&feet(&a.bbox)));
        let shown = observe::with_visibility(sightings.iter().map(|sighting| (*sighting, &label)));
        let detections = observe::detect(&shown, faults, &mut random);
        SceneFrame { seconds: index as f64 / fps, truth: sightings, detections }
    });
    frames.collect()
}

/// Boxes somebody else found, taken as certain and without their ids, beside the truth of their frames.
pub fn undoubted(truth: &[Vec<Sighting>], boxes: &[Vec<Sighting>], fps: f64, label: &str) -> Vec<SceneFrame> {
    let label: Arc<str> = label.into();
    let detection =
        |sighting: &Sighting| Detection { label: label.clone(), confidence: 1.0, bbox: sighting.bbox };
    let frame = |(index, truth): (usize, &Vec<Sighting>)| {
        let detections = boxes.get(index).into_iter().flatten().map(detection).collect();
        SceneFrame { seconds: index as f64 / fps, truth: truth.clone(), detections }
    };
    truth.iter().enumerate().map(frame).collect()
}

fn feet(bbox: &BoundingBox) -> f32 {
    bbox.y + bbox.height
}

#[cfg(test)]
mod tests;
