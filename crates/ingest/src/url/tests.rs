use super::*;

fn parsed(word: &str) -> SourceUrl {
    word.parse().unwrap_or_else(|error| panic!("{word}: {error}"))
}

#[test]
fn every_kind_is_known_and_shown_without_secrets() {
    let cases = [
        ("rtsp://canary:canary@host:8554/a?canary", SourceKind::Rtsp, "rtsp://host:8554/a?..."),
        ("RTSPS://host/a", SourceKind::Rtsp, "rtsps://host/a"),
        ("http://canary:canary@host/a.mp4?canary#canary", SourceKind::Http, "http://host/a.mp4?..."),
        ("https://host/token=canary/a.ts", SourceKind::Http, "https://host/.../a.ts"),
        ("HTTPS://[::1]:8443/", SourceKind::Http, "https://[::1]:8443/"),
        ("https://canary@host/a/live.M3U8?canary", SourceKind::Hls, "https://host/a/live.M3U8?..."),
        ("http://host/list.m3u", SourceKind::Hls, "http://host/list.m3u"),
        ("hls+https://host/live?canary", SourceKind::Hls, "hls+https://host/live?..."),
        ("HLS+http://host/live", SourceKind::Hls, "HLS+http://host/live"),
        ("http://host/m3u8", SourceKind::Http, "http://host/m3u8"),
        ("file:///media/a%20b.mp4", SourceKind::File, "file:///media/a%20b.mp4"),
        ("/media/a b#?%.mp4", SourceKind::File, "file:///media/a%20b%23%3F%25.mp4"),
        ("device:/dev/video0", SourceKind::Device, "device:/dev/video0"),
        ("frames:door-1", SourceKind::Frames, "frames:door-1"),
        ("synthetic:", SourceKind::Synthetic, "synthetic:"),
        ("publish:cam1", SourceKind::Publish, "publish:cam1"),
        ("Synthetic:?fps=1", SourceKind::Synthetic, "Synthetic:?fps=1"),
    ];
    for (word, kind, shown) in cases {
        let url = parsed(word);
        assert_eq!((url.kind(), url.to_string().as_str()), (kind, shown), "{word}");
        assert_eq!(format!("{url:?}"), shown);
        let json = serde_json::to_string(&url).unwrap();
        assert_eq!(serde_json::from_str::<SourceUrl>(&json).unwrap(), url, "{word}");
        assert_eq!(parsed(url.expose()), url);
    }
}

#[test]
fn paths_are_those_that_were_written() {
    let cases = [
        ("file:///a/b.mp4", "/a/b.mp4"),
        ("FILE:///a/%C3%A4%20.mp4", "/a/ä .mp4"),
        ("/a/ä %41?.mp4", "/a/ä %41?.mp4"),
        ("/a/../b.mp4", "/b.mp4"),
        ("file:///a/%2e%2e/b.mp4", "/b.mp4"),
    ];
    for (word, path) in cases {
        assert_eq!(parsed(word).file(), Some(Path::new(path)), "{word}");
    }
    assert_eq!(parsed("http://host/a").file(), None);
}

/// Each for its reason, of which nothing is secret.
fn refused(words: &[(&str, &str)]) {
    for (word, expected) in words {
        let error = word.parse::<SourceUrl>().expect_err(word);
        assert!(error.to_string().contains(expected), "{word}: {error}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{word}: {error}");
        let json = serde_json::to_string(word).unwrap();
        let error = serde_json::from_str::<SourceUrl>(&json).expect_err(word);
        assert!(!error.to_string().contains("canary"), "{word}: {error}");
    }
}

#[test]
fn what_is_no_place_is_refused_without_being_repeated() {
    let long = format!("http://host/{}", "a".repeat(MOST_BYTES));
    let words = [
        ("", "is empty"),
        (&long, "longer than 2048 bytes"),
        ("http://host/canary\n", "control characters"),
        ("http://ho\tst/canary", "control characters"),
        ("file:///canary%00", "control characters"),
        (" rtsp://host/canary", "blank"),
        ("canary.mp4", "no URL of media"),
        ("./canary.mp4", "no URL of media"),
        ("canary:canary@host", "no URL of media"),
        ("rtspu://canary@host/", "no URL of media"),
        ("ftp://canary@host/", "no URL of media"),
        ("concat:canary|canary", "no URL of media"),
        ("data:canary", "no URL of media"),
        ("://canary", "no URL of media"),
        ("rtsp:canary", "names no host"),
        ("rtsp:///canary", "host"),
        ("rtsp://canary:ca#nary@host/", "rtsp://user:password@host"),
        ("hls+canary://host/", "no URL of media"),
        ("hls+http:canary", "http://user:password@host"),
        ("http:canary", "http://user:password@host"),
        ("http://", "http://user:password@host"),
        ("http://canary:canary@/x", "http://user:password@host"),
        ("http://host:99999/canary", "http://user:password@host"),
        ("file:canary", "file:///absolute/path"),
        ("file://host/canary", "file:///absolute/path"),
        ("file:///a?canary", "as %3F and %23"),
        ("file:///a#canary", "as %3F and %23"),
        ("file:///a/..%2fcanary", "'..'"),
        ("frames:", "write frames:"),
        ("frames://canary", "write frames:"),
        ("frames:canary?", "write frames:"),
        ("synthetic", "no URL of media"),
        ("publish:", "a stream id is empty"),
        ("publish:canary/canary", "the stream's key"),
        ("publish:canary?secret=canary", "the stream's key"),
        ("synthetic://canary", "synthetic:?size="),
        ("synthetic:canary", "synthetic:?size="),
        ("synthetic:?", "synthetic:?size="),
        ("synthetic:?canary=1", "synthetic:?size="),
        ("synthetic:?motion=canary", "synthetic:?size="),
        ("synthetic:?fps=1&fps=1", "given twice"),
        ("synthetic:?fps=0", "fps is"),
        ("synthetic:?fps=61", "fps is"),
        ("synthetic:?fps=nan", "fps is"),
        ("synthetic:?size=640", "size is"),
        ("synthetic:?size=641x360", "size is"),
        ("synthetic:?size=0x0", "size is"),
        ("synthetic:?size=99999x2", "size is"),
        ("synthetic:?frames=0", "frames is"),
        ("synthetic:?frames=-1", "frames is"),
    ];
    refused(&words);
}

#[test]
fn options_of_the_synthetic_camera() {
    let options = |word: &str| match parsed(word).place {
        Place::Synthetic(options) => options,
        _ => panic!("{word}"),
    };
    assert_eq!(options("synthetic:"), SyntheticOptions::default());
    let all = options("synthetic:?size=1280x720&fps=30000/1001&motion=visits&frames=7");
    assert_eq!((all.size, all.motion, all.frames), ((1280, 720), Motion::Visits, Some(7)));
    assert_eq!((all.rate.num(), all.rate.den()), (30_000, 1001));
}

#[test]
fn options_of_a_camera() {
    let options = |word: &str| match parsed(word).place {
        Place::Device(options) => options,
        _ => panic!("{word}"),
    };
    let plain = DeviceOptions { path: "/dev/video0".into(), size: None, rate: None, format: None };
    assert_eq!(options("device:/dev/video0"), plain);
    let all = options("device:/dev/v4l/by-id/usb-A_B-video-index0?size=1280x720&fps=30000/1001&format=yuyv");
    assert_eq!(all.path, Path::new("/dev/v4l/by-id/usb-A_B-video-index0"));
    assert_eq!((all.size, all.format), (Some((1280, 720)), Some(DeviceFormat::Yuyv)));
    assert_eq!(all.rate.map(|rate| (rate.num(), rate.den())), Some((30_000, 1001)));
}

#[test]
fn no_other_device_is_a_camera() {
    refused(&[
        ("device:", "write device:"),
        ("device:canary", "write device:"),
        ("device:/etc/passwd", "write device:"),
        ("device:/dev/sda", "write device:"),
        ("device:/dev/video0/../sda", "write device:"),
        ("device:/dev/video12345", "write device:"),
        ("device:/dev/v4l/by-id/../../sda", "write device:"),
        ("device:/dev/v4l/by-id/.", "write device:"),
        ("device:/dev/video0?", "write device:"),
        ("device:/dev/video0?canary=1", "write device:"),
        ("device:/dev/video0?format=canary", "write device:"),
        ("device:/dev/video0?fps=1&fps=1", "given twice"),
        ("device:/dev/video0?fps=0", "fps is"),
        ("device:/dev/video0?size=1280", "size is"),
        ("device:/dev/video0?size=8x8", "size is"),
    ]);
}
