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
