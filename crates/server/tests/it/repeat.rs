//! The same input gives the same results, however many work on them and whatever part is asked for.

use std::path::PathBuf;

use ocelli_testkit::Clip;
use serde_json::Value;

use crate::{
    args,
    frames::frames,
    ocelli::{home, ocelli},
    results::{lines, untimed},
};

/// Real footage where it is here: a synthetic clip shows the detector little.
fn inputs() -> Vec<PathBuf> {
    let footage = home().map(|home| home.join("footage/bikes.mp4"));
    let footage = footage.filter(|path| path.try_exists().unwrap_or(false));
    let clip = Clip::new(192, 128).frames(90).start_pts(345).params("keyint=20:bframes=3");
    footage.into_iter().chain([clip.cached()]).collect()
}

#[test]
fn results_are_identical_run_after_run() {
    if home().is_none() {
        return;
    }
    for input in inputs() {
        let run = |instances| {
            untimed(&ocelli(args!["analyze", input, "--fps", "4", "--instances", instances]).whole().stdout)
        };
        let first = run("1");
        assert!(first.len() >= 10);
        assert_eq!(run("1"), first, "{}", input.display());
        assert_eq!(run("2"), first, "{}", input.display());
        assert_eq!(run("5"), first, "{}", input.display());
    }
}

#[test]
fn a_window_is_a_part_of_the_whole() {
    if home().is_none() {
        return;
    }
    for input in inputs() {
        let whole = untimed(&ocelli(args!["analyze", input, "--fps", "4"]).whole().stdout);
        let seconds = |line: &String| -> f64 {
            let line: Value = serde_json::from_str(line).unwrap();
            line["seconds"].as_f64().unwrap()
        };
        let first = seconds(&whole[0]);
        for (start, end) in [(0.0, 1.0), (0.6, 2.2), (0.9, 90.0), (50.0, 60.0), (-5.0, 0.3)] {
            let (start, end) = (first + start, first + end);
            let span = [format!("--start={start}"), format!("--end={end}")];
            let [from, to] = &span;
            let inside: Vec<_> =
                whole.iter().filter(|line| (start..end).contains(&seconds(line))).cloned().collect();
            let run = ocelli(args!["analyze", input, "--fps", "4", from, to]);
            if inside.is_empty() {
                run.refused(2, &["no frame lies between --start and --end"]);
                continue;
            }
            assert_eq!(untimed(&run.whole().stdout), inside, "{} from {start} to {end}", input.display());
        }
    }
}

#[test]
fn frames_are_identical_and_a_window_is_a_part_of_them() {
    let clip = Clip::new(192, 128).frames(90).start_pts(345).params("keyint=20:bframes=3").cached();
    let dir = tempfile::tempdir().unwrap();
    let extract = |span: &[&str]| {
        let out = dir.path().join("frames");
        let mut args: Vec<std::ffi::OsString> = args!["extract", clip, "--fps", "7", "--out", out].to_vec();
        args.extend(["--overwrite"].iter().chain(span).map(Into::into));
        ocelli(&args).whole();
        frames(&out)
    };
    let whole = extract(&[]);
    assert_eq!(extract(&[]), whole);
    let part = extract(&["--start", "12.1", "--end", "13.4"]);
    let base = 1.0 / 30.0;
    let inside: Vec<_> =
        whole.into_iter().filter(|f| (12.1..13.4).contains(&(f.pts as f64 * base))).collect();
    assert!(inside.len() >= 8);
    assert_eq!(part, inside);
}

#[test]
fn lines_hold_what_is_promised() {
    if home().is_none() {
        return;
    }
    for input in inputs() {
        let ran = ocelli(args!["analyze", input, "--fps", "4", "--confidence", "0.3"]).whole();
        let mut versions: Vec<Value> = Vec::new();
        for line in lines(&ran.stdout) {
            assert_eq!((&line["input"], &line["verdict"]), (&input.to_str().into(), &"analysed".into()));
            let base = |n: usize| line["time_base"][n].as_f64().unwrap();
            let exact = line["pts"].as_f64().unwrap() * base(0) / base(1);
            assert!((line["seconds"].as_f64().unwrap() - exact).abs() < 1e-5, "{line}");
            assert!(line["timing_ms"]["analyze"].as_f64().unwrap() > 0.0, "{line}");
            let size = ["width", "height"].map(|side| line[side].as_f64().unwrap());
            for seen in line["detections"].as_array().unwrap() {
                assert!(seen["label"].is_string() && seen["confidence"].as_f64().unwrap() >= 0.3, "{seen}");
                for (side, pixels) in
                    [("x", size[0]), ("y", size[1]), ("width", size[0]), ("height", size[1])]
                {
                    let (part, px) =
                        (seen["box"][side].as_f64().unwrap(), seen["box_px"][side].as_f64().unwrap());
                    assert!((part * pixels - px).abs() <= 0.06 && (0.0..=1.0).contains(&part), "{seen}");
                }
            }
            versions.push(line["analyzer_version"].clone());
        }
        versions.dedup();
        assert_eq!(versions.len(), 1);
    }
}
