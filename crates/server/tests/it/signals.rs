//! Ctrl-C and kill -9: what is there afterwards is valid.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use ocelli_testkit::{Clip, probe};
use serde_json::Value;

use crate::{
    args,
    frames::{frames, numbers},
    ocelli::{home, ocelli},
    results::lines,
};

/// Long enough that no signal comes too late.
fn clip() -> PathBuf {
    Clip::new(384, 256).frames(900).cached()
}

fn start(args: &[std::ffi::OsString]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ocelli"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn signal(child: &Child, name: &str) {
    let killed = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
}

/// Waits for `count` lines, then sends the signal; everything printed, standard error and how it ended.
fn after_lines(mut child: Child, count: usize, name: &str) -> (Vec<u8>, String, std::process::ExitStatus) {
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut printed = Vec::new();
    for _ in 0..count {
        assert!(stdout.read_until(b'\n', &mut printed).unwrap() > 0, "a line");
    }
    signal(&child, name);
    stdout.read_to_end(&mut printed).unwrap();
    let ended = child.wait_with_output().unwrap();
    (printed, String::from_utf8(ended.stderr).unwrap(), ended.status)
}

/// Waits until `folder` holds a frame of this number, without a clock: a look costs a system call.
fn wait_for_frame(child: &mut Child, folder: &Path, number: u32) {
    let path = folder.join(format!("frame_{number:04}.jpg"));
    while !path.try_exists().unwrap() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before {}", path.display());
        std::thread::yield_now();
    }
}

#[test]
fn ctrl_c_leaves_whole_lines_and_a_video_that_plays() {
    if home().is_none() {
        return;
    }
    for name in ["-INT", "-TERM"] {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("seen.mp4");
        let child = start(args!["analyze", clip(), "--fps", "all", "--annotate", out]);
        let (printed, stderr, status) = after_lines(child, 3, name);
        assert_eq!(status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("stopped before the end") && stderr.lines().count() == 1, "{stderr}");
        let count = lines(&printed).len();
        assert!((3..900).contains(&count), "{count}");
        assert_eq!(probe(&out).output.len(), count, "the video holds the frames of the lines");
    }
}

#[test]
fn inputs_that_ctrl_c_left_out_are_named() {
    if home().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.mp4");
    fs::copy(clip(), &other).unwrap();
    for store in [&[][..], args!["--store", folder.path().join("seen")]] {
        let mut args = args!["analyze", clip(), other, "--fps", "all"].to_vec();
        args.extend_from_slice(store);
        let (_, stderr, status) = after_lines(start(&args), 3, "-INT");
        assert_eq!(status.code(), Some(1), "{stderr}");
        let [first, second] = stderr.lines().collect::<Vec<_>>()[..] else { panic!("{stderr}") };
        assert!(first.contains("stopped before the end"), "{stderr}");
        assert!(second.contains("other.mp4: stopped before it was begun"), "{stderr}");
    }
}

#[test]
fn ctrl_c_and_again_while_a_store_fills() {
    if home().is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("seen");
    let args = args!["analyze", clip(), "--fps", "all", "--store", store];
    let mut seen = Vec::new();
    // The second is stopped while it still prints what the first found.
    for count in [30, 10, 60] {
        let (printed, stderr, status) = after_lines(start(args), count, "-INT");
        assert_eq!(status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("the same command goes on") && stderr.lines().count() == 1, "{stderr}");
        same_again(&mut seen, &lines(&printed));
    }
    same_again(&mut seen, &lines(&ocelli(args).whole().stdout));
    assert_eq!(seen.len(), 900);
    ocelli(args!["store", "check", "--store", store]).whole();
}

/// What was printed is printed again, tracks and timings included, and what is new comes after it.
#[track_caller]
fn same_again(seen: &mut Vec<Value>, printed: &[Value]) {
    let both = seen.len().min(printed.len());
    assert_eq!(seen[..both], printed[..both]);
    seen.extend_from_slice(&printed[both..]);
}

#[test]
fn ctrl_c_leaves_whole_frames() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("frames");
    let mut child = start(args!["extract", clip(), "--fps", "all", "--out", out]);
    wait_for_frame(&mut child, &out, 5);
    signal(&child, "-INT");
    let ended = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("stopped before the end") && stderr.lines().count() == 1, "{stderr}");
    let count = frames(&out).len();
    assert!((5..900).contains(&count), "{count}");
    assert_eq!(numbers(&out, (384, 256)).len(), count);
}

#[test]
fn kill_leaves_no_half_frame_under_a_final_name() {
    for kill_at in [1, 2, 7, 23, 61, 140] {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("frames");
        let mut child = start(args!["extract", clip(), "--fps", "all", "--out", out]);
        wait_for_frame(&mut child, &out, kill_at);
        child.kill().unwrap();
        child.wait().unwrap();
        // At most one part of a frame, under another name.
        for entry in fs::read_dir(&out).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "jpg") {
                fs::remove_file(path).unwrap();
            }
        }
        let seen = numbers(&out, (384, 256));
        let expected: Vec<_> = (0..seen.len() as u32).map(|n| Some((n, 0))).collect();
        assert!(seen.len() >= kill_at as usize && seen == expected, "{seen:?}");
        assert_eq!(frames(&out).len(), seen.len());
    }
}

#[test]
fn kill_leaves_lines_valid_to_the_last_whole_one() {
    if home().is_none() {
        return;
    }
    for kill_at in [1, 3, 20] {
        let child = start(args!["analyze", clip(), "--fps", "all"]);
        let (printed, _, status) = after_lines(child, kill_at, "-KILL");
        assert_eq!(status.code(), None);
        let whole = printed.iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
        assert!(lines(&printed[..whole]).len() >= kill_at);
    }
}
