//! PTS and slots that the binary prints, against the oracle on what ffmpeg says is in the file.

use std::path::{Path, PathBuf};

use ocelli_testkit::{Clip, Container, Truth, oracle, probe, ts, zoo};
use serde_json::Value;

use crate::{
    args,
    frames::frames,
    ocelli::{home, ocelli},
    results::{lines, places},
};

fn expected(truth: &Truth, fps: &str) -> Vec<(u64, i64, Option<i64>)> {
    let plan = fps.parse().expect("a plan");
    let choice = oracle::choose(&truth.for_oracle(), truth.time_base, plan, truth.reorder_depth());
    let runs = (0..).zip(choice.runs.iter().filter(|run| run.t0.is_some()));
    let slot = |slot| (fps != "all").then_some(slot);
    runs.flat_map(|(run, chosen)| chosen.chosen.iter().map(move |one| (run, one.pts, slot(one.slot))))
        .collect()
}

/// One call of `analyze` for all clips and each rate. `whole` unless something may fail for lack of a reference.
fn check_analyze(clips: &[PathBuf], rates: &[&str], whole: bool) {
    if home().is_none() {
        return;
    }
    let truths: Vec<Truth> = clips.iter().map(|path| probe(path)).collect();
    for fps in rates {
        let mut args = vec!["analyze".into(), "--fps".into(), (*fps).into()];
        args.extend(clips.iter().map(|path| path.clone().into_os_string()));
        let ran = ocelli(&args);
        let ran = if whole { ran.whole() } else { ran.refused(1, &["frames failed"]) };
        let all = lines(&ran.stdout);
        for (path, truth) in clips.iter().zip(&truths) {
            let own = |line: &&Value| line["input"] == path.to_str().expect("a plain path");
            let own: Vec<Value> = all.iter().filter(own).cloned().collect();
            assert_eq!(places(&own), expected(truth, fps), "{} at {fps}", path.display());
        }
    }
}

fn cached(clips: Vec<(&str, Clip)>) -> Vec<PathBuf> {
    clips.into_iter().map(|(_, clip)| clip.cached()).collect()
}

const LOW: [&str; 3] = ["0.5", "1", "5"];

#[test]
fn h264_lines_are_those_of_the_oracle() {
    check_analyze(&cached(zoo::h264(60)), &LOW, true);
}

#[test]
fn h265_lines_are_those_of_the_oracle() {
    check_analyze(&cached(zoo::h265(60)), &LOW, true);
}

#[test]
fn lines_of_other_codecs_are_those_of_the_oracle() {
    check_analyze(&cached(zoo::others(60)), &LOW, true);
}

#[test]
fn lines_near_the_rate_of_the_source_are_those_of_the_oracle() {
    let wanted = ["h264 strict B-pyramid", "h264 open GOP", "h265 RASL", "mpeg2 with B"];
    let clips = zoo::all(60).into_iter().filter(|(name, _)| wanted.contains(name)).collect();
    check_analyze(&cached(clips), &["29.97", "all"], true);
}

/// Without a model: every clip of the zoo near and above its rate.
#[test]
fn frames_are_those_of_the_oracle() {
    let dir = tempfile::tempdir().unwrap();
    for (name, clip) in zoo::all(60) {
        let (path, out) = (clip.cached(), dir.path().join("frames"));
        let truth = probe(&path);
        for fps in ["5", "29.97", "all"] {
            ocelli(args!["extract", path, "--fps", fps, "--out", out, "--overwrite"]).whole();
            let found: Vec<i64> = frames(&out).iter().map(|frame| frame.pts).collect();
            let expected: Vec<i64> = expected(&truth, fps).iter().map(|(_, pts, _)| *pts).collect();
            assert_eq!(found, expected, "{name} at {fps}");
        }
    }
}

#[test]
fn hard_slot_counts() {
    let clip = |params: &str| Clip::new(192, 128).container(Container::Ts).params(params);
    let count = |path: &Path, fps: &str, least: usize, most: usize| {
        check_analyze(&[path.to_owned()], &[fps], true);
        let found = expected(&probe(path), fps).len();
        assert!((least..=most).contains(&found), "{fps}: {found}");
    };
    // 36.4 s of pictures at N = 1; 3 s at 15 and at 30, where every picture counts; 4 s at 10.
    count(&Clip::new(192, 128).rate(11, 10).frames(40).params("keyint=5").cached(), "1", 36, 37);
    let two = clip("keyint=30:scenecut=0:bframes=2:b-pyramid=none:b-adapt=0").frames(90).cached();
    count(&two, "15", 44, 46);
    count(&two, "30", 90, 90);
    let three = clip("keyint=50:scenecut=0:bframes=3:b-pyramid=none:b-adapt=0").rate(25, 1).frames(100);
    count(&three.cached(), "10", 39, 41);
}

#[test]
fn late_and_missing_keyframes() {
    let clip =
        Clip::new(192, 128).container(Container::Ts).params("keyint=24:scenecut=0:bframes=0").frames(90);
    let bytes = std::fs::read(clip.cached()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for (name, keep) in
        [("late.ts", (|n| n > 10) as fn(usize) -> bool), ("missing.ts", |n| n != 24 && n != 72)]
    {
        let path = dir.path().join(name);
        std::fs::write(&path, ts::select(&bytes, keep)).unwrap();
        check_analyze(&[path], &["1", "2"], name == "late.ts");
    }
}
