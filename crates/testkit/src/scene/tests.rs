use std::collections::{BTreeMap, BTreeSet};

use super::{Faults, Scene, SceneFrame};

fn ids(frames: &[SceneFrame]) -> BTreeSet<u64> {
    frames.iter().flat_map(|frame| frame.truth.iter().map(|sighting| sighting.id)).collect()
}

#[test]
fn a_scene_is_its_seed() {
    let frames = |seed| Scene { seconds: 5.0, ..Scene::street(seed, 10.0) }.frames();
    assert_eq!(frames(1), frames(1));
    assert_ne!(frames(1), frames(2));
}

#[test]
fn the_world_is_the_same_at_any_rate() {
    let [fast, slow] = [30.0, 5.0].map(|fps| Scene { seconds: 10.0, ..Scene::street(3, fps) }.frames());
    assert_eq!((fast.len(), slow.len()), (300, 50));
    for (index, frame) in slow.iter().enumerate() {
        assert!((fast[index * 6].seconds - frame.seconds).abs() < 1e-9);
        assert_eq!(fast[index * 6].truth, frame.truth, "{}", frame.seconds);
    }
}

#[test]
fn objects_come_go_cross_and_hide_each_other() {
    let frames = Scene::street(1, 10.0).frames();
    let first = ids(&frames[..1]);
    let all = ids(&frames);
    let last = ids(&frames[frames.len() - 1..]);
    assert!(first.len() >= 8 && all.len() > 2 * first.len(), "{first:?} of {all:?}");
    assert!(first.iter().any(|id| !last.contains(id)) && last.iter().any(|id| !first.contains(id)));
    let overlapping = frames.iter().filter(|frame| {
        let boxes = &frame.truth;
        (1..boxes.len()).any(|i| boxes[..i].iter().any(|other| other.bbox.iou(&boxes[i].bbox) > 0.3))
    });
    assert!(overlapping.count() > 30);
    // Who was left of whom is not so for ever.
    let mut sides: BTreeMap<(u64, u64), BTreeSet<bool>> = BTreeMap::new();
    for frame in &frames {
        for (i, a) in frame.truth.iter().enumerate() {
            for b in &frame.truth[i + 1..] {
                let (low, high) = if a.id < b.id { (a, b) } else { (b, a) };
                sides.entry((low.id, high.id)).or_default().insert(low.bbox.x < high.bbox.x);
            }
        }
    }
    assert!(sides.values().filter(|sides| sides.len() == 2).count() > 20);
}

#[test]
fn faults_are_what_was_asked_for() {
    let scene = Scene { faults: Faults::none(), ..Scene::street(4, 5.0) };
    let perfect = scene.frames();
    for frame in &perfect {
        let seen = |bbox| frame.truth.iter().any(|sighting| sighting.bbox.iou(bbox) > 0.999);
        assert!(frame.detections.iter().all(|detection| seen(&detection.bbox)));
    }
    let faults = Faults { missed: 0.5, false_boxes: 3.0, jitter: 0.0 };
    let bad = Scene { faults, ..scene }.frames();
    let total =
        |frames: &[SceneFrame]| frames.iter().map(|frame| frame.detections.len()).sum::<usize>() as f64;
    let expected = 0.5 * total(&perfect) + 3.0 * bad.len() as f64;
    assert!((total(&bad) / expected - 1.0).abs() < 0.1, "{} of {expected}", total(&bad));
}
