//! What the tracker takes of a frame's detections, in an order that does not depend on theirs.

use std::{cmp::Ordering, ops::Range, sync::Arc};

use ocelli_model::Detection;

use super::motion::Place;

/// Most detections of one frame that are looked at, the most confident first: bounds the time of association.
pub const MAX_DETECTIONS: usize = 500;
/// Boxes reach no farther than this many pictures, and are no smaller than `SMALLEST` of one: arithmetic stays finite.
const FARTHEST: f64 = 10.0;
const SMALLEST: f64 = 1e-6;

/// One detection that describes a box.
#[derive(Clone, Debug)]
pub(super) struct Seen<'a> {
    /// Where it stands in the input.
    pub(super) index: usize,
    pub(super) label: &'a Arc<str>,
    pub(super) confidence: f64,
    pub(super) place: Place,
}

/// The detections of one frame by label, then by falling confidence.
#[derive(Debug)]
pub(super) struct Intake<'a>(Vec<Seen<'a>>);

impl<'a> Intake<'a> {
    /// Leaves out what is less confident than `weak` and what is no box: not finite, without area, or far outside any picture.
    pub(super) fn new(detections: &'a [Detection], weak: f64) -> Self {
        let seen = |(index, detection): (usize, &'a Detection)| {
            let confidence = f64::from(detection.confidence);
            let place = place(detection)?;
            (confidence >= weak).then_some(Seen { index, label: &detection.label, confidence, place })
        };
        let mut all: Vec<Seen<'a>> = detections.iter().enumerate().filter_map(seen).collect();
        if all.len() > MAX_DETECTIONS {
            all.select_nth_unstable_by(MAX_DETECTIONS, |a, b| by_confidence(a, b).then(a.label.cmp(b.label)));
            all.truncate(MAX_DETECTIONS);
        }
        all.sort_unstable_by(|a, b| a.label.cmp(b.label).then_with(|| by_confidence(a, b)));
        Self(all)
    }

    pub(super) fn all(&self) -> &[Seen<'a>] {
        &self.0
    }

    /// Where those of this label stand.
    pub(super) fn of(&self, label: &str) -> Range<usize> {
        let first = self.0.partition_point(|seen| &**seen.label < label);
        let count = self.0[first..].partition_point(|seen| &**seen.label == label);
        first..first + count
    }
}

/// Falling confidence, then place; the place in the input only tells exact copies apart.
fn by_confidence(a: &Seen<'_>, b: &Seen<'_>) -> Ordering {
    let numbers = |seen: &Seen<'_>| [seen.place.x, seen.place.y, seen.place.width, seen.place.height];
    let places = numbers(a).into_iter().zip(numbers(b));
    let by_place = places.map(|(a, b)| a.total_cmp(&b)).find(|order| order.is_ne());
    let copies = || by_place.unwrap_or(Ordering::Equal).then(a.index.cmp(&b.index));
    b.confidence.total_cmp(&a.confidence).then_with(copies)
}

fn place(detection: &Detection) -> Option<Place> {
    let bbox = &detection.bbox;
    let [x, y, width, height] = [bbox.x, bbox.y, bbox.width, bbox.height].map(f64::from);
    let place = Place { x: x + 0.5 * width, y: y + 0.5 * height, width, height };
    // Comparisons with NaN are false.
    let near = place.x.abs() <= FARTHEST && place.y.abs() <= FARTHEST;
    let sized = |length: f64| (SMALLEST..=FARTHEST).contains(&length);
    (near && sized(width) && sized(height)).then_some(place)
}
