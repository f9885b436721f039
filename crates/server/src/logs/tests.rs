use std::{
    error::Error,
    io::{self, Write},
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tracing::{Level, error, error_span, info, info_span, subscriber::with_default, warn};
use tracing_subscriber::{
    fmt::time::{FormatTime, SystemTime},
    layer::SubscriberExt as _,
};

use super::{Lines, Redactor, Style};

/// Planted in everything that is logged; no line may show it.
const CANARY: &str = "c4narySings";

/// Keeps what is written.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is written while `log` runs.
fn written(style: Style, log: impl FnOnce()) -> String {
    timed(style, (), log)
}

fn timed(style: Style, time: impl FormatTime + Send + Sync + 'static, log: impl FnOnce()) -> String {
    let kept = Kept::default();
    let out = kept.clone();
    let lines = Lines { style, redactor: Redactor::new(), time, out: move || out.clone() };
    with_default(tracing_subscriber::registry().with(lines), log);
    let bytes = kept.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

fn json(log: impl FnOnce()) -> Vec<Value> {
    written(Style::Json, log).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_line_of_a_stream_names_it() {
    let log = || {
        let span = info_span!("stream", stream = "cam1", attempt = tracing::field::Empty);
        let in_stream = span.enter();
        info!("connecting");
        span.record("attempt", 2);
        error_span!("run", run = 7).in_scope(|| warn!(stream = "cam1", late_ms = 12.5, ok = false, "behind"));
        drop(in_stream);
        error!(target: "ocelli_api", level = "x", "no stream here");
    };
    let lines = json(log);
    assert_eq!(
        (&lines[0]["stream"], &lines[0]["message"], &lines[0]["level"]),
        (&"cam1".into(), &"connecting".into(), &"INFO".into())
    );
    let keys: Vec<&str> = lines[1].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys.len(), 9, "{keys:?}");
    assert_eq!((&lines[1]["run"], &lines[1]["attempt"]), (&7.into(), &2.into()));
    assert_eq!((&lines[1]["late_ms"], &lines[1]["ok"]), (&12.5.into(), &false.into()));
    assert_eq!(
        (lines[2].get("stream"), &lines[2]["field_level"], &lines[2]["level"]),
        (None, &"x".into(), &"ERROR".into())
    );
    let text = written(Style::Plain, log);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "  INFO ocelli::logs::tests: connecting stream=cam1");
    assert_eq!(
        lines[1],
        "  WARN ocelli::logs::tests: behind attempt=2 run=7 stream=cam1 late_ms=12.5 ok=false"
    );
    assert_eq!(lines[2], " ERROR ocelli_api: no stream here level=x");
}

#[test]
fn time_is_that_of_the_world_as_rfc_3339_has_it() {
    let text = timed(Style::Json, SystemTime, || info!("x"));
    let line: Value = serde_json::from_str(&text).unwrap();
    let time = line["timestamp"].as_str().unwrap();
    let shape: String = time.chars().map(|char| if char.is_ascii_digit() { '0' } else { char }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000000Z", "{time}");
}

/// Shapes that secrets come in; `%` is where the canary sits.
const SHAPES: [&str; 44] = [
    "rtsp://admin:%@camera/stream",
    "rtsp://admin:a@%@camera/stream",
    "rtsp://admin:a/%@camera:554/stream?x=1",
    "rtsp://%@camera/stream",
    "rtsp://admin:a %@camera/stream",
    "RTSPS://admin:%@camera",
    "cannot open 'rtsp://admin:%@camera/stream': refused",
    "(\"rtsp:\\/\\/admin:%@camera\")",
    "url=rtsp://u:%@h/1, other=rtsp://u:%@h/2",
    "Authorization: Basic %",
    "authorization: Digest username=\"admin\", realm=\"x\", response=\"%\"",
    "{\"authorization\": \"Bearer %\", \"host\": \"x\"}",
    "Proxy-Authorization: %",
    "Cookie: session=%",
    "(\"authorization\", \"Custom %\")",
    "Bearer %",
    "bearer%20%abcdef",
    "Basic dXNlcjpw%",
    "Digest username=\"admin\", nonce=\"%\"",
    "Digest realm=x, response=%",
    "token=%",
    "?token=%&x=1",
    "access_token: %",
    "refresh_token\": \"%\"",
    "{\"password\":\"%\"}",
    "{\\\"password\\\":\\\"a %\\\"}",
    "{\"password\" : \"a \\\" %\"}",
    "password='a %'",
    "password = %",
    "Password: %",
    "rtsp_password=%",
    "Login { user: \"a\", password: \"% and more\" }",
    "Login { password: Some(\"%\") }",
    "secret=\"%",
    "secret_key = x; client_secret=%",
    "api_key=%",
    "X-Api-Key: %",
    "apikey:%",
    "signature=%",
    "http://camera/snap.jpg?user=admin&pwd=%",
    "http://camera/snap.jpg?pass=%",
    "pwd%3D%",
    "ocl_%",
    "-----BEGIN EC PRIVATE KEY-----\nabc\n%",
];

#[test]
fn no_line_shows_the_canary() {
    let token = format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.{CANARY}");
    let shapes = SHAPES
        .map(|shape| shape.replacen("%3D%", "%3D\u{1}", 1).replace('%', CANARY).replace("%3D\u{1}", CANARY));
    let shapes = shapes.into_iter().zip(SHAPES).map(|(shape, raw)| match raw {
        // These two hold percent signs of their own.
        "bearer%20%abcdef" => format!("bearer%20{CANARY}abcdef"),
        "pwd%3D%" => format!("pwd%3D{CANARY}"),
        _ => shape,
    });
    for shape in shapes.chain([token]) {
        for style in [Style::Plain, Style::Json] {
            let text = written(style, || {
                let _within = info_span!("stream", stream = "cam1", source = %shape).entered();
                info!("{shape}");
                warn!(error = ?shape, "in a field");
                let cause = io::Error::other(shape.clone());
                error!(error = &cause as &(dyn Error + 'static), "as an error");
            });
            assert!(!text.contains(CANARY), "{shape:?} as {style:?}:\n{text}");
            assert!(text.lines().count() == 3 && text.contains("cam1"), "{text}");
        }
    }
}

#[test]
fn fields_with_names_of_secrets() {
    let lines = json(|| info!(password = CANARY, camera_token = %CANARY, secret = 12345, tokens = 5, "x"));
    assert_eq!(
        (&lines[0]["password"], &lines[0]["camera_token"], &lines[0]["secret"]),
        (&"***".into(), &"***".into(), &"***".into())
    );
    assert_eq!(lines[0]["tokens"], 5);
}

#[test]
fn what_is_no_secret_stays() {
    let redactor = Redactor::new();
    for words in [
        "cannot open rtsp://camera:554/stream: connection refused",
        "run 3 of cam1 ended: no picture for 10 s",
        "https://example.org/a?x=1&y=2",
        "mail to operator@example.org",
        "analyzer 978e1045d4301486, sha256 427cc366d34e27ff7a03e2899b5e3671425c262ea2291f88bb942bc1cc70b0f7",
        "12 tokens are known, 3 passes were made, key frames every 2 s",
        "/srv/frames/cam1/frame_0001.jpg written",
    ] {
        assert_eq!(redactor.words(words.to_owned()), words);
    }
    assert_eq!(redactor.words("rtsp://u:p@cam/1 refused".to_owned()), "rtsp://***@cam/1 refused");
    assert_eq!(redactor.words("GET /a?token=x&fps=2".to_owned()), "GET /a?token=***&fps=2");
}

#[test]
fn nobody_writes_lines_of_his_own() {
    let evil = "x\n2026-01-01T00:00:00Z ERROR ocelli: forged\r\u{1b}[2J\u{9b}1m\u{202e}\u{2028}\u{0}\u{7f}";
    for style in [Style::Plain, Style::Json] {
        let text = written(style, || info!(name = evil, "{evil}"));
        assert_eq!(text.matches('\n').count(), 1, "{text:?}");
        let controls: Vec<char> = text
            .trim_end()
            .chars()
            .filter(|char| char.is_control() || ('\u{2028}'..='\u{202e}').contains(char))
            .collect();
        assert!(controls.is_empty(), "{style:?}: {controls:?}");
    }
    let lines = json(|| info!(name = evil, "{evil}"));
    assert_eq!(lines[0]["message"], evil, "what JSON escapes can be read back");
    let text = written(Style::Plain, || info!(id = "a=b c\"d", empty = "", "x"));
    assert!(text.ends_with("x id=\"a=b c\\\"d\" empty=\"\"\n"), "{text}");
}

#[test]
fn lines_are_bounded_and_stay_whole() {
    let long = "ö".repeat(1 << 20);
    let at_signs = format!("rtsp://{}", "a:@/".repeat(1 << 18));
    let quotes = format!("password=\"{}", "\\\"".repeat(1 << 18));
    for value in [&long, &at_signs, &quotes] {
        for style in [Style::Plain, Style::Json] {
            let text = written(style, || {
                let _within =
                    info_span!("stream", stream = "cam1", a = %value, b = %value, c = %value).entered();
                info!(d = %value, e = ?value, f = %value, g = %value, "{value}");
            });
            assert!(text.len() < 40 << 10 && text.ends_with('\n') && text.contains("cam1"), "{}", text.len());
            assert!(style != Style::Json || serde_json::from_str::<Value>(&text).is_ok());
        }
    }
}

#[test]
fn colour_is_for_terminals() {
    assert!(!written(Style::Plain, || error!("x")).contains('\u{1b}'));
    assert!(written(Style::Coloured, || error!("x")).starts_with(" \u{1b}[31mERROR\u{1b}[0m ocelli"));
    assert_eq!(Level::ERROR.as_str(), "ERROR");
}
