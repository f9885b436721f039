//! The identity measures: which tracker's object is which of the truth, decided once for the whole sequence.

use std::collections::{BTreeMap, BTreeSet};

use super::{Sighting, heaviest};

/// Counts over a sequence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Boxes of the truth.
    pub objects: u64,
    /// Boxes of the answer.
    pub answers: u64,
    /// Boxes of the answer that fit a box of the object that their identity stands for: IDTP.
    pub right: u64,
}

impl Identity {
    pub(super) fn of(truth: &[Vec<Sighting>], found: &[Vec<Sighting>], least_iou: f32) -> Self {
        // In how many frames this object and that answer fit.
        let mut together: BTreeMap<(u64, u64), i64> = BTreeMap::new();
        for (truth, found) in truth.iter().zip(found) {
            for object in truth {
                for answer in found.iter().filter(|answer| object.bbox.iou(&answer.bbox) >= least_iou) {
                    *together.entry((object.id, answer.id)).or_default() += 1;
                }
            }
        }
        let ids = |side: fn(&(u64, u64)) -> u64| -> Vec<u64> {
            together.keys().map(side).collect::<BTreeSet<u64>>().into_iter().collect()
        };
        let (objects, answers) = (ids(|pair| pair.0), ids(|pair| pair.1));
        let frames = |row: usize, column: usize| {
            together.get(&(objects[row], answers[column])).copied().unwrap_or_default()
        };
        let pairs = heaviest(objects.len(), answers.len(), frames);
        Self {
            objects: truth.iter().map(|frame| frame.len() as u64).sum(),
            answers: found.iter().map(|frame| frame.len() as u64).sum(),
            right: pairs.into_iter().map(|(row, column)| frames(row, column) as u64).sum(),
        }
    }

    /// Share of boxes with the right identity, 0 to 1: the harmonic mean of its precision and its recall.
    pub fn idf1(&self) -> f64 {
        2.0 * self.right as f64 / (self.objects + self.answers).max(1) as f64
    }
}
