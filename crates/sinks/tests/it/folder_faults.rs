//! Writes that fail, and writers that die.

use std::{
    error::Error as _,
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
};

use ocelli_sinks::{Existing, FolderError, FrameFolder};

use super::{child, folder::names};

/// Big enough to be caught half written.
const FRAME_BYTES: usize = 3 << 20;

#[test]
fn a_frame_that_does_not_fit_leaves_nothing_and_keeps_its_number() {
    let home = tempfile::tempdir().unwrap();
    // 2048 blocks of 512 bytes; without the signal the write fails after the bytes that fitted.
    let limit = "ulimit -f 2048; trap '' XFSZ";
    let output = child::command(limit, "folder_faults::child_meets_a_limit", home.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(names(home.path()), ["frame_0001.jpg", "frame_0002.jpg"]);
}

#[test]
#[ignore = "the child of another test"]
fn child_meets_a_limit() {
    let path = child::folder();
    let mut frames = FrameFolder::create(&path, Existing::Refuse).unwrap();
    frames.write(b"fits").unwrap();
    for _again in 0..3 {
        let error = frames.write(&vec![0; FRAME_BYTES]).unwrap_err();
        assert!(error.to_string().contains("frame_0002.jpg"), "{error}");
        assert!(error.source().unwrap().to_string().contains("File too large"), "{error:?}");
        assert_eq!(names(&path), ["frame_0001.jpg"]);
        assert_eq!(frames.count(), 1);
    }
    assert_eq!(frames.write(b"fits again").unwrap(), 2);
}

#[test]
fn a_folder_that_vanishes_and_comes_back_costs_no_number() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("frames");
    let mut frames = FrameFolder::create(&path, Existing::Refuse).unwrap();
    frames.write(b"one").unwrap();
    fs::remove_dir_all(&path).unwrap();
    let error = frames.write(b"two").unwrap_err();
    assert!(matches!(error, FolderError::Write { ref path, .. } if path.ends_with("frame_0002.jpg")));
    fs::create_dir(&path).unwrap();
    assert_eq!(frames.write(b"two").unwrap(), 2);
}

#[test]
fn something_in_the_way_of_a_part_is_not_written_through() {
    let home = tempfile::tempdir().unwrap();
    let target = home.path().join("target");
    let folder = home.path().join("frames");
    fs::write(&target, "theirs").unwrap();
    let mut frames = FrameFolder::create(&folder, Existing::Refuse).unwrap();
    std::os::unix::fs::symlink(&target, folder.join(".frame_0001.part")).unwrap();
    assert_eq!(frames.write(b"ours").unwrap(), 1);
    assert_eq!(fs::read(&target).unwrap(), b"theirs");
    assert!(fs::symlink_metadata(frames.path_of(1)).unwrap().is_file());
    fs::create_dir(folder.join(".frame_0002.part")).unwrap();
    frames.write(b"ours").unwrap_err();
    fs::remove_dir(folder.join(".frame_0002.part")).unwrap();
    assert_eq!(frames.write(b"ours").unwrap(), 2);
}

#[test]
fn a_killed_writer_leaves_whole_frames_only_and_another_goes_on() {
    let home = tempfile::tempdir().unwrap();
    for round in 1..=5 {
        kill_in_the_middle(home.path(), round);
        let found = names(home.path());
        let frames: Vec<_> = found.iter().filter(|name| !name.starts_with('.')).collect();
        for (index, name) in frames.iter().enumerate() {
            assert_eq!(**name, format!("frame_{:04}.jpg", index + 1));
            assert_eq!(fs::metadata(home.path().join(name)).unwrap().len(), FRAME_BYTES as u64, "{name}");
        }
        let resumed = FrameFolder::resume(home.path()).unwrap();
        assert_eq!(resumed.count(), frames.len() as u64);
        assert_eq!(names(home.path()).len(), frames.len(), "no parts are left");
    }
}

/// Starts a writer, kills it (SIGKILL) as soon as it has said `lines` times that it wrote a frame.
fn kill_in_the_middle(folder: &Path, lines: usize) {
    let mut child = child::command(":", "folder_faults::child_writes_for_ever", folder).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let written =
        output.lines().map(Result::unwrap).filter(|line| line.contains("wrote")).take(lines).count();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(written, lines);
}

#[test]
#[ignore = "the child of another test"]
#[expect(clippy::print_stdout, reason = "how the child tells its parent how far it is")]
fn child_writes_for_ever() {
    let mut frames = FrameFolder::resume(child::folder()).unwrap();
    loop {
        let number = frames.write(&vec![7; FRAME_BYTES]).unwrap();
        // Standard output carries the test harness's words too, and one may share this line.
        println!("wrote {number}");
    }
}
