//! What differs between two results of one frame.

use ocelli_model::Detection;

/// Boxes that overlap less (intersection over union) are not taken for the same object.
pub const SAME_OBJECT: f32 = 0.5;
/// Boxes of one object that overlap less have moved.
pub const SAME_PLACE: f32 = 0.9;

/// Two results of one frame, by their places in their lists. Only detections of one label are compared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// In both, at the same place.
    pub kept: Vec<(usize, usize)>,
    /// In both, at another place or size: the overlap is at least [`SAME_OBJECT`] and below [`SAME_PLACE`].
    pub moved: Vec<(usize, usize)>,
    /// Only in the first.
    pub gone: Vec<usize>,
    /// Only in the second.
    pub appeared: Vec<usize>,
}

/// Pairs detections of one label, those that overlap most first. Of equal overlaps the earlier places win, so that the
/// answer does not depend on anything but the lists.
pub fn compare(first: &[Detection], second: &[Detection]) -> Comparison {
    let mut pairs = Vec::new();
    for (a, one) in first.iter().enumerate() {
        for (b, other) in second.iter().enumerate().filter(|(_, other)| other.label == one.label) {
            let overlap = one.bbox.iou(&other.bbox);
            if overlap >= SAME_OBJECT {
                pairs.push((overlap, a, b));
            }
        }
    }
    pairs.sort_by(|(x, a, b), (y, c, d)| y.total_cmp(x).then((a, b).cmp(&(c, d))));
    let (mut of_first, mut of_second) = (vec![false; first.len()], vec![false; second.len()]);
    let mut comparison = Comparison::default();
    for (overlap, a, b) in pairs {
        if of_first[a] || of_second[b] {
            continue;
        }
        (of_first[a], of_second[b]) = (true, true);
        let list = if overlap >= SAME_PLACE { &mut comparison.kept } else { &mut comparison.moved };
        list.push((a, b));
    }
    let unpaired = |paired: Vec<bool>| {
        let unpaired = paired.into_iter().enumerate().filter(|(_, paired)| !paired);
        unpaired.map(|(index, _)| index).collect()
    };
    comparison.kept.sort_unstable();
    comparison.moved.sort_unstable();
    Comparison { gone: unpaired(of_first), appeared: unpaired(of_second), ..comparison }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ocelli_model::BoundingBox;

    use super::*;

    fn seen(label: &str, x: f32, width: f32) -> Detection {
        let bbox = BoundingBox { x, y: 0.0, width, height: 1.0 };
        Detection { label: Arc::from(label), confidence: 0.5, bbox }
    }

    #[test]
    fn each_kind_of_difference() {
        let first =
            [seen("car", 0.0, 0.1), seen("car", 0.5, 0.1), seen("dog", 0.8, 0.1), seen("cat", 0.2, 0.1)];
        let second = [seen("cat", 0.23, 0.1), seen("car", 0.0, 0.1), seen("bird", 0.8, 0.1)];
        let found = compare(&first, &second);
        assert_eq!(found.kept, [(0, 1)]);
        assert_eq!(found.moved, [(3, 0)]);
        assert_eq!(found.gone, [1, 2]);
        assert_eq!(found.appeared, [2], "another label is another object");
    }

    #[test]
    fn the_closest_pair_first_and_each_once() {
        let first = [seen("car", 0.0, 0.10), seen("car", 0.01, 0.10)];
        let second = [seen("car", 0.012, 0.10)];
        let found = compare(&first, &second);
        assert_eq!((found.kept, found.gone), (vec![(1, 0)], vec![0]));
        // Twins: any pairing is right, and it is always the same.
        let twins = [seen("car", 0.0, 0.1), seen("car", 0.0, 0.1)];
        assert_eq!(compare(&twins, &twins).kept, [(0, 0), (1, 1)]);
        assert_eq!(compare(&[], &twins).appeared, [0, 1]);
    }
}
