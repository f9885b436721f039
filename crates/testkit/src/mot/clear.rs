//! The CLEAR MOT measures.

use std::collections::BTreeMap;

use super::{Sighting, heaviest};

/// Counts over a sequence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clear {
    /// Boxes of the truth.
    pub objects: u64,
    /// Boxes of the truth that no box of the answer fits.
    pub misses: u64,
    /// Boxes of the answer that fit nothing.
    pub false_positives: u64,
    /// Times that an object was found under another identity than the last time it was found.
    pub switches: u64,
}

impl Clear {
    pub(super) fn of(truth: &[Vec<Sighting>], found: &[Vec<Sighting>], least_iou: f32) -> Self {
        let mut clear = Self::default();
        // Object of the truth: the identity under which it was found last, however long ago.
        let mut last = BTreeMap::new();
        for (truth, found) in truth.iter().zip(found) {
            clear.frame(truth, found, least_iou, &mut last);
        }
        clear
    }

    fn frame(
        &mut self,
        truth: &[Sighting],
        found: &[Sighting],
        least_iou: f32,
        last: &mut BTreeMap<u64, u64>,
    ) {
        let pairs = correspond(truth, found, least_iou, last);
        self.objects += truth.len() as u64;
        self.misses += (truth.len() - pairs.len()) as u64;
        self.false_positives += (found.len() - pairs.len()) as u64;
        for (object, answer) in pairs {
            let before = last.insert(truth[object].id, found[answer].id);
            self.switches += u64::from(before.is_some_and(|before| before != found[answer].id));
        }
    }

    /// Multiple object tracking accuracy: 1 - (misses + false positives + switches) / objects; 1 is perfect, below 0 is possible.
    /// Without objects every false positive counts 1.
    pub fn mota(&self) -> f64 {
        1.0 - (self.misses + self.false_positives + self.switches) as f64 / self.objects.max(1) as f64
    }
}

/// Which box of the truth goes with which of the answer. What went together last stays together as long as it fits; of the rest as many as
/// possible, and among those matchings the one with most overlap.
fn correspond(
    truth: &[Sighting],
    found: &[Sighting],
    least_iou: f32,
    last: &BTreeMap<u64, u64>,
) -> Vec<(usize, usize)> {
    let fits = |object: usize, answer: usize| truth[object].bbox.iou(&found[answer].bbox) >= least_iou;
    let mut kept: Vec<(usize, usize)> = Vec::new();
    for (object, sighting) in truth.iter().enumerate() {
        let Some(id) = last.get(&sighting.id) else { continue };
        let Some(answer) = found.iter().position(|answer| answer.id == *id) else { continue };
        // An identity may have been two objects' last; it goes with one of them now.
        if fits(object, answer) && kept.iter().all(|(_, other)| *other != answer) {
            kept.push((object, answer));
        }
    }
    let objects: Vec<usize> =
        (0..truth.len()).filter(|object| kept.iter().all(|(kept, _)| kept != object)).collect();
    let answers: Vec<usize> =
        (0..found.len()).filter(|answer| kept.iter().all(|(_, kept)| kept != answer)).collect();
    let rest = heaviest(objects.len(), answers.len(), |row, column| {
        let (object, answer) = (objects[row], answers[column]);
        // One pair more weighs more than any overlap.
        let overlap = f64::from(truth[object].bbox.iou(&found[answer].bbox));
        if fits(object, answer) { (1 << 40) + (overlap * 1e6) as i64 } else { 0 }
    });
    kept.into_iter().chain(rest.into_iter().map(|(row, column)| (objects[row], answers[column]))).collect()
}
