//! Which files may be read.

use std::{fs, os::unix::fs::symlink, sync::Mutex};

use super::*;
use crate::Fault;

fn opener(folders: &[&Path]) -> Opener {
    let folders = folders.iter().map(|folder| folder.to_path_buf()).collect();
    Opener::new(OpenerOptions { folders, ..OpenerOptions::new(AddressPolicy::operator()) }).unwrap()
}

fn open(opener: &Opener, path: &Path) -> Result<Box<dyn Source>, SourceError> {
    let url = crate::SourceUrl::from_path(path).unwrap();
    opener.open(&SourceSpec::new(url), &Stop::default())
}

fn clip() -> PathBuf {
    ocelli_testkit::Clip::new(192, 128).frames(30).cached()
}

#[test]
fn files_are_read_within_the_folders_only() {
    let root = tempfile::tempdir().unwrap();
    let (inside, outside) = (root.path().join("media"), root.path().join("media-of-others"));
    for folder in [&inside.join("deep"), &outside] {
        fs::create_dir_all(folder).unwrap();
        fs::copy(clip(), folder.join("clip.mp4")).unwrap();
    }
    symlink(&outside, inside.join("way-out")).unwrap();
    symlink(outside.join("clip.mp4"), inside.join("escape.mp4")).unwrap();
    symlink(inside.join("deep/clip.mp4"), inside.join("stays.mp4")).unwrap();
    symlink(inside.join("loop.mp4"), inside.join("loop.mp4")).unwrap();
    let alias = root.path().join("alias");
    symlink(&inside, &alias).unwrap();

    for opener in [opener(&[&inside]), opener(&[&alias])] {
        for allowed in ["deep/clip.mp4", "stays.mp4"] {
            open(&opener, &inside.join(allowed)).unwrap();
        }
        let refused = [
            inside.join("way-out/clip.mp4"),
            inside.join("escape.mp4"),
            outside.join("clip.mp4"),
            // The same answer whether it is there or not.
            outside.join("none.mp4"),
            PathBuf::from("/etc/passwd"),
            PathBuf::from("/proc/self/environ"),
            root.path().to_path_buf(),
        ];
        for path in refused {
            let error = open(&opener, &path).expect_err(&path.display().to_string());
            assert!(matches!(error, SourceError::Outside), "{path:?}: {error:?}");
            assert_eq!(error.fault(), Fault::Caller);
        }
        assert!(matches!(open(&opener, &inside), Err(SourceError::Directory)));
        for none in ["none.mp4", "loop.mp4"] {
            let error = open(&opener, &inside.join(none)).unwrap_err();
            assert!(matches!(error, SourceError::Open(_)), "{none}: {error:?}");
        }
    }
    open(&opener(&[&alias]), &alias.join("deep/clip.mp4")).unwrap();
    open(&opener(&[Path::new("/")]), &outside.join("clip.mp4")).unwrap();
    assert!(matches!(open(&opener(&[]), &clip()), Err(SourceError::Outside)));
}

#[test]
fn folders_must_be_folders() {
    let file = clip();
    for path in [Path::new("/none/such"), &file, Path::new("")] {
        let options =
            OpenerOptions { folders: vec![path.into()], ..OpenerOptions::new(AddressPolicy::public()) };
        let error = Opener::new(options).unwrap_err();
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
}

/// Keeps what it was asked for.
#[derive(Debug, Default)]
struct Notes(Mutex<Vec<PathBuf>>);

impl OpenUntrusted for Notes {
    fn open(&self, file: File, _stop: &Stop) -> Result<Box<dyn Source>, SourceError> {
        self.0.lock().unwrap().push(super::place_of(&file).unwrap());
        Ok(Box::new(FileSource::of(file)?))
    }
}

#[test]
fn what_is_untrusted_is_never_read_in_this_process() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let inside = folder.path().join("clip.mp4");
    fs::copy(clip(), &inside).unwrap();
    let notes = Arc::new(Notes::default());
    let mut options = OpenerOptions::new(AddressPolicy::operator());
    options.folders = vec![folder.path().to_owned()];
    let without = Opener::new(options.clone()).unwrap();
    options.untrusted = Some(Arc::clone(&notes) as Arc<dyn OpenUntrusted>);
    let with = Opener::new(options).unwrap();
    let ask = |opener: &Opener, url: &str| {
        let spec = SourceSpec { untrusted: true, ..SourceSpec::new(url.parse().unwrap()) };
        opener.open(&spec, &Stop::default())
    };
    let path = inside.display().to_string();
    assert!(matches!(ask(&without, &path), Err(SourceError::NoSandbox)));
    ask(&with, &path).unwrap();
    for url in ["rtsp://127.0.0.1/x", "http://127.0.0.1/x", "synthetic:"] {
        assert!(matches!(ask(&with, url), Err(SourceError::NoSandbox)), "{url}");
    }
    let away = other.path().join("clip.mp4").display().to_string();
    assert!(matches!(ask(&with, &away), Err(SourceError::Outside)));
    assert_eq!(*notes.0.lock().unwrap(), [inside.canonicalize().unwrap()]);
}

#[test]
fn files_begin_anew_as_often_as_asked() {
    let file = clip();
    let url = crate::SourceUrl::from_path(&file).unwrap();
    let opener = opener(&[file.parent().unwrap()]);
    let mut source = opener.open(&SourceSpec::new(url), &Stop::default()).unwrap();
    let mut turns = Vec::new();
    for _ in 0..3 {
        let mut times = Vec::new();
        while let Some(unit) = source.next_unit().unwrap() {
            times.push(unit.pts);
        }
        turns.push(times);
        assert!(source.rewind().unwrap());
    }
    assert!(turns[0].len() == 30 && turns[1] == turns[0] && turns[2] == turns[0], "{turns:?}");
}

#[test]
fn a_stop_that_came_before_opens_nothing() {
    let stop = Stop::default();
    stop.stop();
    let spec = SourceSpec::new("/none".parse().unwrap());
    assert!(matches!(opener(&[]).open(&spec, &stop), Err(SourceError::Stopped)));
}

#[test]
fn a_synthetic_camera_keeps_its_own_pace() {
    let spec = SourceSpec::new("synthetic:?size=64x64&fps=50&frames=10".parse().unwrap());
    let mut source = opener(&[]).open(&spec, &Stop::default()).unwrap();
    let start = super::super::paced::now();
    let mut units = 0;
    while source.next_unit().unwrap().is_some() {
        assert!(start.elapsed() >= Duration::from_millis(20 * units));
        units += 1;
    }
    assert_eq!(units, 10);
}

#[test]
fn a_file_that_is_read_fast_ends_when_it_is_told_to() {
    let file = clip();
    let url = crate::SourceUrl::from_path(&file).unwrap();
    let stop = Stop::default();
    let mut source = opener(&[file.parent().unwrap()]).open(&SourceSpec::new(url), &stop).unwrap();
    assert!(source.next_unit().unwrap().is_some());
    stop.stop();
    assert!(matches!(source.next_unit(), Err(SourceError::Stopped)));
}

#[test]
fn files_may_keep_a_cameras_pace() {
    let file = clip();
    let url = crate::SourceUrl::from_path(&file).unwrap();
    let spec = SourceSpec { pace: Pace::RealTime, ..SourceSpec::new(url) };
    let stop = Stop::default();
    let mut source = opener(&[file.parent().unwrap()]).open(&spec, &stop).unwrap();
    let start = super::super::paced::now();
    for n in 0..10 {
        assert!(source.next_unit().unwrap().is_some());
        assert!(start.elapsed() >= Duration::from_millis(33 * n));
    }
    stop.stop();
    assert!(matches!(source.next_unit(), Err(SourceError::Stopped)));
}
