//! The binary as the child that reads and decodes untrusted media.

use std::{ops::ControlFlow, path::Path};

use ocelli_engine::{JpegWork, Report, Seen, Settings, Watch, run};
use ocelli_ingest::{
    child::{ChildCommand, ChildLimits, ChildSource, WORD, video_info},
    pull::Stop,
};
use ocelli_testkit::{Clip, zoo};

use crate::{args, frames::frames, ocelli::ocelli};

fn command() -> ChildCommand {
    ChildCommand::new(env!("CARGO_BIN_EXE_ocelli"), [WORD.into()])
}

/// JPEGs of a file that a child decodes; `watched` is told each.
fn extracted(path: &Path, mut watched: impl FnMut(&ChildSource)) -> (Vec<Vec<u8>>, Report) {
    let mut source = ChildSource::open(path, &command(), &Stop::default()).unwrap();
    watched(&source);
    let mut jpegs = Vec::new();
    let settings = Settings::new("5".parse().unwrap());
    let mut work = JpegWork::new(85).unwrap();
    let report = run(&mut source, settings, std::slice::from_mut(&mut work), &Watch::default(), |notice| {
        if let Some(Seen { result: Ok(jpeg), .. }) = notice.into_frame() {
            jpegs.push(jpeg);
        }
        ControlFlow::Continue(())
    });
    (jpegs, report.unwrap())
}

/// What the engine makes of an upload is what `ocelli extract`, which trusts what its user names, makes of the same file.
#[test]
fn frames_are_the_same_whoever_decodes() {
    let dir = tempfile::tempdir().unwrap();
    for (index, (name, clip)) in zoo::all(60).into_iter().step_by(4).enumerate() {
        let path = clip.cached();
        let out = dir.path().join(index.to_string());
        ocelli(args!["extract", path, "--fps", "5", "--out", out]).whole();
        let expected: Vec<_> = frames(&out).into_iter().map(|frame| frame.jpeg).collect();
        let (found, report) = extracted(&path, |_| ());
        assert_eq!(found.len(), expected.len(), "{name}");
        assert!(found == expected, "{name}");
        assert_eq!(report.damage, None, "{name}");
    }
}

#[test]
fn a_child_that_dies_ends_its_run_and_nothing_else() {
    let path = Clip::new(192, 128).frames(600).params("keyint=15").cached();
    let (jpegs, report) = extracted(&path, |source| {
        let killed =
            std::process::Command::new("kill").args(["-KILL", &source.process_id().to_string()]).status();
        assert!(killed.unwrap().success());
    });
    assert_eq!(jpegs.len(), 0);
    let damage = report.damage.expect("it is told");
    assert!(damage.contains("the process that decodes the video died of signal 9"), "{damage}");
    // The next upload has a child of its own.
    assert_eq!(extracted(&path, |_| ()).0.len(), 101, "slots from 0 to 20 s");
}

#[test]
fn a_video_is_described_and_limits_hold() {
    let path = Clip::new(192, 128).frames(60).cached();
    let info = video_info(&path, &command(), &Stop::default()).unwrap();
    assert_eq!((info.codec.as_str(), info.width, info.height), ("h264", 192, 128));
    let limits = ChildLimits { memory_bytes: 64 << 10, ..ChildLimits::default() };
    let error = video_info(&path, &command().with_limits(limits), &Stop::default()).unwrap_err();
    assert!(error.to_string().contains("needed more memory than its"), "{error}");
}

#[test]
fn started_by_hand_it_does_nothing() {
    let ran = ocelli(args![WORD]);
    assert_eq!((ran.code, ran.stdout.len(), ran.stderr.as_str()), (2, 0, ""));
    // Not a word of the command line.
    assert!(!String::from_utf8(ocelli(args!["--help"]).stdout).unwrap().contains(WORD));
}
