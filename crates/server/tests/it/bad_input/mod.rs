//! Input that is damaged, foreign, absurd or out of reach, through `extract` and `analyze`: one clear line, exit code 1
//! or 2, what was found is kept and valid.

mod absurd;
mod cut;
mod foreign;
mod places;
mod playlists;

use std::{ffi::OsString, path::Path};

use crate::{
    args,
    frames::{frames, numbers},
    ocelli::{Ran, home, ocelli},
    results::lines,
};

/// How one command ended, and how much it found.
#[derive(Debug)]
struct Found {
    ran: Ran,
    count: usize,
}

/// Both commands on one input, where the model is here, each checked for what must hold whatever the input.
fn look(input: &Path, fps: &str) -> Vec<Found> {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("frames");
    let ran = ocelli(args!["extract", input, "--fps", fps, "--out", out]);
    let count = if out.try_exists().unwrap() { frames(&out).len() } else { 0 };
    // A size of one pixel: only whether ffmpeg decodes each of them whole matters here.
    assert!(count == 0 || numbers(&out, (1, 1)).len() >= count);
    let mut found = vec![Found { ran, count }];
    if home().is_some() {
        let ran = ocelli(args!["analyze", input, "--fps", fps, "--instances", "1"]);
        let count = lines(&ran.stdout).len();
        found.push(Found { ran, count });
    }
    found
}

/// Neither command finds anything, and both say why.
fn unusable(input: &Path, words: &[&str]) {
    for Found { ran, count } in look(input, "all") {
        ran.refused(2, words);
        assert_eq!(count, 0, "{}", input.display());
    }
}

/// Both find something, of at least `least` frames, and say what is missing.
fn partial(input: &Path, fps: &str, least: usize) {
    let name: OsString = input.file_name().expect("a file").into();
    for Found { ran, count } in look(input, fps) {
        assert!(ran.code == 1 && count >= least, "{}: {count} of {least}, {ran:?}", input.display());
        ran.says(&[&name.to_string_lossy()]);
    }
}
