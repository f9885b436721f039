//! Candidates and non-maximum suppression.

use std::cmp::Ordering;

/// Most candidates of one picture that suppression looks at, the most confident first: bounds its time where a very
/// low threshold lets everything through.
pub(crate) const MAX_CANDIDATES: usize = 1000;
/// Farthest coordinate in tensor pixels; keeps areas finite in single precision.
const FARTHEST: f32 = 1e6;

/// One class at one anchor, above the threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    /// Row of the label list.
    pub(crate) class: u16,
    /// 0 to 1.
    pub(crate) score: f32,
    /// Left, top, right, bottom in tensor pixels; finite, right of left, below top.
    pub(crate) corners: [f32; 4],
    /// Row of the model's output, so that equal scores have an order.
    pub(crate) anchor: u32,
}

impl Candidate {
    /// `None` where the numbers describe no box: not finite, turned inside out or without area.
    pub(crate) fn new(class: usize, score: f32, corners: [f32; 4], anchor: usize) -> Option<Self> {
        if !score.is_finite() || corners.iter().any(|corner| !corner.is_finite()) {
            return None;
        }
        let corners = corners.map(|corner| corner.clamp(-FARTHEST, FARTHEST));
        let [left, top, right, bottom] = corners;
        let candidate = Self { class: class as u16, score: score.min(1.0), corners, anchor: anchor as u32 };
        (right > left && bottom > top).then_some(candidate)
    }

    fn area(&self) -> f32 {
        let [left, top, right, bottom] = self.corners;
        (right - left) * (bottom - top)
    }

    fn iou(&self, other: &Self) -> f32 {
        let [left, top, right, bottom] = self.corners;
        let [other_left, other_top, other_right, other_bottom] = other.corners;
        let width = right.min(other_right) - left.max(other_left);
        let height = bottom.min(other_bottom) - top.max(other_top);
        if width <= 0.0 || height <= 0.0 {
            return 0.0;
        }
        let shared = width * height;
        shared / (self.area() + other.area() - shared)
    }

    fn order(&self, other: &Self) -> Ordering {
        let place = (self.class, self.anchor).cmp(&(other.class, other.anchor));
        other.score.total_cmp(&self.score).then(place)
    }
}

/// Within each class, keeps a candidate unless a more confident kept one overlaps it by more than `limit` (intersection over union).
/// What is kept stands in falling order of confidence.
pub(crate) fn suppress(candidates: &mut Vec<Candidate>, limit: f32) {
    if candidates.len() > MAX_CANDIDATES {
        candidates.select_nth_unstable_by(MAX_CANDIDATES, Candidate::order);
        candidates.truncate(MAX_CANDIDATES);
    }
    candidates.sort_unstable_by(Candidate::order);
    let mut kept = 0;
    for next in 0..candidates.len() {
        let candidate = candidates[next];
        let rival = |other: &Candidate| other.class == candidate.class && other.iou(&candidate) > limit;
        if !candidates[..kept].iter().any(rival) {
            candidates[kept] = candidate;
            kept += 1;
        }
    }
    candidates.truncate(kept);
}
