//! `ocelli models` and `ocelli doctor`: what is here, what is broken, what mends it.

use std::{fs, os::unix::fs::symlink, path::Path};

use crate::{
    args,
    ocelli::{Ran, after, file, home, ocelli, ran},
};

fn at(home: &Path, args: &[std::ffi::OsString]) -> Ran {
    ran(after("", args).env("OCELLI_HOME", home))
}

fn text(ran: &Ran) -> &str {
    str::from_utf8(&ran.stdout).unwrap()
}

#[test]
fn models_that_are_here_are_intact() {
    if home().is_none() {
        return;
    }
    let listed = ocelli(args!["models", "list"]).whole();
    assert!(text(&listed).contains("(default)") && text(&listed).contains("here, "), "{}", text(&listed));
    let verified = ocelli(args!["models", "verify"]).whole();
    assert!(text(&verified).contains("sha256 "), "{}", text(&verified));
}

#[test]
fn a_bare_home() {
    let dir = tempfile::tempdir().unwrap();
    let listed = at(dir.path(), args!["models", "list"]).whole();
    assert!(text(&listed).contains("not here") && !text(&listed).contains("here, "), "{}", text(&listed));
    at(dir.path(), args!["models", "verify"]).refused(2, &["./dev setup"]);
    let doctor = at(dir.path(), args!["doctor"]);
    assert_eq!(doctor.code, 1);
    assert!(doctor.stderr.lines().all(|line| line.contains("to mend it: ")), "{}", doctor.stderr);
    for what in ["CPU", "FFmpeg", "decoders", "encoder", "OpenVINO", "model", "lock file", "disk"] {
        assert!(text(&doctor).contains(what), "{what} in {}", text(&doctor));
    }
}

#[test]
fn a_damaged_model_is_found_and_not_run() {
    let Some(real) = home() else { return };
    let dir = tempfile::tempdir().unwrap();
    let models = dir.path().join("models");
    fs::create_dir(&models).unwrap();
    symlink(real.join("runtimes"), dir.path().join("runtimes")).unwrap();
    let name = "ssdlite_mobilenet_v2_coco.onnx";
    let bytes = fs::read(real.join("models").join(name)).unwrap();
    let clip = ocelli_testkit::Clip::new(192, 128).cached();
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    for damaged in [&flipped[..], &bytes[..bytes.len() / 2], b"", b"no model"] {
        file(&models, name, damaged);
        let ran = at(dir.path(), args!["models", "verify"]).refused(2, &["checksum", "./dev setup"]);
        assert!(text(&ran).contains("another file (checksum)"), "{}", text(&ran));
        at(dir.path(), args!["analyze", clip]).refused(2, &["sha256", "./dev setup"]);
        assert_eq!(at(dir.path(), args!["doctor"]).code, 1);
    }
    file(&models, name, &bytes);
    at(dir.path(), args!["models", "verify"]).whole();
    let first = at(dir.path(), args!["analyze", clip, "--fps", "1"]).whole();
    let lock = fs::read(models.join("models.lock.json")).unwrap();
    let again = at(dir.path(), args!["analyze", clip, "--fps", "1"]).whole();
    assert_eq!(fs::read(models.join("models.lock.json")).unwrap(), lock, "chosen once");
    assert_eq!(crate::results::untimed(&first.stdout), crate::results::untimed(&again.stdout));
    file(&models, "models.lock.json", b"{");
    at(dir.path(), args!["analyze", clip]).refused(2, &["models.lock.json", "damaged"]);
}

#[test]
fn doctor_is_content_after_setup() {
    if home().is_none() {
        return;
    }
    let ran = ocelli(args!["doctor"]).whole();
    assert!(text(&ran).lines().all(|line| line.starts_with("ok ")), "{}", text(&ran));
}
