//! A detector with known faults.

use std::sync::Arc;

use ocelli_model::{BoundingBox, Detection};

use crate::{mot::Sighting, random::Random};

/// How a detector errs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Faults {
    /// Share of well visible objects that are missed all the same, 0 to 1.
    pub missed: f64,
    /// False boxes a frame on average.
    pub false_boxes: f64,
    /// Standard deviation of each edge, as a share of the box's width or height.
    pub jitter: f64,
}

impl Faults {
    /// About those of a small real-time detector on a street.
    pub const fn usual() -> Self {
        Self { missed: 0.05, false_boxes: 0.4, jitter: 0.04 }
    }

    /// None: every box is where it is.
    pub const fn none() -> Self {
        Self { missed: 0.0, false_boxes: 0.0, jitter: 0.0 }
    }
}

/// Something in the picture.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) sighting: Sighting,
    pub(super) label: Arc<str>,
    /// Share of its box that nothing nearer hides, 0 to 1.
    pub(super) visible: f64,
}

/// Visibility of boxes that come nearest first.
pub(super) fn with_visibility<'a>(sightings: impl Iterator<Item = (Sighting, &'a Arc<str>)>) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    for (sighting, label) in sightings {
        let nearer: Vec<BoundingBox> = shown.iter().map(|shown| shown.sighting.bbox).collect();
        let visible = visible_share(&sighting.bbox, &nearer);
        shown.push(Shown { sighting, label: label.clone(), visible });
    }
    shown
}

/// Counted on a grid of points: how boxes hide each other together has no short formula.
fn visible_share(bbox: &BoundingBox, nearer: &[BoundingBox]) -> f64 {
    const GRID: usize = 8;
    let within = |other: &BoundingBox, x: f32, y: f32| {
        (other.x..other.x + other.width).contains(&x) && (other.y..other.y + other.height).contains(&y)
    };
    let free = (0..GRID * GRID).filter(|point| {
        let at = |index: usize| (index as f32 + 0.5) / GRID as f32;
        let (x, y) = (bbox.x + bbox.width * at(point % GRID), bbox.y + bbox.height * at(point / GRID));
        !nearer.iter().any(|other| within(other, x, y))
    });
    free.count() as f64 / (GRID * GRID) as f64
}

/// What the detector says, in no particular order.
pub(super) fn detect(shown: &[Shown], faults: &Faults, random: &mut Random) -> Vec<Detection> {
    let mut detections = Vec::new();
    for one in shown {
        // Less than a third in sight is hardly ever found.
        let luck = random.fraction();
        let found = luck >= faults.missed && one.visible > 0.3;
        let confidence = 0.35 + 0.5 * one.visible + 0.1 * random.normal();
        let bbox = shaken(&one.sighting.bbox, faults.jitter * (1.5 - 0.5 * one.visible), random);
        if found {
            let confidence = if faults.jitter == 0.0 { 0.9 } else { confidence.clamp(0.11, 0.99) };
            detections.push(Detection { label: one.label.clone(), confidence: confidence as f32, bbox });
        }
    }
    let label = shown.first().map_or_else(|| "person".into(), |shown| shown.label.clone());
    let mut expected = faults.false_boxes;
    while random.fraction() < expected {
        detections.push(false_box(label.clone(), random));
        expected -= 1.0;
    }
    for index in (1..detections.len()).rev() {
        detections.swap(index, random.below(index + 1));
    }
    detections
}

/// Mostly weak, of any place and of a usual size.
fn false_box(label: Arc<str>, random: &mut Random) -> Detection {
    let height = 0.1 + 0.3 * random.fraction();
    let width = 0.25 * height;
    let bbox = BoundingBox {
        x: ((1.0 - width) * random.fraction()) as f32,
        y: ((1.0 - height) * random.fraction()) as f32,
        width: width as f32,
        height: height as f32,
    };
    let confidence = 0.1 + 0.6 * random.fraction() * random.fraction();
    Detection { label, confidence: confidence as f32, bbox }
}

fn shaken(bbox: &BoundingBox, jitter: f64, random: &mut Random) -> BoundingBox {
    let mut off = |scale: f32| (f64::from(scale) * jitter * random.normal()) as f32;
    let (left, right) = (bbox.x + off(bbox.width), bbox.x + bbox.width + off(bbox.width));
    let (top, bottom) = (bbox.y + off(bbox.height), bbox.y + bbox.height + off(bbox.height));
    BoundingBox { x: left, y: top, width: (right - left).max(1e-3), height: (bottom - top).max(1e-3) }
}
