//! Files that are no video.

use ocelli_testkit::{clip, fault};

use super::{look, unusable};
use crate::ocelli::file;

#[test]
fn what_is_no_video_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| file(dir.path(), name, bytes);
    let words = "not a video at all, only some words that go on for a while\n".repeat(200);
    let mut archive = b"PK\x03\x04\x0a\0\0\0\0\0".to_vec();
    archive.extend([0; 40]);
    let cases: [(&str, &[u8]); 7] = [
        ("words.mp4", words.as_bytes()),
        ("script.sh", b"#!/bin/sh\ntouch /tmp/ocelli-was-here\n"),
        ("archive.zip", &archive),
        ("noise.ts", &fault::noise(3, 200_000)),
        ("zeros.mkv", &vec![0; 100_000]),
        ("program.avi", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0"),
        ("page.html", b"<html><body><video src=\"clip.mp4\"></video></body></html>"),
    ];
    for (name, bytes) in cases {
        unusable(&write(name, bytes), &[name, "not a video file"]);
    }
}

#[test]
fn sound_without_pictures_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    unusable(&clip::audio_only(dir.path()), &["holds no video"]);
}

/// FFmpeg reads pictures as videos of one frame, and so does this program: useful, and no damage.
#[test]
fn a_picture_is_a_video_of_one_frame() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["picture.png", "picture.jpg", "picture.bmp"] {
        let path = dir.path().join(name);
        let mut ffmpeg = std::process::Command::new("ffmpeg");
        ffmpeg.args(["-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc=s=96x64", "-frames:v", "1"]);
        assert!(ffmpeg.arg(&path).status().unwrap().success());
        for found in look(&path, "1") {
            assert_eq!(found.count, 1, "{name}");
            found.ran.whole();
        }
    }
}
