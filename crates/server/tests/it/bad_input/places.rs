//! Inputs that are no regular files, or may not be read.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use ocelli_testkit::Clip;

use super::unusable;
use crate::{
    args,
    ocelli::{bound, file, ran},
};

#[test]
fn names_of_anything_but_a_file() {
    let dir = tempfile::tempdir().unwrap();
    unusable(dir.path(), &["is a directory"]);
    unusable(&dir.path().join("missing.mp4"), &["missing.mp4", "No such file or directory"]);
    let taken = file(dir.path(), "taken", b"x");
    unusable(&taken.join("below.mp4"), &["below.mp4", "Not a directory"]);
    unusable("/dev/zero".as_ref(), &["not a regular file"]);
    unusable("/dev/null".as_ref(), &["not a regular file"]);
    let fifo = dir.path().join("pipe.mp4");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    unusable(&fifo, &["pipe.mp4", "not a regular file"]);
    std::os::unix::fs::symlink("nowhere", dir.path().join("link.mp4")).unwrap();
    unusable(&dir.path().join("link.mp4"), &["link.mp4", "No such file"]);
    let listener = std::os::unix::net::UnixListener::bind(dir.path().join("socket.mp4")).unwrap();
    unusable(&dir.path().join("socket.mp4"), &["not a regular file"]);
    drop(listener);
    for url in ["http://127.0.0.1:9/clip.mp4", "pipe:0", "rtsp://127.0.0.1:9/x", "-"] {
        unusable(url.as_ref(), &[url]);
    }
    // A file by its URL is that file.
    unusable("file:///etc/passwd".as_ref(), &["/etc/passwd", "not a video file"]);
}

#[test]
fn a_file_that_may_not_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let secret = file(dir.path(), "secret.mp4", &fs::read(Clip::new(192, 128).cached()).unwrap());
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o0)).unwrap();
    let out = dir.path().join("frames");
    for args in [args!["extract", secret, "--out", out] as &[_], args!["analyze", secret]] {
        let Some(mut command) = bound(dir.path(), args) else { return };
        ran(&mut command).refused(2, &["secret.mp4", "Permission denied"]);
    }
    assert!(!out.try_exists().unwrap());
}

#[test]
fn names_with_odd_bytes_are_names() {
    use std::os::unix::ffi::OsStrExt as _;
    let dir = tempfile::tempdir().unwrap();
    let bytes = fs::read(Clip::new(192, 128).frames(30).cached()).unwrap();
    for name in [&b"a b\n\"c\".mp4"[..], b"%04d.mp4", b"-x.mp4", b"\xff\xfe.mp4", b"a:b?c=d.mp4"] {
        let path = dir.path().join(std::ffi::OsStr::from_bytes(name));
        fs::write(&path, &bytes).unwrap();
        for found in super::look(&path, "1") {
            assert!(found.count >= 1, "{}", path.display());
            found.ran.whole();
        }
    }
}
