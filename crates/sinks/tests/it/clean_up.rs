//! Old frames go, and nothing else; the newest is read back beside that.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use ocelli_sinks::{Existing, FolderError, FrameFolder, Retention};

use super::{child, folder::names};

fn count(count: u64) -> Retention {
    Retention { count: Some(count), ..Retention::default() }
}

fn fill(folder: &Path, frames: u64) -> FrameFolder {
    let mut written = FrameFolder::resume(folder).unwrap();
    for number in 0..frames {
        written.write(&number.to_le_bytes()).unwrap();
    }
    written
}

#[test]
fn a_backlog_goes_little_by_little() {
    let home = tempfile::tempdir().unwrap();
    drop(fill(home.path(), 150));
    let mut frames = FrameFolder::resume(home.path()).unwrap();
    assert_eq!((frames.count(), frames.bytes()), (150, 1200));
    assert_eq!(frames.clean_up().unwrap(), 0, "everything stays unless told otherwise");
    frames.retain(count(10));
    let steps: Vec<_> = (0..6).map(|_| frames.clean_up().unwrap()).collect();
    assert_eq!(steps, [32, 32, 32, 32, 12, 0]);
    assert_eq!(
        names(home.path()),
        (141..=150).map(|number| format!("frame_{number:04}.jpg")).collect::<Vec<_>>()
    );
    for number in 151..=400_u64 {
        assert_eq!(frames.write(b"jpeg").unwrap(), number);
        assert_eq!(frames.clean_up().unwrap(), 1);
        assert_eq!(names(home.path()).len(), 10);
    }
    assert_eq!((frames.bytes(), frames.count()), (40, 400));
}

#[test]
fn what_others_put_there_stays() {
    let home = tempfile::tempdir().unwrap();
    drop(fill(home.path(), 3));
    let theirs = ["frame_1.jpg", "frame_00002.jpg", "frame_0002.png", "frame_0002.jpg.bak", "notes.txt", "z"];
    for name in &theirs[..5] {
        fs::write(home.path().join(name), "theirs").unwrap();
    }
    fs::create_dir(home.path().join("z")).unwrap();
    fs::write(home.path().join("z/frame_0001.jpg"), "theirs").unwrap();
    let mut frames = FrameFolder::resume(home.path()).unwrap();
    assert_eq!(frames.bytes(), 24);
    frames.retain(count(1));
    assert_eq!(frames.clean_up().unwrap(), 2);
    let mut expected = vec!["frame_0003.jpg"];
    expected.extend(theirs);
    expected.sort_unstable();
    assert_eq!(names(home.path()), expected);
    assert_eq!(names(&home.path().join("z")), ["frame_0001.jpg"]);
}

#[test]
fn others_may_clean_up_too() {
    let home = tempfile::tempdir().unwrap();
    let mut frames = fill(home.path(), 6);
    frames.retain(Retention { age: Some(std::time::Duration::from_hours(1)), ..count(2) });
    for number in [1, 2, 4] {
        fs::remove_file(frames.path_of(number)).unwrap();
    }
    assert_eq!(frames.clean_up().unwrap(), 1);
    assert_eq!(names(home.path()), ["frame_0005.jpg", "frame_0006.jpg"]);
    assert_eq!(frames.bytes(), 16);
}

#[test]
fn what_may_not_be_removed_holds_nothing_up() {
    let home = tempfile::tempdir().unwrap();
    let mut frames = fill(home.path(), 5);
    frames.retain(count(2));
    // A directory and a link in place of frames.
    fs::remove_file(frames.path_of(1)).unwrap();
    fs::create_dir(frames.path_of(1)).unwrap();
    fs::remove_file(frames.path_of(2)).unwrap();
    fs::write(home.path().join("target"), "theirs").unwrap();
    symlink(home.path().join("target"), frames.path_of(2)).unwrap();
    let error = frames.clean_up().unwrap_err();
    assert!(matches!(&error, FolderError::InTheWay(path) if path.ends_with("frame_0002.jpg")), "{error}");
    assert_eq!(names(home.path())[2..], ["frame_0004.jpg", "frame_0005.jpg", "target"]);
    assert_eq!(frames.clean_up().unwrap(), 0);
    assert_eq!(frames.write(b"goes on").unwrap(), 6);
    assert_eq!(frames.clean_up().unwrap(), 1);
}

/// As a user who may not remove what another one wrote before.
#[test]
fn a_folder_that_may_not_be_changed_is_told() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("frames");
    drop(fill(&folder, 3));
    let readable = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    readable(home.path(), 0o755);
    readable(&folder, 0o555);
    let command = child::command("id -u", "clean_up::child_may_not", &folder).output().unwrap();
    let root = String::from_utf8_lossy(&command.stdout).starts_with("0\n");
    assert!(command.status.success(), "{command:?}");
    readable(&folder, 0o755);
    assert_eq!(names(&folder).len(), if root { 2 } else { 3 }, "root may do anything");
}

#[test]
#[ignore = "the child of another test"]
fn child_may_not() {
    let mut frames = FrameFolder::resume(child::folder()).unwrap();
    frames.retain(count(2));
    match frames.clean_up() {
        Ok(removed) => assert_eq!(removed, 1),
        Err(error) => assert!(error.to_string().contains("cannot remove"), "{error}"),
    }
}

#[test]
fn numbering_goes_on_after_what_was_removed() {
    let check = |present: &[u64], at_least: u64, expected: u64| {
        let home = tempfile::tempdir().unwrap();
        for number in present {
            fs::write(home.path().join(format!("frame_{number:04}.jpg")), "old").unwrap();
        }
        let mut frames = FrameFolder::resume_after(home.path(), at_least).unwrap();
        assert_eq!(frames.count(), expected - 1);
        assert_eq!(frames.write(b"new").unwrap(), expected);
        frames.retain(count(1));
        frames.clean_up().unwrap();
        assert_eq!(names(home.path()), [format!("frame_{expected:04}.jpg")]);
    };
    check(&[], 0, 1);
    check(&[], 41, 42);
    check(&[40, 41], 41, 42);
    check(&[40, 41], 7, 42);
    check(&[3, 40], 99_998, 99_999);
}

#[test]
fn the_newest_frame_reads_back() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("frames");
    let newest = || FrameFolder::newest(&folder).unwrap();
    assert_eq!(newest(), None, "no folder");
    let mut frames = FrameFolder::create(&folder, Existing::Refuse).unwrap();
    assert_eq!(newest(), None, "no frame");
    for number in [1, 2, 3] {
        frames.write(&[number; 100]).unwrap();
        assert_eq!(newest(), Some((u64::from(number), vec![number; 100])), "beside its writer");
    }
    fs::write(folder.join("frame_10000.jpg"), "highest, not last by name").unwrap();
    fs::write(folder.join(".frame_10001.part"), "half").unwrap();
    symlink("/etc/passwd", folder.join("frame_20000.jpg")).unwrap();
    fs::create_dir(folder.join("frame_20001.jpg")).unwrap();
    assert_eq!(newest().unwrap().0, 10_000);
    // Larger than any JPEG: refused before it is read.
    fs::File::create(folder.join("frame_30000.jpg")).unwrap().set_len(1 << 40).unwrap();
    let error = FrameFolder::newest(&folder).unwrap_err();
    assert!(matches!(&error, FolderError::Read { path, .. } if path.ends_with("frame_30000.jpg")), "{error}");
    let error = FrameFolder::newest(home.path().join("frames/frame_10000.jpg")).unwrap_err();
    assert!(matches!(error, FolderError::List { .. }), "{error}");
}

/// A reader beside a writer that keeps two frames only: it always finds one, whole, and never an older one.
#[test]
fn reading_and_cleaning_up_at_once() {
    let home = tempfile::tempdir().unwrap();
    let mut frames = fill(home.path(), 1);
    frames.retain(count(1));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = std::thread::Builder::new().name("reader".to_owned()).spawn_scoped(scope, || {
            let (mut last, mut reads) = (0, 0);
            while !done.load(Ordering::Acquire) || reads == 0 {
                let (number, jpeg) = FrameFolder::newest(home.path()).unwrap().expect("there always is one");
                assert!(number >= last, "{number} after {last}");
                assert!(
                    number == 1 || jpeg == number.to_le_bytes().repeat(500),
                    "frame {number} is not whole"
                );
                (last, reads) = (number, reads + 1);
            }
            reads
        });
        for number in 2..=3000_u64 {
            assert_eq!(frames.write(&number.to_le_bytes().repeat(500)).unwrap(), number);
            assert_eq!(frames.clean_up().unwrap(), 1);
        }
        done.store(true, Ordering::Release);
        assert!(reader.unwrap().join().unwrap() > 0);
    });
}
