//! Files cut short and files with flipped bits.

use std::path::PathBuf;

use ocelli_testkit::{Clip, ClipCodec, Container, fault};

use super::{Found, look, partial, unusable};
use crate::{
    args,
    frames::frames,
    ocelli::{file, ocelli},
};

fn bytes(clip: &Clip) -> Vec<u8> {
    std::fs::read(clip.cached()).unwrap()
}

fn clip(container: Container) -> Clip {
    Clip::new(192, 128).frames(60).container(container).params("keyint=15")
}

#[test]
fn nothing_or_next_to_nothing() {
    let dir = tempfile::tempdir().unwrap();
    unusable(&file(dir.path(), "empty.mp4", b""), &["empty.mp4", "empty"]);
    for container in [Container::Mp4, Container::Ts, Container::Mkv] {
        let bytes = bytes(&clip(container));
        for keep in [1, 7, 100, 187, 400] {
            unusable(&file(dir.path(), "stub", &bytes[..keep]), &["stub"]);
        }
    }
}

#[test]
fn an_mp4_without_its_index_is_unusable() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = bytes(&clip(Container::Mp4));
    for percent in [10, 50, 95] {
        unusable(&file(dir.path(), "cut.mp4", &bytes[..bytes.len() * percent / 100]), &["cut.mp4"]);
    }
}

#[test]
fn what_was_there_before_the_cut_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let containers = [
        ("mp4", clip(Container::Mp4).options(&["-movflags", "+faststart"])),
        ("mkv", clip(Container::Mkv)),
        ("ts", clip(Container::Ts)),
        ("avi", Clip::new(192, 128).frames(60).codec(ClipCodec::Mpeg4).container(Container::Avi)),
        ("webm", Clip::new(192, 128).frames(60).codec(ClipCodec::Vp9).container(Container::WebM)),
    ];
    for (name, clip) in containers {
        let bytes = bytes(&clip);
        for percent in [36, 60, 97] {
            let path =
                file(dir.path(), &format!("cut-{percent}.{name}"), &bytes[..bytes.len() * percent / 100]);
            partial(&path, "all", 60 * percent / 100 / 2);
        }
    }
}

/// Most decoders notice that bytes are missing, some only their own; in no case is half a picture given out.
#[test]
fn a_cut_file_gives_whole_pictures_only() {
    let dir = tempfile::tempdir().unwrap();
    let extract = |input: PathBuf| {
        let out = dir.path().join("frames");
        let ran = ocelli(args!["extract", input, "--fps", "all", "--out", out, "--overwrite"]);
        (ran, frames(&out))
    };
    let faststart = ["-movflags", "+faststart"];
    let cases = [
        (ClipCodec::X264, Container::Ts),
        (ClipCodec::Mpeg2, Container::Ts),
        (ClipCodec::X264, Container::Mp4),
        (ClipCodec::X265, Container::Mp4),
        (ClipCodec::Mpeg4, Container::Mp4),
        (ClipCodec::X265, Container::Mkv),
        (ClipCodec::Mpeg4, Container::Avi),
        (ClipCodec::Mjpeg, Container::Avi),
        (ClipCodec::Vp9, Container::WebM),
        (ClipCodec::X265, Container::Ts),
    ];
    for (codec, container) in cases {
        let clip = Clip::new(192, 128).frames(60).codec(codec).container(container);
        let clip = if container == Container::Mp4 { clip.options(&faststart) } else { clip };
        let (bytes, mut noticed) = (bytes(&clip), 0);
        let (_, whole) = extract(clip.cached());
        for percent in (20..100).step_by(8) {
            let path = file(dir.path(), "cut", &bytes[..bytes.len() * percent / 100]);
            let (ran, found) = extract(path);
            let name = format!("{codec:?} in {container:?} cut at {percent} %");
            assert!(found.iter().all(|frame| whole.contains(frame)), "{name}: {ran:?}");
            assert!(found.len() >= 60 * percent / 100 / 3, "{name}: {} frames", found.len());
            noticed += usize::from(ran.code == 1);
        }
        // A cut between two pictures may look like an end.
        assert!(noticed >= 8, "{codec:?} in {container:?}: {noticed} of 10 cuts are noticed");
    }
}

/// Whatever is flipped: no more than one line, valid outputs, bounded memory. Exit code 0 is right where the flip is in bytes that
/// say nothing, or changes pixels in a way that no decoder can know.
#[test]
fn flipped_bits() {
    let dir = tempfile::tempdir().unwrap();
    let clips = [
        clip(Container::Mp4),
        clip(Container::Ts),
        clip(Container::Mkv),
        Clip::new(192, 128).frames(60).codec(ClipCodec::X265).container(Container::Mp4),
        Clip::new(192, 128).frames(60).codec(ClipCodec::Mpeg4).container(Container::Avi),
        Clip::new(192, 128).frames(60).codec(ClipCodec::Av1).container(Container::Mkv),
    ];
    for clip in clips {
        let path = clip.cached();
        let bytes = bytes(&clip);
        let extension = path.extension().unwrap().to_str().unwrap();
        // All over, in the head, and in the index at the end of an MP4.
        let ranges = [0..bytes.len(), 0..800, bytes.len() - 1500..bytes.len()];
        for (seed, range) in (0..).zip(ranges) {
            let name = format!("flipped-{seed}.{extension}");
            let path: PathBuf = file(dir.path(), &name, &fault::flip_bits(&bytes, seed, 20, range));
            for Found { ran, count } in look(&path, "10") {
                assert!(ran.stderr.lines().count() <= 1, "{}", ran.stderr);
                assert_eq!(ran.code == 0, ran.stderr.is_empty(), "{ran:?}");
                assert!(ran.code != 2 || count == 0, "{}", ran.stderr);
            }
        }
    }
}

#[test]
fn flipped_pictures_are_partial() {
    let dir = tempfile::tempdir().unwrap();
    for container in [Container::Ts, Container::Mkv] {
        let bytes = bytes(&clip(container));
        for seed in 0..2 {
            let flipped = fault::flip_bits(&bytes, seed, 40, bytes.len() / 4..bytes.len());
            partial(&file(dir.path(), "flipped", &flipped), "all", 5);
        }
    }
}
