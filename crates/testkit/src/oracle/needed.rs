//! The fewest packets that give every chosen picture as a full decode would.

use std::collections::BTreeSet;

use super::{Picture, Run};

/// For each chosen picture: the keyframe before it, the reference pictures between, itself.
pub(super) fn of(pictures: &[Picture], run: &Run) -> BTreeSet<usize> {
    run.chosen.iter().flat_map(|chosen| needed_for(pictures, run, chosen.index)).collect()
}

/// What the chosen picture `target` of `run` takes, ascending, counted in decode order from the start of the list.
pub fn needed_for(pictures: &[Picture], run: &Run, target: usize) -> BTreeSet<usize> {
    if pictures[target].keyframe {
        return BTreeSet::from([target]);
    }
    let keyframe_before = |end: usize| (run.pictures.start..end).rev().find(|&i| pictures[i].keyframe);
    let keyframe = keyframe_before(target).expect("a chosen picture comes after its run's first keyframe");
    let leading = |i: usize, keyframe: usize| pictures[i].pts < pictures[keyframe].pts;
    let references = |after: usize, end: usize| (after + 1..end).filter(|&i| pictures[i].reference);

    let mut needed = BTreeSet::from([keyframe, target]);
    if !leading(target, keyframe) {
        // Trailing pictures lean on no leading picture (H.265 8.3.2; H.264 encoders keep it for random access).
        needed.extend(references(keyframe, target).filter(|&i| !leading(i, keyframe)));
    } else if pictures[target].radl {
        // RADL pictures lean on their keyframe and on other RADL pictures only (H.265 7.4.2.2).
        needed.extend(references(keyframe, target).filter(|&i| pictures[i].radl));
    } else {
        let before =
            keyframe_before(keyframe).expect("leading pictures of a run's first keyframe are ignored");
        needed.insert(before);
        needed.extend(references(before, keyframe).filter(|&i| !leading(i, before)));
        needed.extend(references(keyframe, target));
    }
    needed
}
