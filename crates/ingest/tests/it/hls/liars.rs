//! Playlists that lie: each is told what is wrong, soon, and nothing that they name is touched.

use std::net::TcpListener;

use ocelli_ingest::{
    Fault, SourceError,
    pull::{HlsError, HttpError},
};
use ocelli_net::DownloadError;

use super::{impatient, list, open, options, refused, segmented, serve, url};
use crate::{
    look::drain,
    web::{Answer, Then, Web, answer, stream},
};

/// A list of these lines, and the end.
fn lines(lines: &str) -> String {
    format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n{lines}\n#EXT-X-ENDLIST\n")
}

/// A server of a list with this text, and of the same answer to whatever else is asked.
fn naming(text: String, other: impl Fn() -> Answer + Send + Sync + 'static) -> Web {
    Web::serve(move |head, _| if head.starts_with("GET /list.m3u8") { list(&text) } else { other() })
}

/// What becomes of a playlist with this text.
fn ending(text: String) -> SourceError {
    let server = naming(text, || answer("200 OK", "", &b"GIF89a, not a video".repeat(20)));
    refused(&url(&server, "list.m3u8"), impatient())
}

#[test]
fn addresses_that_are_not_allowed_are_not_touched() {
    // Another loopback address than the one that is allowed; nobody may come there.
    let forbidden = TcpListener::bind("127.0.0.2:0").unwrap();
    forbidden.set_nonblocking(true).unwrap();
    let place = format!("http://{}/a.ts?canary", forbidden.local_addr().unwrap());
    let named = [
        lines(&format!("#EXTINF:1,\n{place}")),
        lines(&format!("#EXT-X-MAP:URI=\"{place}\"\n#EXTINF:1,\na.m4s")),
        format!("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{place}\n"),
        lines("#EXTINF:1,\nhttp://169.254.169.254/latest/meta-data?canary"),
        lines("#EXTINF:1,\nhttp://[::1]:1/?canary"),
    ];
    for text in named {
        let error = ending(text.clone());
        assert!(
            matches!(error, SourceError::Http(HttpError::Fetch(DownloadError::Address { .. }))),
            "{text}: {error:?}"
        );
        assert_eq!(error.fault(), Fault::Caller);
    }
    // By way of a redirect too.
    let place = place.clone();
    let away = move || answer("302 Found", &format!("Location: {place}\r\n"), b"");
    let server = naming(lines("#EXTINF:1,\na.ts"), away);
    let error = refused(&url(&server, "list.m3u8"), impatient());
    assert!(matches!(error, SourceError::Http(HttpError::Fetch(DownloadError::Address { .. }))), "{error:?}");
    assert_eq!(forbidden.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "somebody came");
}

/// Whether it is the error that was expected.
type Expected = fn(&HlsError) -> bool;

#[test]
fn what_is_no_media_of_http_is_told_apart() {
    let cases: Vec<(String, Expected)> = vec![
        (lines("#EXTINF:1,\nfile:///etc/canary"), |error| matches!(error, HlsError::Address)),
        (lines("#EXTINF:1,\ndata:video/mp2t;base64,canary"), |error| matches!(error, HlsError::Address)),
        (lines("#EXTINF:1,\nconcat:canary|canary"), |error| matches!(error, HlsError::Address)),
        (lines("#EXTINF:1,\na.ts"), |error| matches!(error, HlsError::Segment(_))),
        (lines("#EXT-X-MAP:URI=\"i\"\n#EXTINF:1,\na.m4s"), |error| matches!(error, HlsError::Segment(_))),
        (lines("#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:1,\na.ts"), |error| {
            error.to_string().contains("AES-128")
        }),
        (lines("#EXT-X-KEY:METHOD=CANARY\x1b\n#EXTINF:1,\na.ts").replace("CANARY", "canary"), |error| {
            matches!(error, HlsError::Encrypted(_))
        }),
        (lines(""), |error| matches!(error, HlsError::NoSegments)),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlist.m3u8\n".to_owned(), |error| {
            matches!(error, HlsError::Nested)
        }),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"mp4a.40.2\"\nx\n".to_owned(), |error| {
            matches!(error, HlsError::NoVariant)
        }),
        ("<html>canary</html>".to_owned(), |error| matches!(error, HlsError::Playlist(_))),
        (lines("#EXTINF:1,\n#EXT-X-BYTERANGE:5@5\na.ts"), |error| matches!(error, HlsError::NoRanges)),
    ];
    for (text, expected) in cases {
        match ending(text.clone()) {
            SourceError::Hls(error) => assert!(expected(&error), "{text}: {error:?}"),
            error => panic!("{text}: {error:?}"),
        }
    }
}

#[test]
fn a_page_in_place_of_a_segment_ends_it() {
    let (folder, _) = segmented(0, &[]);
    let server = serve(folder.path(), |path, _| {
        (path == "list2.ts")
            .then(|| answer("200 OK", "Content-Type: text/html; charset=utf-8\r\n", b"<html>canary</html>"))
    });
    let (units, error) = drain(&mut open(&url(&server, "list.m3u8"), options()).unwrap());
    assert!((55..=60).contains(&units.len()), "{}", units.len());
    let Some(SourceError::Hls(error)) = error else { panic!("{error:?}") };
    assert_eq!(error.to_string(), "a segment is neither MPEG-TS nor fragmented MP4, but a page");
    assert_eq!(error.fault(), Fault::Server);
}

#[test]
fn what_does_not_end_is_ended() {
    let circle = Web::serve(|_, n| answer("302 Found", &format!("Location: /{n}.m3u8\r\n"), b""));
    let error = refused(&url(&circle, "list.m3u8"), impatient());
    assert!(
        matches!(error, SourceError::Http(HttpError::Fetch(DownloadError::Redirect { .. }))),
        "{error:?}"
    );
    assert!(circle.heads().len() < 10);
    // A list without an end, as fast as it is taken, and drop by drop.
    let flood = Web::serve(|_, _| stream(b"#EXTM3U\n", Then::Flood(b"#EXTINF:1,\na.ts\n".repeat(1000))));
    let error = refused(&url(&flood, "list.m3u8"), options());
    assert!(matches!(error, SourceError::Hls(HlsError::Playlist(_))), "{error:?}");
    let drip = Web::serve(|_, _| stream(b"#EXTM3U\n", Then::Drip(b"#".to_vec())));
    let error = refused(&url(&drip, "list.m3u8"), impatient());
    assert!(matches!(error, SourceError::Http(HttpError::Stalled(_))), "{error:?}");
    let silent = Web::serve(|_, _| stream(b"", Then::Hold));
    let error = refused(&url(&silent, "list.m3u8"), impatient());
    assert!(matches!(error, SourceError::Http(HttpError::Stalled(_))), "{error:?}");
    // Sections and segments without one.
    let sections = || stream(b"\0\0\0\x08ftyp", Then::Flood(vec![0; 1 << 16]));
    let flood = naming(lines("#EXT-X-MAP:URI=\"i\"\n#EXTINF:1,\na.m4s"), sections);
    let error = refused(&url(&flood, "list.m3u8"), options());
    assert!(matches!(error, SourceError::Hls(HlsError::LargeMap)), "{error:?}");
    let packets = || stream(b"G", Then::Flood(b"\x1f\xff\x10".repeat(5000)));
    let flood = naming(lines("#EXTINF:1,\na.ts"), packets);
    refused(&url(&flood, "list.m3u8"), impatient());
}
