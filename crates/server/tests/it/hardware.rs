//! `--hwaccel` where the hardware is not there: software does the same work, and one line says so.

use ocelli_testkit::Clip;

use crate::{
    args,
    frames::frames,
    ocelli::{Ran, after, home, ocelli, ran, skipped},
    results::untimed,
};

/// A run whose hardware is hidden from it; `None`, and a word, where some is there all the same.
fn without(kind: &str, args: &[std::ffi::OsString]) -> Option<Ran> {
    let mut command = after("", args);
    command.args(["--hwaccel", kind]);
    command.envs([("CUDA_VISIBLE_DEVICES", "-1"), ("LIBVA_DRIVER_NAME", "none"), ("DISPLAY", "")]);
    let ran = ran(&mut command);
    if ran.code == 0 && ran.stderr.is_empty() {
        skipped(&format!("{kind} is there, so nothing falls back"));
        return None;
    }
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    Some(ran.says(&["decoding in software", kind]))
}

#[test]
fn frames_are_those_of_software_after_one_warning() {
    let clip = Clip::new(192, 128).frames(40).cached();
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    ocelli(args!["extract", clip, "--fps", "5", "--out", plain]).whole();
    for kind in ["cuda", "qsv", "vaapi"] {
        let out = folder.path().join(kind);
        if without(kind, args!["extract", clip, "--fps", "5", "--out", out]).is_some() {
            assert_eq!(frames(&out), frames(&plain), "{kind}");
        }
    }
}

#[test]
fn results_and_their_version_are_those_of_software() {
    if home().is_none() {
        return;
    }
    let clip = Clip::new(192, 128).frames(40).cached();
    let plain = ocelli(args!["analyze", clip, "--fps", "5"]).whole();
    for kind in ["cuda", "qsv", "vaapi"] {
        if let Some(ran) = without(kind, args!["analyze", clip, "--fps", "5"]) {
            assert_eq!(untimed(&ran.stdout), untimed(&plain.stdout), "{kind}");
        }
    }
}

#[test]
fn other_words_are_refused() {
    let refused = ocelli(&["extract", "a.mp4", "--out", "frames", "--hwaccel", "nvdec"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("give cuda, qsv or vaapi"), "{}", refused.stderr);
}
