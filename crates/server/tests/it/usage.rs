//! Wrong use is refused with exit code 2 and one clear line, before anything is written.

use std::path::{Path, PathBuf};

use ocelli_testkit::Clip;

use crate::{
    args,
    frames::frames,
    ocelli::{Ran, file, home, ocelli},
    results::lines,
};

fn clip() -> PathBuf {
    Clip::new(192, 128).cached()
}

/// What clap refuses: exit code 2, the first line says what is wrong, and nothing is printed or written.
#[track_caller]
fn misused(ran: &Ran, words: &[&str]) {
    assert_eq!((ran.code, ran.stdout.len()), (2, 0), "{}", ran.stderr);
    let line = ran.stderr.lines().next().expect("a line");
    for word in [&["error: "], words].concat() {
        assert!(line.contains(word), "{word:?} in {line:?}");
    }
}

#[test]
fn rates_that_are_no_rates() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("frames");
    for fps in
        ["0", "-1", "nan", "NaN", "inf", "1e9", "1000000", "abc", "", "1/0", "0/1", "0.0000000001", "ALL"]
    {
        let fps = format!("--fps={fps}");
        misused(&ocelli(args!["extract", clip(), fps, "--out", out]), &["--fps", "rate"]);
        misused(&ocelli(args!["analyze", clip(), fps]), &["--fps", "rate"]);
    }
    assert!(!out.try_exists().unwrap());
}

#[test]
fn options_out_of_range() {
    for quality in ["0", "101", "-1", "x"] {
        let quality = format!("--quality={quality}");
        misused(&ocelli(args!["extract", clip(), "--out", "nowhere", quality]), &["--quality"]);
    }
    for instances in ["0", "257", "-1", "x"] {
        misused(&ocelli(args!["analyze", clip(), format!("--instances={instances}")]), &["--instances"]);
    }
    misused(&ocelli(args!["analyze", clip(), "--precision", "int4"]), &["--precision"]);
    misused(&ocelli(args!["analyze", clip(), "--confidence", "x"]), &["--confidence"]);
    misused(&ocelli(args!["extract", clip(), "--out", "nowhere", "--start", "x"]), &["--start"]);
    assert_eq!(ocelli(args!["extract", clip()]).code, 2, "--out is missing");
    assert_eq!(ocelli(args!["analyze"]).code, 2, "an input is missing");
    assert_eq!(ocelli(args!["analyze", clip(), "--overwrite"]).code, 2, "there is nothing to overwrite");
    misused(&ocelli(args!["look", clip()]), &["look"]);
}

#[test]
fn windows_without_time() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("frames");
    for (start, end) in [("2", "1"), ("1", "1"), ("nan", "1"), ("0", "inf")] {
        let span = [format!("--start={start}"), format!("--end={end}")];
        let [first, last] = &span;
        ocelli(args!["extract", clip(), "--out", out, first, last]).refused(2, &["--"]);
        ocelli(args!["analyze", clip(), first, last]).refused(2, &["--"]);
    }
    assert!(!out.try_exists().unwrap());
}

#[test]
fn what_the_model_does_not_have() {
    if home().is_none() {
        return;
    }
    ocelli(args!["analyze", clip(), "--classes", "person,unicorn"]).refused(2, &["unicorn"]);
    ocelli(args!["analyze", clip(), "--classes", ""]).refused(2, &["class"]);
    ocelli(args!["analyze", clip(), "--model", "yolo99"]).refused(2, &["yolo99", "known are"]);
    ocelli(args!["analyze", clip(), "--model", clip()]).refused(2, &["model"]);
    for confidence in ["0", "1.1", "-0.5", "nan", "inf"] {
        let option = format!("--confidence={confidence}");
        ocelli(args!["analyze", clip(), option]).refused(2, &["confidence"]);
    }
}

#[test]
fn exports_that_cannot_be_named() {
    let dir = tempfile::tempdir().unwrap();
    let of = |name: &str| {
        std::fs::create_dir(dir.path().join(name)).unwrap();
        file(&dir.path().join(name), "cam.mp4", &std::fs::read(clip()).unwrap())
    };
    let (one, other, out) = (of("a"), of("b"), dir.path().join("tracks.txt"));
    let refused = |args: &[std::ffi::OsString], word: &str| {
        ocelli(args).refused(2, &["a MOT file holds one sequence", word]);
    };
    refused(args!["analyze", clip(), one, "--mot", out], "put {input} into its name");
    let models = args!["--model", "ssdlite-mobilenet-v2", "--model", "yolox-nano"];
    refused(&[args!["analyze", clip(), "--mot", out] as &[_], models].concat(), "put {model} into its name");
    let same = dir.path().join("{input}.txt");
    refused(args!["analyze", one, other, "--mot", same], "calls of their own");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "nothing is written");
    if home().is_some() {
        let list = args!["analyze", clip(), "--model", "ssdlite-mobilenet-v2,yolox-nano"];
        let words = ["one model", "--model ssdlite-mobilenet-v2 --model yolox-nano"];
        ocelli(list).refused(2, &words);
    }
}

#[test]
fn a_folder_that_is_not_empty_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path();
    file(out, "notes.txt", b"mine");
    let old = ["frame_0001.jpg", "frame_0777.jpg", "frame_12345.jpg"].map(|name| file(out, name, b"old"));
    let other = ["frame_1.png", "frame_0001.jpg.bak", "frame_x.jpg", "other.jpg"]
        .map(|name| file(out, name, b"mine"));
    ocelli(args!["extract", clip(), "--out", out]).refused(2, &["not empty", "--overwrite"]);
    assert!(old.iter().all(|path| std::fs::read(path).unwrap() == b"old"));
    ocelli(args!["extract", clip(), "--out", out, "--overwrite"]).whole();
    assert!(other.iter().all(|path| std::fs::read(path).unwrap() == b"mine"), "nothing else is touched");
    assert!(!old[1].try_exists().unwrap() && !old[2].try_exists().unwrap());
    for path in other.into_iter().chain([out.join("notes.txt")]) {
        std::fs::remove_file(path).unwrap();
    }
    assert_eq!(frames(out).len(), 3);
}

#[test]
fn an_out_that_cannot_be_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let taken = file(dir.path(), "taken", b"mine");
    ocelli(args!["extract", clip(), "--out", taken]).refused(2, &["taken", "not a directory"]);
    ocelli(args!["extract", clip(), "--out", taken.join("below")]).refused(2, &["taken"]);
    ocelli(args!["extract", clip(), "--out", "/proc/ocelli"]).refused(2, &["/proc/ocelli"]);
    assert_eq!(std::fs::read(taken).unwrap(), b"mine");
}

#[test]
fn one_bad_input_among_good_ones() {
    if home().is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (missing, text) = (dir.path().join("missing.mp4"), file(dir.path(), "text.mp4", b"no video"));
    let ran = ocelli(args!["analyze", missing, clip(), "--fps", "1"]).refused(1, &["missing.mp4"]);
    assert_eq!(lines(&ran.stdout).len(), 3);
    let ran = ocelli(args!["analyze", clip(), text, "--fps", "1"]).refused(1, &["text.mp4"]);
    assert_eq!(lines(&ran.stdout).len(), 3);
    let ran = ocelli(args!["analyze", missing, text]);
    assert_eq!((ran.code, ran.stderr.lines().count(), ran.stdout.len()), (2, 2, 0), "{}", ran.stderr);
}

#[test]
fn a_fresh_machine_is_told_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let bare = |args: &[std::ffi::OsString]| {
        let mut command = crate::ocelli::after("", args);
        crate::ocelli::ran(command.env("OCELLI_HOME", dir.path()))
    };
    let ran = bare(args!["analyze", clip()]).refused(2, &["./dev setup"]);
    assert!(ran.stdout.is_empty());
    if let Some(home) = home() {
        // A model without its runtime.
        std::os::unix::fs::symlink(home.join("models"), dir.path().join("models")).unwrap();
        bare(args!["analyze", clip()]).refused(2, &["./dev setup"]);
    }
    // Frames need neither.
    let out: &Path = &dir.path().join("frames");
    bare(args!["extract", clip(), "--out", out]).whole();
}
