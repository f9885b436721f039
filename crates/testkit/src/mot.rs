//! Multiple-object tracking: sequences with known truth, and how well a tracker's answer fits them.
//!
//! - [`clear`]: MOTA and identity switches, after Bernardin and Stiefelhagen, "Evaluating multiple object tracking performance: the
//!   CLEAR MOT metrics" (2008).
//! - [`identity`]: IDF1, after Ristani et al., "Performance measures and a data set for multi-target, multi-camera tracking" (2016).
//! - [`text`]: the text files of the MOT Challenge.

pub mod clear;
pub mod identity;
pub mod text;

use ocelli_model::BoundingBox;
use pathfinding::{kuhn_munkres::kuhn_munkres, matrix::Matrix};

/// One box of one object in one frame: of the truth, or of a tracker's answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sighting {
    /// Which object; of the truth or of the tracker, each counts for itself.
    pub id: u64,
    /// Where, in fractions of the picture.
    pub bbox: BoundingBox,
}

/// What both kinds of measure say about one answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Detections that fit and are missing, and identities frame by frame.
    pub clear: clear::Clear,
    /// Identities over the whole sequence.
    pub identity: identity::Identity,
}

impl Score {
    /// Compares `found` with `truth`, frame by frame in the same order; boxes fit from this intersection over union on (0.5 is usual).
    pub fn of(truth: &[Vec<Sighting>], found: &[Vec<Sighting>], least_iou: f32) -> Self {
        assert_eq!(truth.len(), found.len(), "an answer has the frames of its sequence");
        Self {
            clear: clear::Clear::of(truth, found, least_iou),
            identity: identity::Identity::of(truth, found, least_iou),
        }
    }
}

/// The pairs of a matching of greatest total weight, as (row, column); weights of 0 mean that the two do not go together.
pub(crate) fn heaviest(
    rows: usize,
    columns: usize,
    weight: impl Fn(usize, usize) -> i64,
) -> Vec<(usize, usize)> {
    if rows == 0 || columns == 0 {
        return Vec::new();
    }
    // The library wants no more rows than columns.
    let turned = rows > columns;
    let (short, long) = if turned { (columns, rows) } else { (rows, columns) };
    let place = |one, other| if turned { (other, one) } else { (one, other) };
    let weights = Matrix::from_fn(short, long, |(one, other)| {
        let (row, column) = place(one, other);
        weight(row, column)
    });
    let (_, partners) = kuhn_munkres(&weights);
    let pairs = partners.into_iter().enumerate().map(|(one, other)| place(one, other));
    pairs.filter(|(row, column)| weight(*row, *column) > 0).collect()
}

#[cfg(test)]
mod tests;
