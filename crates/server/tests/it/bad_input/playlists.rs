//! Files that name other files or hosts: none of these is opened.

use std::{io::ErrorKind, net::TcpListener};

use ocelli_testkit::{Clip, Container};

use super::unusable;
use crate::ocelli::file;

#[test]
fn no_file_is_opened_on_the_word_of_another() {
    let dir = tempfile::tempdir().unwrap();
    // A real video stands beside it, and would be found.
    let clip = Clip::new(192, 128).container(Container::Ts);
    let video = file(dir.path(), "video.ts", &std::fs::read(clip.cached()).unwrap());
    let full = video.display();
    let hls = |name: &str| format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{name}\n#EXT-X-ENDLIST\n");
    let dash = format!(
        "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" mediaPresentationDuration=\"PT2S\" profiles=\"urn:mpeg:dash:profile:isoff-main:2011\"><Period><AdaptationSet mimeType=\"video/mp2t\"><Representation id=\"0\" bandwidth=\"1\"><BaseURL>file://{full}</BaseURL><SegmentList><SegmentURL media=\"video.ts\"/></SegmentList></Representation></AdaptationSet></Period></MPD>\n"
    );
    let cases = [
        ("list.m3u8", hls("video.ts")),
        ("list.m3u", hls(&full.to_string())),
        ("list.mp4", hls(&format!("file://{full}"))),
        ("list.ffconcat", "ffconcat version 1.0\nfile video.ts\n".to_owned()),
        ("list.avi", format!("ffconcat version 1.0\nfile '{full}'\n")),
        ("list.txt", format!("# a comment first\nffconcat version 1.0\nfile '{full}'\n")),
        ("list.mpd", dash),
        ("list.xml", format!("<smil><body><video src=\"{full}\"/></body></smil>")),
        ("list.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n".to_owned()),
    ];
    for (name, text) in cases {
        unusable(&file(dir.path(), name, text.as_bytes()), &[name]);
    }
}

#[test]
fn no_host_is_called_on_the_word_of_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let host = listener.local_addr().unwrap();
    let cases = [
        (
            "list.m3u8",
            format!("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://{host}/video.ts\n#EXT-X-ENDLIST\n"),
        ),
        (
            "key.m3u8",
            format!(
                "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-KEY:METHOD=AES-128,URI=\"http://{host}/key\"\n#EXTINF:2,\nvideo.ts\n"
            ),
        ),
        ("list.ffconcat", format!("ffconcat version 1.0\nfile 'http://{host}/video.ts'\n")),
        (
            "list.sdp",
            format!(
                "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\na=control:rtsp://{host}/x\nm=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
            ),
        ),
        ("list.rtsp", format!("[Reference]\nRef1=http://{host}/video.ts\n")),
        (
            "list.mpd",
            format!(
                "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" mediaPresentationDuration=\"PT2S\"><Period><AdaptationSet mimeType=\"video/mp4\"><Representation id=\"0\" bandwidth=\"1\"><BaseURL>http://{host}/video.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>\n"
            ),
        ),
    ];
    for (name, text) in cases {
        unusable(&file(dir.path(), name, text.as_bytes()), &[name]);
        let called = listener.accept().expect_err("nobody calls");
        assert_eq!(called.kind(), ErrorKind::WouldBlock, "{name}");
    }
}
