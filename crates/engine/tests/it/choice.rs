//! What the engine looks at, against the brute-force oracle on what ffmpeg says is in the file.

use std::path::Path;

use ocelli_testkit::{Clip, Container, oracle, probe, ts, zoo};

use crate::look::look;

/// PTS, slot and run of everything seen, and the empty slots, equal the oracle's; nothing fails.
fn check(name: &str, path: &Path, plans: &[&str]) {
    check_choice(name, path, plans, false);
}

/// Where pictures are lost, those that lean on them are chosen all the same, and may fail.
fn check_choice(name: &str, path: &Path, plans: &[&str], lossy: bool) {
    let truth = probe(path);
    let pictures = truth.for_oracle();
    for plan in plans {
        let choice =
            oracle::choose(&pictures, truth.time_base, plan.parse().expect("a plan"), truth.reorder_depth());
        let of_run = |(run, chosen): (u32, &oracle::Run)| {
            chosen.chosen.iter().map(|c| (run, c.pts, (*plan != "all").then_some(c.slot))).collect::<Vec<_>>()
        };
        let started = choice.runs.iter().filter(|run| run.t0.is_some());
        let expected: Vec<_> = (0..).zip(started).flat_map(of_run).collect();
        let empty: usize = choice.runs.iter().map(|run| run.empty.len()).sum();
        let (seen, report) = look(path, plan);
        let found: Vec<_> = seen.iter().map(|one| (one.place.run, one.place.pts, one.place.slot)).collect();
        assert_eq!(found, expected, "{name} at {plan}");
        assert_eq!(report.tally.empty, empty as u64, "{name} at {plan}: empty slots");
        assert_eq!(report.tally.due(), (expected.len() + empty) as u64, "{name} at {plan}: sums balance");
        assert!(lossy || report.reasons.is_empty(), "{name} at {plan}: {:?}", report.reasons);
        assert_eq!(report.decoded, choice.needed.len() as u64, "{name} at {plan}: sent to the decoder");
    }
}

const PLANS: [&str; 7] = ["0.1", "0.5", "1", "5", "15", "29.97", "all"];

#[test]
fn h264() {
    for (name, clip) in zoo::h264(60) {
        check(name, &clip.cached(), &PLANS);
    }
}

#[test]
fn h265() {
    for (name, clip) in zoo::h265(60) {
        check(name, &clip.cached(), &PLANS);
    }
}

#[test]
fn other_codecs() {
    for (name, clip) in zoo::others(60) {
        check(name, &clip.cached(), &PLANS);
    }
}

#[test]
fn hard_slot_counts() {
    let clip = |params: &str| Clip::new(192, 128).container(Container::Ts).params(params);
    let slow = Clip::new(192, 128).rate(11, 10).frames(40).params("keyint=5");
    check("1.1 fps", &slow.cached(), &["1"]);
    let two = clip("keyint=30:scenecut=0:bframes=2:b-pyramid=none:b-adapt=0").frames(90);
    check("two non-reference B", &two.cached(), &["15", "30"]);
    let three = clip("keyint=50:scenecut=0:bframes=3:b-pyramid=none:b-adapt=0").rate(25, 1).frames(100);
    check("three non-reference B", &three.cached(), &["10"]);
    let bytes = std::fs::read(clip("keyint=24:scenecut=0:bframes=0").frames(90).cached()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for (name, keep) in [("late", (|n| n > 10) as fn(usize) -> bool), ("missing", |n| n != 24 && n != 72)] {
        let path = dir.path().join(name).with_extension("ts");
        std::fs::write(&path, ts::select(&bytes, keep)).unwrap();
        check_choice(name, &path, &["1", "2"], name == "missing");
    }
}
