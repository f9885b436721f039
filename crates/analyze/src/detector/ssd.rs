//! SSD outputs: per anchor a score for each class (sigmoid applied) and a box in fractions of the tensor.

use super::{Filter, nms::Candidate};

/// Adds the candidates of one picture. `scores` holds one row of as many scores as the filter has classes for each
/// anchor, `boxes` top, left, bottom, right; `size` is the tensor's width and height.
pub(crate) fn decode(
    scores: &[f32],
    boxes: &[f32],
    size: (f32, f32),
    filter: &Filter,
    found: &mut Vec<Candidate>,
) {
    let (width, height) = size;
    let rows = scores.chunks_exact(filter.wanted.len()).zip(boxes.chunks_exact(4));
    for (anchor, (row, place)) in rows.enumerate() {
        // Nearly every row ends here: a count without branches is compiled to vector instructions.
        if row.iter().map(|score| u32::from(*score >= filter.confidence)).sum::<u32>() == 0 {
            continue;
        }
        let corners = [place[1] * width, place[0] * height, place[3] * width, place[2] * height];
        let above = row.iter().enumerate().filter(|(_, score)| **score >= filter.confidence);
        let wanted = above.filter(|(class, _)| filter.wanted[*class]);
        found.extend(wanted.filter_map(|(class, score)| Candidate::new(class, *score, corners, anchor)));
    }
}
