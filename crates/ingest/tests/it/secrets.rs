//! User, password and query of a URL are in no message, whatever a server does with them.

use std::error::Error as _;

use ocelli_ingest::pull::RtspUrl;

use crate::{
    fake::{H264, Script, Then},
    look::{impatient, open},
};

const USER: &str = "canary-user";
const PASSWORD: &str = "canary-word";
const QUERY: &str = "key=canary-query";

fn silent(text: &str) {
    assert!(!text.contains("canary"), "{text}");
}

#[test]
fn servers_that_echo_secrets_do_not_make_us_repeat_them() {
    let echo = format!("{USER} {PASSWORD} {QUERY}");
    let asks = format!("WWW-Authenticate: Digest realm=\"{echo}\", nonce=\"y\"\r\n");
    let broken = H264.replace("a=control:video", &format!("a=control:rtsp://{USER}:{PASSWORD}@[/{QUERY}"));
    let scripts = [
        Script::refusing("401 canary-word", &asks),
        Script::refusing("500 canary-user canary-word", ""),
        Script::described(&broken, Vec::new(), Then::Hold),
        Script::described(&H264.replace("H264", "canary-word"), Vec::new(), Then::Hold),
        Script::described(&format!("x={echo}\r\n{echo}\r\n"), Vec::new(), Then::Hold),
        Script::described(H264, format!("{echo}\r\n\r\n").repeat(9).into_bytes(), Then::Hold),
        Script::described(H264, Vec::new(), Then::Close),
    ];
    for script in scripts {
        let server = script.serve();
        let url = format!("rtsp://{USER}:{PASSWORD}@127.0.0.1:{}/x?{QUERY}", server.port);
        let error = open(&url, impatient()).unwrap_err();
        silent(&format!("{error:?}"));
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = cause {
            silent(&error.to_string());
            assert!(!error.to_string().contains('\n') && error.to_string().len() < 400, "{error}");
            cause = error.source();
        }
        assert!(error.source().is_none() || !error.to_string().is_empty());
    }
}

#[test]
fn urls_are_shown_without_secrets() {
    let shown = |text: &str| {
        let url: RtspUrl = text.parse().unwrap();
        silent(&format!("{url:?}"));
        url.to_string()
    };
    let cases = [
        ("rtsp://host/stream", "rtsp://host/stream"),
        ("RTSP://host:8554/a/b", "rtsp://host:8554/a/b"),
        ("rtsp://canary:canary@host/a?canary=canary#canary", "rtsp://host/a?..."),
        ("rtsp://a:p%40canary@[fd00::1]:554/", "rtsp://[fd00::1]:554/"),
        ("rtsps://canary:canary@host/", "rtsps://host/"),
        ("rtsp://host/user=canary_password=canary_channel=1_stream=0.sdp", "rtsp://host/..."),
    ];
    for (text, expected) in cases {
        assert_eq!(shown(text), expected);
    }
}

#[test]
fn what_is_no_url_is_refused_without_being_repeated() {
    let words = [
        "rtsp://",
        "rtsp:///x",
        "rtsp://canary:canary@",
        "rtspu://canary@host/",
        "http://canary@host/",
        "rtsp://canary:ca#nary@host/",
        "rtsp://host:99999/canary",
        "canary",
    ];
    for word in words {
        let error = word.parse::<RtspUrl>().expect_err(word);
        silent(&error.to_string());
        silent(&format!("{error:?}"));
    }
    assert!(
        RtspUrl::is_meant("RTSPS://x") && !RtspUrl::is_meant("rtsp.mp4") && !RtspUrl::is_meant("http://x")
    );
}
