//! Outputs that fail: a full disk, a closed pipe, a folder that cannot be written. What was written before stays valid.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::Stdio,
};

use ocelli_testkit::{Clip, probe};

use crate::{
    args,
    frames::frames,
    ocelli::{after, bound, file, home, ran},
    results::lines,
};

fn clip() -> PathBuf {
    Clip::new(384, 256).frames(60).params("keyint=10").cached()
}

/// A disk that is full after so many KiB: writes beyond fail.
fn full_after(kib: u32) -> String {
    format!("ulimit -f {kib}; trap '' XFSZ")
}

#[test]
fn a_full_disk_keeps_whole_frames() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("frames");
    // The limit is one of each file: larger frames do not fit.
    let run = |kib, fps: &str| {
        ran(&mut after(&full_after(kib), args!["extract", clip(), "--fps", fps, "--out", out, "--overwrite"]))
    };
    run(1000, "all").whole();
    let sizes: Vec<usize> = frames(&out).iter().map(|frame| frame.jpeg.len()).collect();
    let (first, most) = (sizes[0], *sizes.iter().max().unwrap());
    run(1, "all").refused(1, &["frame_0001.jpg", "File too large", "0 frames before it are whole"]);
    assert!(frames(&out).is_empty(), "no part is left");
    if let Some(limit) = (first.div_ceil(1024)..most.div_ceil(1024)).next() {
        run(limit as u32, "all").refused(1, &["cannot write", "frames before it are whole"]);
        let kept = frames(&out);
        assert!(!kept.is_empty() && kept.len() < sizes.len());
        assert!(kept.iter().zip(&sizes).all(|(frame, size)| frame.jpeg.len() == *size));
    }
}

#[test]
fn a_full_disk_keeps_whole_lines() {
    if home().is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("results.jsonl");
    let mut command = after(&full_after(4), args!["analyze", clip(), "--fps", "all"]);
    ran(command.stdout(File::create(&path).unwrap()))
        .refused(1, &["cannot write the results", "results before it are whole"]);
    let bytes = fs::read(&path).unwrap();
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let count = lines(&bytes[..whole]).len();
    assert!((1..60).contains(&count), "{count}");
    // No room for anything.
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = after("", args!["analyze", clip(), "--fps", "1"]);
    ran(command.stdout(full)).refused(1, &["No space left on device", "; 0 results"]);
    for args in [args!["models", "list"] as &[_], args!["doctor"]] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ran = ran(after("", args).stdout(full));
        assert_ne!(ran.code, 0, "{}", ran.stderr);
    }
}

#[test]
fn a_full_disk_keeps_what_the_annotated_video_has() {
    if home().is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("seen.mp4");
    let args = args!["analyze", clip(), "--fps", "all", "--annotate", path];
    let ran = ran(&mut after(&full_after(60), args));
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("seen.mp4") && ran.stderr.contains("File too large"), "{}", ran.stderr);
    assert!(!path.try_exists().unwrap(), "it is not whole, so it has not its name");
    let part = dir.path().join("seen.mp4.part");
    assert!(ran.stderr.contains("seen.mp4.part"), "{}", ran.stderr);
    let kept = probe(&part).output.len();
    assert!((1..60).contains(&kept), "{kept} pictures play");
    assert!(lines(&ran.stdout).len() >= kept, "results so far are valid");
}

#[test]
fn a_reader_that_goes_is_no_fault() {
    if home().is_none() {
        return;
    }
    let mut command = after("", args!["analyze", clip(), "--fps", "all"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut head = std::process::Command::new("head");
    let head = head.arg("-1").stdin(child.stdout.take().unwrap()).output().unwrap();
    assert_eq!(lines(&head.stdout).len(), 1);
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), &ended.stderr[..]), (Some(0), &b""[..]));
}

#[test]
fn commands_that_print_little_end_quietly_too() {
    for args in [args!["models", "list"] as &[_], args!["doctor"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = ran(after("", args).stdout(writer));
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{args:?}");
    }
}

#[test]
fn a_folder_that_cannot_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("frames");
    fs::create_dir(&out).unwrap();
    fs::set_permissions(&out, Permissions::from_mode(0o555)).unwrap();
    let input = file(dir.path(), "clip.mp4", &fs::read(clip()).unwrap());
    let args = |out| args!["extract", input, "--out", out].to_vec();
    let Some(mut command) = bound(dir.path(), &args(out.clone())) else { return };
    ran(&mut command).refused(1, &["frame_0001.jpg", "Permission denied", "0 frames"]);
    let Some(mut command) = bound(dir.path(), &args(out.join("below"))) else { return };
    ran(&mut command).refused(2, &["below", "Permission denied"]);
    assert_eq!(fs::read_dir(&out).unwrap().count(), 0);
}
