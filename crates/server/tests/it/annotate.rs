//! `--annotate`: a video of the analysed frames at their own media times, and what it never does.

use std::{fs, path::Path};

use ocelli_testkit::{Clip, ClipCodec, Container, Truth, probe};
use serde_json::Value;

use crate::{
    args,
    ocelli::{file, home, ocelli, skipped},
    results::lines,
};

/// The pictures of `video` are those of the lines, at their times.
fn same_times(lines: &[Value], video: &Truth) {
    let of_line = |line: &Value| {
        let [num, den] = [0, 1].map(|part| i128::from(line["time_base"][part].as_i64().unwrap()));
        (i128::from(line["pts"].as_i64().unwrap()) * num, den)
    };
    let base = video.time_base;
    assert_eq!(lines.len(), video.output.len());
    for (line, pts) in lines.iter().zip(&video.output) {
        let (ticks, den) = of_line(line);
        assert_eq!(ticks * i128::from(base.den()), i128::from(*pts) * i128::from(base.num()) * den, "{line}");
    }
}

#[test]
fn pictures_keep_their_times_and_numbers() {
    if home().is_none() {
        return;
    }
    let steps = [3003, 1501, 90_000, 2999, 3100, 4500];
    let pts: Vec<i64> = (0..30).scan(0, |at, n| Some(std::mem::replace(at, *at + steps[n % 6]))).collect();
    let clip = || Clip::new(384, 256).frames(30);
    let clips = [
        clip().params("bframes=3:b-adapt=0").rate(30_000, 1001).start_pts(100_000),
        clip().timestamps(90_000, &pts).container(Container::Ts).start_pts(7_900_000_000),
        clip().codec(ClipCodec::Mpeg4).container(Container::Avi),
    ];
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("seen.mp4");
    for clip in clips {
        let ran =
            ocelli(args!["analyze", clip.cached(), "--fps", "all", "--annotate", out, "--overwrite"]).whole();
        let video = probe(&out);
        same_times(&lines(&ran.stdout), &video);
        let shown = video.pictures.iter().map(|picture| picture.frame.as_ref().unwrap().number);
        assert!(shown.eq((0..30).map(|n| Some(clip.number(n)))), "{clip:?}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}

#[test]
fn boxes_are_drawn_where_the_lines_say() {
    let Some(footage) = home().map(|home| home.join("footage/bikes.mp4")) else { return };
    if !footage.try_exists().unwrap() {
        return skipped(&format!("{} is not here; './dev setup' mends it", footage.display()));
    }
    let dir = tempfile::tempdir().unwrap();
    let (with, without) = (dir.path().join("seen.mp4"), dir.path().join("blank.mp4"));
    let span = |out: &Path, class: &str| {
        let span = ["--start", "4", "--end", "6", "--fps", "2", "--confidence", "0.3", "--classes", class];
        let mut args: Vec<std::ffi::OsString> = args!["analyze", footage, "--annotate", out].to_vec();
        args.extend(span.map(Into::into));
        lines(&ocelli(&args).whole().stdout)
    };
    let (seen, blank) = (span(&with, "person,bicycle,car,motorcycle"), span(&without, "giraffe"));
    assert_eq!(seen.len(), blank.len());
    same_times(&seen, &probe(&with));
    let hashes = |path: &Path| -> Vec<String> {
        probe(path).pictures.into_iter().map(|picture| picture.frame.unwrap().hash).collect()
    };
    let boxes = |line: &Value| line["detections"].as_array().unwrap().len();
    assert!(seen.iter().any(|line| boxes(line) > 0) && blank.iter().all(|line| boxes(line) == 0));
    // Later pictures are coded from earlier ones: the first that differs is the first with a box.
    let first = seen.iter().position(|line| boxes(line) > 0);
    let differs = hashes(&with).iter().zip(&hashes(&without)).position(|(a, b)| a != b);
    assert!(differs.is_some() && differs <= first, "{differs:?} {first:?}");
}

#[test]
fn nothing_is_overwritten_unasked() {
    if home().is_none() {
        return;
    }
    let clip = Clip::new(192, 128).frames(30).cached();
    let dir = tempfile::tempdir().unwrap();
    let taken = file(dir.path(), "taken.mp4", b"mine");
    ocelli(args!["analyze", clip, "--annotate", taken]).refused(2, &["taken.mp4", "exists", "--overwrite"]);
    assert_eq!(fs::read(&taken).unwrap(), b"mine");
    ocelli(args!["analyze", clip, "--annotate", dir.path()]).refused(2, &[]);
    ocelli(args!["analyze", clip, "--annotate", dir.path().join("no/seen.mp4")]).refused(2, &["no/seen.mp4"]);
    ocelli(args!["analyze", clip, clip, "--annotate", dir.path().join("two.mp4")]).refused(2, &["one input"]);
    // The input itself is never the output.
    let own = file(dir.path(), "own.mp4", &fs::read(&clip).unwrap());
    ocelli(args!["analyze", own, "--annotate", own]).refused(2, &["input"]);
    ocelli(args!["analyze", own, "--annotate", own, "--overwrite"]).refused(2, &["input"]);
    ocelli(args!["analyze", own, "--csv", own, "--overwrite"]).refused(2, &["own.mp4 is read"]);
    let named = dir.path().join("{input}.mp4");
    let ran = ocelli(args!["analyze", own, "--coco", named, "--overwrite"]);
    assert!(ran.code > 0 && ran.stderr.contains("own.mp4 is read"), "{}", ran.stderr);
    assert_eq!(fs::read(&own).unwrap(), fs::read(&clip).unwrap());
    let both = dir.path().join("both");
    ocelli(args!["analyze", own, "--csv", both, "--coco", both]).refused(2, &["two outputs"]);
    ocelli(args!["analyze", own, "--csv", both, "--annotate", both]).refused(2, &["two outputs"]);
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}
