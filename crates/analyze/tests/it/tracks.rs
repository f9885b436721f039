//! The tracker held to known truth: made-up scenes, and two real sequences of the MOT Challenge that set-up fetches.
//!
//! The floors lie a little below what was measured; `./dev bench` sets the same figures beside those of another tracker. The parameters were chosen
//! on scenes of other seeds.

use std::fs;

use ocelli_analyze::{Tracker, TrackerConfig};
use ocelli_model::Detection;
use ocelli_testkit::{
    mot::{Score, Sighting, text},
    scene::{Faults, Scene, SceneFrame, degraded},
};

use super::inputs::{footage, skips};

/// At this rate, least IDF1 and MOTA, most switches for 100 objects and second.
struct Floor {
    fps: f64,
    idf1: f64,
    mota: f64,
    switches: f64,
}

fn track(frames: &[SceneFrame]) -> Vec<Vec<Sighting>> {
    let mut tracker = Tracker::new(TrackerConfig::default()).unwrap();
    let answer = |frame: &SceneFrame| {
        let ids = tracker.update(frame.seconds, &frame.detections).unwrap();
        let sighting = |(id, detection): (Option<_>, &Detection)| -> Option<Sighting> {
            let id: ocelli_model::TrackId = id?;
            Some(Sighting { id: id.0, bbox: detection.bbox })
        };
        ids.into_iter().zip(&frame.detections).filter_map(sighting).collect()
    };
    frames.iter().map(answer).collect()
}

/// Means over sequences of one kind.
fn check(name: &str, sequences: &[Vec<SceneFrame>], floor: &Floor) {
    let (mut idf1, mut mota, mut switches, mut object_seconds) = (0.0, 0.0, 0.0, 0.0);
    for frames in sequences {
        let truth: Vec<_> = frames.iter().map(|frame| frame.truth.clone()).collect();
        let score = Score::of(&truth, &track(frames), 0.5);
        idf1 += score.identity.idf1() / sequences.len() as f64;
        mota += score.clear.mota() / sequences.len() as f64;
        switches += score.clear.switches as f64;
        object_seconds += score.clear.objects as f64 / floor.fps;
    }
    let rate = 100.0 * switches / object_seconds;
    let told =
        format!("{name} at {} fps: IDF1 {idf1:.3} MOTA {mota:.3} switches {switches} ({rate:.2})", floor.fps);
    assert!(idf1 >= floor.idf1 && mota >= floor.mota && rate <= floor.switches, "{told}");
}

#[test]
fn objects_of_made_up_scenes_keep_their_ids() {
    let floors = [
        Floor { fps: 30.0, idf1: 0.89, mota: 0.89, switches: 2.0 },
        Floor { fps: 10.0, idf1: 0.86, mota: 0.88, switches: 3.0 },
        Floor { fps: 5.0, idf1: 0.84, mota: 0.865, switches: 3.8 },
        Floor { fps: 2.0, idf1: 0.76, mota: 0.8, switches: 6.2 },
    ];
    for floor in floors {
        let sequences: Vec<_> = (11..15).map(|seed| Scene::street(seed, floor.fps).frames()).collect();
        check("street", &sequences, &floor);
    }
}

/// Frames dropped at random, so that no two are equally far apart.
#[test]
fn uneven_frames_do_no_harm() {
    let sequences: Vec<_> = (11..15)
        .map(|seed| {
            let frames = Scene::street(seed, 30.0).frames();
            let mut state = seed;
            let keeps = |_: &SceneFrame| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                state >> 62 == 0
            };
            frames.into_iter().filter(keeps).collect()
        })
        .collect();
    // A quarter of the frames is left.
    check("uneven street", &sequences, &Floor { fps: 7.5, idf1: 0.8, mota: 0.87, switches: 5.6 });
}

#[test]
fn real_truth_seen_by_a_faulty_detector() {
    for (name, step, floor) in [
        ("TUD-Campus", 1, Floor { fps: 25.0, idf1: 0.82, mota: 0.74, switches: 4.5 }),
        ("TUD-Campus", 5, Floor { fps: 5.0, idf1: 0.77, mota: 0.69, switches: 12.0 }),
        ("TUD-Stadtmitte", 1, Floor { fps: 25.0, idf1: 0.87, mota: 0.8, switches: 1.2 }),
        ("TUD-Stadtmitte", 5, Floor { fps: 5.0, idf1: 0.81, mota: 0.77, switches: 5.0 }),
    ] {
        let path = footage(&format!("mot/{name}/gt.txt"));
        if skips(std::slice::from_ref(&path)) {
            return;
        }
        let truth: Vec<_> =
            text::read(&fs::read_to_string(path).unwrap(), 640.0, 480.0).into_iter().step_by(step).collect();
        let sequences: Vec<_> =
            (11..15).map(|seed| degraded(&truth, floor.fps, "person", &Faults::usual(), seed)).collect();
        check(name, &sequences, &floor);
    }
}

#[test]
fn boxes_of_another_tracker_without_their_ids() {
    for (name, floor) in [
        ("TUD-Campus", Floor { fps: 25.0, idf1: 0.66, mota: 0.53, switches: 21.0 }),
        ("TUD-Stadtmitte", Floor { fps: 25.0, idf1: 0.63, mota: 0.56, switches: 15.0 }),
    ] {
        let paths = ["gt", "test"].map(|file| footage(&format!("mot/{name}/{file}.txt")));
        if skips(&paths) {
            return;
        }
        let [truth, boxes] = paths.map(|path| text::read(&fs::read_to_string(path).unwrap(), 640.0, 480.0));
        check(name, &[ocelli_testkit::scene::undoubted(&truth, &boxes, floor.fps, "person")], &floor);
    }
}
