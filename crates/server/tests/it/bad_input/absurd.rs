//! Sizes and times at the edge of what a format can say.

use std::path::{Path, PathBuf};

use ocelli_testkit::{Clip, ClipCodec, Container, fault, ts};

use super::{Found, look, partial};
use crate::ocelli::file;

/// Everything is found, silently.
fn whole(input: &Path, fps: &str, count: usize) {
    for found in look(input, fps) {
        assert_eq!(found.count, count, "{}", input.display());
        found.ran.whole();
    }
}

#[test]
fn pictures_of_a_few_pixels() {
    for (width, height) in [(2, 2), (16, 2), (2, 64), (1, 1), (33, 1)] {
        for codec in [ClipCodec::Mpeg4, ClipCodec::Mjpeg] {
            let clip = Clip::new(width, height).frames(5).codec(codec).container(Container::Mkv);
            whole(&clip.cached(), "all", 5);
        }
    }
    whole(&Clip::new(2, 2).frames(5).cached(), "all", 5);
}

fn bytes(clip: &Clip) -> Vec<u8> {
    std::fs::read(clip.cached()).unwrap()
}

/// Media time that jumps to and fro by hours: each piece is a run, and every picture is found.
#[test]
fn times_that_jump() {
    let piece = |start: i64| {
        bytes(
            &Clip::new(192, 128)
                .frames(20)
                .container(Container::Ts)
                .timestamps(90_000, &(0..20).map(|n| n * 3000).collect::<Vec<_>>())
                .start_pts(start),
        )
    };
    let parts = [126_000, 4_000_000_000, 200_000, 8_000_000_000, 126_000].map(piece);
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path(), "jumps.ts", &ts::join(&parts));
    for Found { ran, count } in look(&path, "all") {
        assert!(count >= 95, "{count} of 100: {}", ran.stderr);
        assert!(ran.code <= 1 && ran.stderr.lines().count() <= 1, "{ran:?}");
    }
}

/// One PTS after another replaced by the largest that 33 bits hold, in place.
fn wild_times(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    // PES header with PTS and DTS, or PTS alone: 00 00 01 E0 .. .. 8. 80/C0 length time (ISO 13818-1, 2.4.3.6).
    let starts: Vec<usize> =
        (0..bytes.len() - 14).filter(|&at| bytes[at..].starts_with(&[0, 0, 1, 0xE0])).collect();
    for at in starts.into_iter().step_by(7).skip(1) {
        bytes[at + 9] |= 0x0E;
        bytes[at + 10..at + 14].copy_from_slice(&[0xFF; 4]);
    }
    bytes
}

#[test]
fn times_that_are_wild() {
    let clip = Clip::new(192, 128).frames(60).container(Container::Ts).params("keyint=10");
    let dir = tempfile::tempdir().unwrap();
    let wild: PathBuf = file(dir.path(), "wild.ts", &wild_times(&bytes(&clip)));
    for fps in ["all", "1", "1000"] {
        for Found { ran, count } in look(&wild, fps) {
            assert!(ran.code <= 1 && ran.stderr.lines().count() <= 1, "{ran:?}");
            assert!(count > 0, "{fps}: {}", ran.stderr);
        }
    }
}

/// A pause of a year in one file costs neither time nor memory, however fine the slots.
#[test]
fn a_pause_of_a_year() {
    let year = 365 * 86_400 * 1000;
    let pts: Vec<i64> = (0..20).map(|n| n * 40 + if n < 10 { 0 } else { year }).collect();
    let clip = Clip::new(192, 128)
        .container(Container::Mkv)
        .timestamps(1000, &pts)
        .params("keyint=10:scenecut=0:bframes=0");
    for fps in ["all", "1000"] {
        whole(&clip.cached(), fps, 20);
    }
    // Nine seconds are one run, with empty slots.
    let pts: Vec<i64> = (0..20).map(|n| n * 40 + if n < 10 { 0 } else { 9000 }).collect();
    whole(&clip.timestamps(1000, &pts).cached(), "100000", 20);
}

#[test]
fn a_size_that_lies_is_bounded() {
    // The sequence parameter set claims another size, or nonsense: the decoder may refuse, nothing is allocated without bound.
    let clip = Clip::new(192, 128).frames(30).container(Container::Ts).params("keyint=5");
    let bytes = bytes(&clip);
    let dir = tempfile::tempdir().unwrap();
    let sps: Vec<usize> =
        (0..bytes.len() - 5).filter(|&at| bytes[at..].starts_with(&[0, 0, 1, 0x67])).collect();
    for seed in 0..6 {
        let at = sps[0] + 4;
        let path = file(dir.path(), "lies.ts", &fault::flip_bits(&bytes, seed, 4, at..at + 16));
        for Found { ran, .. } in look(&path, "5") {
            assert!(ran.stderr.lines().count() <= 1, "{}", ran.stderr);
        }
    }
    partial(
        &file(dir.path(), "gap.ts", &fault::remove(&bytes, bytes.len() / 2..bytes.len() / 2 + 5000)),
        "all",
        5,
    );
}
