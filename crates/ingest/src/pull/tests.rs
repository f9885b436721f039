//! What is refused before libav sees a byte, and what libav refuses.

use std::{fs, path::Path};

use super::FileSource;
use crate::SourceError;

fn refusal(path: &Path) -> String {
    match FileSource::open(path) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_is_no_file_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(refusal(folder.path()), "the input is a directory; name a file in it");
    assert_eq!(refusal(Path::new("/dev/null")), "the input is not a regular file");
    assert!(matches!(FileSource::open(&folder.path().join("none.mp4")), Err(SourceError::Open(_))));
    let empty = folder.path().join("empty.mp4");
    fs::write(&empty, []).unwrap();
    assert_eq!(refusal(&empty), "the input is empty");
}

#[test]
fn what_names_other_files_or_hosts_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let playlists = [
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"),
        ("list.ffconcat", "ffconcat version 1.0\nfile '/etc/passwd'\n"),
        (
            "list.sdp",
            "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
        ),
        ("list.sdp", "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n"),
        ("text.mp4", "not a video at all, only some words that go on for a little while\n"),
    ];
    for (name, text) in playlists {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        let refused = FileSource::open(&path).expect_err(name);
        assert_eq!(matches!(refused, SourceError::Playlist), name.starts_with("list"), "{name}: {refused}");
    }
}

#[test]
fn a_file_is_known_by_its_content() {
    let folder = tempfile::tempdir().unwrap();
    let clip = ocelli_testkit::Clip::new(192, 128).frames(30).cached();
    let copy = folder.path().join("copy.mp4");
    fs::copy(&clip, &copy).unwrap();
    let identity = |path: &Path| FileSource::open(path).unwrap().identify(|| false).unwrap().unwrap();
    let (one, other) = (identity(&clip), identity(&copy));
    assert_eq!(one, other);
    assert_eq!(one.bytes, fs::metadata(&clip).unwrap().len());
    let sum = std::process::Command::new("sha256sum").arg(&clip).output().unwrap().stdout;
    assert!(String::from_utf8(sum).unwrap().starts_with(&one.sha256));
    // Nothing is read twice or skipped for it, and another file under the name is not taken for it.
    let mut source = FileSource::open(&copy).unwrap();
    fs::remove_file(&copy).unwrap();
    fs::write(&copy, "another").unwrap();
    let mut units = 0;
    while crate::Source::next_unit(&mut source).unwrap().is_some() {
        units += 1;
        assert_eq!(source.identify(|| false).unwrap().unwrap(), one);
    }
    assert_eq!(units, 30);
    assert_eq!(source.identify(|| true).unwrap(), None, "stopped");
}
