//! What a frame folder looks like to its readers, and what it does to what it finds.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

use ocelli_sinks::{Existing, FolderError, FrameFolder};

/// Names in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn chain(error: &dyn std::error::Error) -> String {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}

#[test]
fn frames_are_numbered_without_gaps_and_their_times_rise() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("cameras/north gate/frames");
    let mut frames = FrameFolder::create(&folder, Existing::Refuse).unwrap();
    assert_eq!(frames.count(), 0);
    for number in 1..=300_u64 {
        assert_eq!(frames.write(&number.to_le_bytes()).unwrap(), number);
        assert_eq!(frames.count(), number);
    }
    let expected: Vec<_> = (1..=300).map(|number| format!("frame_{number:04}.jpg")).collect();
    assert_eq!(names(&folder), expected);
    let times: Vec<_> = (1..=300_u64)
        .map(|number| {
            let path = frames.path_of(number);
            assert_eq!(fs::read(&path).unwrap(), number.to_le_bytes());
            fs::metadata(&path).unwrap().modified().unwrap()
        })
        .collect();
    // As readers in Python compare them: seconds in a 64-bit float.
    let seconds = |time: &std::time::SystemTime| {
        time.duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap().as_nanos() as f64 / 1e9
    };
    assert!(times.windows(2).all(|pair| seconds(&pair[0]) < seconds(&pair[1])));
}

#[test]
fn five_digits_follow_9999_also_after_a_resume() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("frame_9998.jpg"), "old").unwrap();
    fs::write(home.path().join("frame_0003.jpg"), "old").unwrap();
    fs::write(home.path().join(".frame_9999.part"), "half").unwrap();
    fs::write(home.path().join("notes.txt"), "theirs").unwrap();
    let mut frames = FrameFolder::resume(home.path()).unwrap();
    assert_eq!(frames.count(), 9998);
    for number in [9999, 10_000, 10_001] {
        assert_eq!(frames.write(b"new").unwrap(), number);
    }
    let expected = [
        "frame_0003.jpg",
        "frame_10000.jpg",
        "frame_10001.jpg",
        "frame_9998.jpg",
        "frame_9999.jpg",
        "notes.txt",
    ];
    assert_eq!(names(home.path()), expected);
    drop(frames);
    assert_eq!(FrameFolder::resume(home.path()).unwrap().count(), 10_001);
}

#[test]
fn a_resume_follows_times_that_lie_ahead_of_the_clock() {
    let home = tempfile::tempdir().unwrap();
    let old = home.path().join("frame_0001.jpg");
    fs::write(&old, "old").unwrap();
    let time = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
    let ahead = time(&old) + std::time::Duration::from_hours(1);
    fs::File::options().write(true).open(&old).unwrap().set_modified(ahead).unwrap();
    let mut frames = FrameFolder::resume(home.path()).unwrap();
    frames.write(b"new").unwrap();
    assert!(time(&frames.path_of(2)) > ahead);
}

#[test]
fn a_folder_with_anything_in_it_is_refused() {
    for name in ["notes.txt", "frame_0001.jpg", ".hidden", ".frame_0001.part"] {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(name), "theirs").unwrap();
        let error = FrameFolder::create(home.path(), Existing::Refuse).unwrap_err();
        assert!(matches!(error, FolderError::NotEmpty(_)), "{name}: {error}");
        assert!(error.to_string().contains("--overwrite"), "{error}");
        assert_eq!(names(home.path()), [name], "untouched");
    }
}

#[test]
fn overwrite_removes_frames_and_parts_and_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("frame_0001.jpg"), "theirs").unwrap();
    symlink(outside.path(), home.path().join("linked")).unwrap();
    fs::create_dir(home.path().join("sub")).unwrap();
    fs::write(home.path().join("sub/frame_0001.jpg"), "theirs").unwrap();
    let kept = ["frame_.jpg", "frame_0001.jpg.bak", "frame_1.png", "linked", "other.jpg", "sub"];
    for name in ["frame_.jpg", "frame_0001.jpg.bak", "frame_1.png", "other.jpg"] {
        fs::write(home.path().join(name), "theirs").unwrap();
    }
    for name in ["frame_0001.jpg", "frame_7.jpg", "frame_12345.jpg", ".frame_0002.part"] {
        fs::write(home.path().join(name), "ours").unwrap();
    }
    let mut frames = FrameFolder::create(home.path(), Existing::Overwrite).unwrap();
    assert_eq!(names(home.path()), kept);
    assert_eq!(frames.write(b"new").unwrap(), 1);
    assert_eq!(names(outside.path()), ["frame_0001.jpg"]);
    assert_eq!(names(&home.path().join("sub")), ["frame_0001.jpg"]);
}

#[test]
fn a_frame_name_on_something_else_is_refused_before_anything_is_removed() {
    let check = |block: fn(&Path)| {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("frame_0001.jpg"), "ours").unwrap();
        block(&home.path().join("frame_0002.jpg"));
        for error in [
            FrameFolder::create(home.path(), Existing::Overwrite).unwrap_err(),
            FrameFolder::resume(home.path()).unwrap_err(),
        ] {
            assert!(matches!(error, FolderError::InTheWay(_)), "{error}");
            assert!(error.to_string().contains("frame_0002.jpg"), "{error}");
        }
        assert_eq!(names(home.path()), ["frame_0001.jpg", "frame_0002.jpg"]);
    };
    check(|path| fs::create_dir(path).unwrap());
    check(|path| symlink("/nowhere", path).unwrap());
}

#[test]
fn what_is_no_directory_gets_a_clear_error() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    fs::write(&file, "theirs").unwrap();
    symlink("nowhere", home.path().join("dangling")).unwrap();
    let check = |path: &Path, expected: &str| {
        for existing in [Existing::Refuse, Existing::Overwrite] {
            let error = FrameFolder::create(path, existing).unwrap_err();
            assert!(chain(&error).contains(expected), "{}", chain(&error));
        }
    };
    check(&file, "file is not a directory");
    check(&file.join("below"), "file is not a directory");
    check(&file.join("far/below"), "file is not a directory");
    check(&home.path().join("dangling"), "cannot create the directory");
    check(Path::new("/proc/frames"), "cannot create the directory /proc/frames");
    check(Path::new(""), "cannot create the directory");
    assert_eq!(fs::read(&file).unwrap(), b"theirs");
}

#[test]
fn one_writer_at_a_time() {
    let home = tempfile::tempdir().unwrap();
    let first = FrameFolder::create(home.path(), Existing::Refuse).unwrap();
    for second in [FrameFolder::create(home.path(), Existing::Overwrite), FrameFolder::resume(home.path())] {
        assert!(matches!(second.unwrap_err(), FolderError::Busy(_)));
    }
    drop(first);
    FrameFolder::resume(home.path()).unwrap();
}

#[test]
fn files_and_new_directories_are_readable_by_everyone() {
    let home = tempfile::tempdir().unwrap();
    let before = fs::metadata(home.path()).unwrap().permissions().mode();
    let output =
        super::child::command("umask 077", "folder::child_writes_one", home.path()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let mode = |path: &str| fs::metadata(home.path().join(path)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode("made/here"), 0o755);
    assert_eq!(mode("made"), 0o755);
    assert_eq!(mode("made/here/frame_0001.jpg"), 0o644);
    assert_eq!(mode(""), before & 0o7777, "what was there keeps its mode");
}

#[test]
#[ignore = "the child of another test"]
fn child_writes_one() {
    let path = super::child::folder().join("made/here");
    FrameFolder::create(path, Existing::Refuse).unwrap().write(b"jpeg").unwrap();
}
