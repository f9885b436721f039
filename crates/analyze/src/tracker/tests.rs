use std::{collections::BTreeSet, sync::Arc};

use ocelli_model::{BoundingBox, Detection, TrackId};
use proptest::prelude::*;

use super::{MAX_DETECTIONS, MAX_TRACKS, PerAxis, TimeError, Tracker, TrackerConfig};

/// A person of usual size at this place, by its centre.
fn person(x: f32, confidence: f32) -> Detection {
    boxed("person", x, confidence, 0.1, 0.3)
}

fn boxed(label: &str, x: f32, confidence: f32, width: f32, height: f32) -> Detection {
    let bbox = BoundingBox { x: x - 0.5 * width, y: 0.5 - 0.5 * height, width, height };
    Detection { label: label.into(), confidence, bbox }
}

fn tracker() -> Tracker {
    Tracker::new(TrackerConfig::default()).expect("the default is in range")
}

/// Ids of each frame; 0 stands for none.
fn ids(tracker: &mut Tracker, frames: &[(f64, Vec<Detection>)]) -> Vec<Vec<u64>> {
    let ids = |(seconds, detections): &(f64, Vec<Detection>)| {
        let answer = tracker.update(*seconds, detections).expect("times rise");
        answer.into_iter().map(|id| id.map_or(0, |id| id.0)).collect()
    };
    frames.iter().map(ids).collect()
}

/// A frame without anything, then these; so no track is confirmed at once.
fn check(name: &str, frames: &[(f64, Vec<Detection>)], expected: &[&[u64]]) {
    let mut tracker = tracker();
    tracker.update(-1.0, &[]).expect("the first frame");
    assert_eq!(ids(&mut tracker, frames), expected, "{name}");
}

#[test]
fn life_of_a_track() {
    let sure = || vec![person(0.5, 0.9)];
    check("confirmed when seen twice", &[(0.0, sure()), (0.1, sure()), (0.2, sure())], &[&[0], &[1], &[1]]);
    let missed = [(0.0, sure()), (0.1, sure()), (0.2, vec![]), (0.9, sure()), (1.0, sure())];
    check("lost and found", &missed, &[&[0], &[1], &[], &[1], &[1]]);
    let long = [(0.0, sure()), (0.1, sure()), (2.2, sure()), (2.3, sure())];
    check("a gap beyond the keep time ends it", &long, &[&[0], &[1], &[0], &[2]]);
    let brief = [(0.0, sure()), (0.6, vec![]), (0.7, sure()), (0.8, sure())];
    check("a tentative one ends earlier", &brief, &[&[0], &[], &[0], &[1]]);
    let faint = [(0.0, vec![person(0.5, 0.45)]), (0.1, vec![person(0.5, 0.45)])];
    check("too weak to begin one", &faint, &[&[0], &[0]]);
    let fading =
        [(0.0, sure()), (0.1, sure()), (0.2, vec![person(0.5, 0.2)]), (0.3, vec![person(0.5, 0.05)])];
    check("weak ones go on with it, the weakest do not", &fading, &[&[0], &[1], &[1], &[0]]);
}

#[test]
fn what_stands_in_the_first_frame_is_confirmed() {
    let frames = [(5.0, vec![person(0.2, 0.9), person(0.8, 0.45)]), (5.1, vec![person(0.2, 0.9)])];
    assert_eq!(ids(&mut tracker(), &frames), [vec![1, 0], vec![1]]);
}

#[test]
fn only_one_label_is_followed() {
    let at = |label| vec![boxed(label, 0.5, 0.9, 0.1, 0.3)];
    check("another label", &[(0.0, at("cat")), (0.1, at("dog")), (0.2, at("cat"))], &[&[0], &[0], &[1]]);
    let both = || vec![boxed("dog", 0.5, 0.9, 0.1, 0.3), boxed("cat", 0.5, 0.8, 0.1, 0.3)];
    check("two in one place", &[(0.0, both()), (0.1, both()), (0.2, both())], &[&[0, 0], &[2, 1], &[2, 1]]);
}

#[test]
fn the_certain_detection_wins_over_the_weak_one() {
    let two = || vec![person(0.5, 0.3), person(0.51, 0.9)];
    check("two boxes", &[(0.0, two()), (0.1, two()), (0.2, two())], &[&[0, 0], &[0, 1], &[0, 1]]);
}

#[test]
fn those_who_cross_keep_their_ids() {
    for fps in [30.0, 10.0, 5.0] {
        let mut tracker = tracker();
        let count = (4.0 * fps) as usize;
        let places = |index: usize| {
            let part = index as f32 / count as f32;
            vec![person(0.1 + 0.8 * part, 0.9), person(0.9 - 0.8 * part, 0.8)]
        };
        let frames: Vec<_> = (0..count).map(|index| (index as f64 / fps, places(index))).collect();
        for answer in ids(&mut tracker, &frames) {
            assert_eq!(answer, [1, 2], "{fps} fps");
        }
    }
}

/// Boxes that no longer overlap from frame to frame: intersection over union would be 0.
#[test]
fn the_gate_grows_with_the_time_that_has_passed() {
    let walk = |dt: f64| [0, 1, 2, 3].map(|k| (dt * f64::from(k), vec![person(0.1 + 0.15 * k as f32, 0.9)]));
    assert_eq!(ids(&mut tracker(), &walk(1.0)), [[1], [1], [1], [1]], "1.5 widths in a second");
    assert_eq!(ids(&mut tracker(), &walk(0.05)), [[1], [0], [0], [0]], "1.5 widths in a twentieth");
}

#[test]
fn when_frames_come_makes_no_difference_to_where_an_object_is_expected() {
    let mut frames: Vec<f64> = vec![0.0, 0.1, 0.25, 0.3, 0.62, 0.7, 0.9, 1.05];
    let moving = |seconds: f64| vec![person(0.1 + 0.4 * seconds as f32, 0.9)];
    frames.extend([1.9]);
    let mut tracker = tracker();
    let timed: Vec<_> = frames.iter().map(|seconds| (*seconds, moving(*seconds))).collect();
    assert!(ids(&mut tracker, &timed).iter().all(|answer| answer == &[1]));
}

#[test]
fn time_only_rises() {
    let mut tracker = tracker();
    assert_eq!(tracker.update(1.0, &[person(0.5, 0.9)]), Ok(vec![Some(TrackId(1))]));
    for seconds in [1.0, 0.5, -1e300] {
        let refused = tracker.update(seconds, &[person(0.1, 0.9)]);
        assert_eq!(refused, Err(TimeError::NotLater { seconds, last: 1.0 }));
    }
    for seconds in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(matches!(tracker.update(seconds, &[]), Err(TimeError::NotFinite(_))), "{seconds}");
    }
    // Nothing that was refused has left a trace.
    assert_eq!(tracker.update(1.1, &[person(0.5, 0.9)]), Ok(vec![Some(TrackId(1))]));
    assert_eq!(tracker.update(f64::MAX, &[person(0.5, 0.9)]), Ok(vec![None]));
}

#[test]
fn what_is_no_box_has_no_track_and_no_effect() {
    let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30, -1e30, f32::MIN_POSITIVE, 0.0, -0.1];
    let mut bad = Vec::new();
    for value in odd {
        bad.extend([boxed("person", 0.5, 0.9, value, 0.3), boxed("person", 0.5, 0.9, 0.1, value)]);
    }
    // Of a place, unlike a size, 0 and less are nothing odd.
    bad.extend(odd[..5].iter().map(|value| person(*value, 0.9)));
    bad.push(person(0.5, f32::NAN));
    let mut tracker = tracker();
    for frame in 0..5 {
        let mut detections = bad.clone();
        detections.push(person(0.5, 0.8));
        let answer = tracker.update(f64::from(frame), &detections).expect("times rise");
        assert_eq!(answer.last(), Some(&Some(TrackId(1))));
        assert!(answer[..bad.len()].iter().all(Option::is_none), "{answer:?}");
    }
}

#[test]
fn a_flood_of_detections_is_bounded() {
    let label: Arc<str> = "person".into();
    let crowd = |shift: f32| -> Vec<Detection> {
        let one = |index: usize| {
            let (x, y) = ((index % 100) as f32 / 100.0 + shift, (index / 100) as f32 / 100.0);
            let bbox = BoundingBox { x, y, width: 0.008, height: 0.008 };
            Detection { label: label.clone(), confidence: 0.5 + 0.4 * (index as f32 / 5000.0), bbox }
        };
        (0..5000).map(one).collect()
    };
    let mut tracker = tracker();
    for frame in 0..6 {
        // Elsewhere each time: the tracks of earlier frames stay as lost ones.
        let answer = tracker.update(0.1 * f64::from(frame), &crowd(frame as f32)).expect("times rise");
        assert_eq!(answer.len(), 5000);
        assert!(answer.iter().flatten().count() <= MAX_DETECTIONS);
        assert!(answer[..4500].iter().all(Option::is_none), "the most confident are looked at");
        assert!(tracker.tracks.len() <= MAX_TRACKS);
    }
}

#[test]
fn stretching_the_picture_changes_nothing() {
    let frames =
        ocelli_testkit::scene::Scene { seconds: 5.0, ..ocelli_testkit::scene::Scene::street(5, 10.0) };
    let (mut one, mut other) = (tracker(), tracker());
    for frame in frames.frames() {
        let mut wide = frame.detections.clone();
        for detection in &mut wide {
            detection.bbox.x *= 0.5;
            detection.bbox.width *= 0.5;
        }
        assert_eq!(one.update(frame.seconds, &frame.detections), other.update(frame.seconds, &wide));
    }
}

type Spoil = fn(&mut TrackerConfig);

#[test]
fn parameters_have_ranges() {
    let cases: &[(&str, Spoil)] = &[
        ("confident", |config| config.confident = f64::NAN),
        ("begin", |config| config.begin = 0.3),
        ("weak", |config| config.weak = 0.5),
        ("confirm_hits", |config| config.confirm_hits = 0),
        ("keep_seconds", |config| config.keep_seconds = f64::INFINITY),
        ("tentative_seconds", |config| config.tentative_seconds = 2.5),
        ("measured", |config| config.measured = 0.0),
        ("speed.x", |config| config.speed.x = -1.0),
        ("push.y", |config| config.push.y = 101.0),
        ("growth", |config| config.growth = 11.0),
        ("gate", |config| config.gate = 0.0),
        ("least_likeness", |config| config.least_likeness = 1.1),
        ("doubt", |config| config.doubt = -0.1),
    ];
    for (parameter, spoil) in cases {
        let mut config = TrackerConfig::default();
        spoil(&mut config);
        let error = Tracker::new(config).expect_err(parameter);
        assert_eq!(error.parameter, *parameter, "{error}");
    }
}

#[test]
fn every_parameter_is_in_the_version() {
    let changes: [Spoil; 15] = [
        |config| config.confident = 0.45,
        |config| config.begin = 0.6,
        |config| config.weak = 0.2,
        |config| config.confirm_hits = 3,
        |config| config.tentative_seconds = 0.4,
        |config| config.keep_seconds = 3.0,
        |config| config.measured = 0.1,
        |config| config.speed = PerAxis { x: 2.0, ..config.speed },
        |config| config.speed = PerAxis { y: 2.0, ..config.speed },
        |config| config.push = PerAxis { x: 2.0, ..config.push },
        |config| config.push = PerAxis { y: 2.0, ..config.push },
        |config| config.growth = 1.0,
        |config| config.gate = 4.0,
        |config| config.least_likeness = 0.5,
        |config| config.doubt = 0.0,
    ];
    let mut versions = BTreeSet::from([TrackerConfig::default().version()]);
    for change in changes {
        let mut config = TrackerConfig::default();
        change(&mut config);
        versions.insert(config.version());
    }
    assert_eq!(versions.len(), changes.len() + 1);
}

/// Frames of boxes on a coarse grid, so that copies, near ones and empty frames occur, and some boxes that are none.
fn sequences() -> impl Strategy<Value = Vec<(f64, Vec<Detection>)>> {
    let length = prop_oneof![8 => (1_u8..6).prop_map(f32::from), 1 => Just(f32::NAN), 1 => Just(-1.0)];
    let detection =
        (0_usize..2, 0_u8..12, 0_u8..4, length, 1_u8..10).prop_map(|(label, x, y, size, confidence)| {
            let size = size / 20.0;
            let bbox = BoundingBox {
                x: f32::from(x) / 12.0,
                y: f32::from(y) / 8.0,
                width: size,
                height: 2.0 * size,
            };
            Detection { label: ["a", "b"][label].into(), confidence: f32::from(confidence) / 10.0, bbox }
        });
    let frame = (1_u16..900, prop::collection::vec(detection, 0..9));
    prop::collection::vec(frame, 1..25).prop_map(|frames| {
        let mut seconds = 0.0;
        let at = |(gap, detections)| {
            seconds += f64::from(gap) / 300.0;
            (seconds, detections)
        };
        frames.into_iter().map(at).collect()
    })
}

/// Boxes with their ids, in an order of their own.
fn answers(detections: &[Detection], answer: &[Option<TrackId>]) -> Vec<String> {
    let mut told: Vec<String> =
        detections.iter().zip(answer).map(|(detection, id)| format!("{detection:?} {id:?}")).collect();
    told.sort();
    told
}

proptest! {
    #[test]
    fn order_of_detections_does_not_matter(frames in sequences(), turn in 0_usize..9) {
        let (mut one, mut again, mut other) = (tracker(), tracker(), tracker());
        for (seconds, detections) in frames {
            let answer = one.update(seconds, &detections).expect("times rise");
            prop_assert_eq!(&answer, &again.update(seconds, &detections).expect("times rise"));
            let mut turned = detections.clone();
            turned.rotate_left(turn % detections.len().max(1));
            turned.reverse();
            let turned_answer = other.update(seconds, &turned).expect("times rise");
            prop_assert_eq!(answers(&detections, &answer), answers(&turned, &turned_answer));
        }
    }

    #[test]
    fn an_id_is_one_box_a_frame_of_one_label_and_never_returns(frames in sequences()) {
        let mut tracker = tracker();
        let mut labels: Vec<(Arc<str>, f64)> = Vec::new();
        for (seconds, detections) in frames {
            let answer = tracker.update(seconds, &detections).expect("times rise");
            prop_assert_eq!(answer.len(), detections.len());
            let given: Vec<u64> = answer.iter().flatten().map(|id| id.0).collect();
            let distinct: BTreeSet<u64> = given.iter().copied().collect();
            prop_assert_eq!(distinct.len(), given.len(), "one box for each id");
            let mut pairs: Vec<(u64, &Detection)> =
                answer.iter().zip(&detections).filter_map(|(id, detection)| Some(((*id)?.0, detection))).collect();
            pairs.sort_by_key(|(id, _)| *id);
            for (id, detection) in pairs {
                let index = id as usize - 1;
                prop_assert!(index <= labels.len(), "ids count on: {id} after {}", labels.len());
                if index == labels.len() {
                    labels.push((detection.label.clone(), seconds));
                }
                prop_assert_eq!(&labels[index].0, &detection.label);
                prop_assert!(seconds - labels[index].1 <= 2.0, "ended before");
                labels[index].1 = seconds;
            }
        }
    }
}
