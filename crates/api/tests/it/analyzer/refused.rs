//! Bad input: each gets a clear answer in the form of the contract, and changes nothing.

use axum::http::Method;
use ocelli_api::Engine as _;
use ocelli_engine::{StreamError, StreamState};
use serde_json::{Value, json};

use super::{at, camera, create};
use crate::stand::Stand;

#[tokio::test]
async fn streams_that_make_no_sense() {
    let stand = Stand::new().await;
    let with = |field: &str, value: Value| {
        let mut new = json!({"name": "a", "source_type": "rtsp", "url": "rtsp://192.0.2.7/one"});
        new[field] = value;
        new
    };
    let typed = |source_type: &str, url: &str| json!({"name": "a", "source_type": source_type, "url": url});
    let cases: Vec<(Value, u16, &str)> = vec![
        (json!({}), 400, "missing field `name`"),
        (json!([]), 400, "a stream such as"),
        (json!({"name": "a"}), 400, "missing field `source_type`"),
        (with("name", json!("")), 400, "name: "),
        (with("name", json!("  ")), 400, "name: "),
        (with("name", json!("a\nb")), 400, "name: "),
        (with("name", json!("x".repeat(201))), 400, "name: "),
        (with("name", json!(7)), 400, "invalid type"),
        (with("source_type", json!("screen")), 400, "source_type: \"screen\" is none; give rtmp"),
        (with("processing_mode", json!("fast")), 400, "unknown variant"),
        (with("stream_key", json!("../etc")), 400, "stream id"),
        (with("stream_key", json!("")), 400, "stream id"),
        (with("url", Value::Null), 400, "needs one"),
        (with("url", json!("")), 400, "begins with rtsp://"),
        (with("url", json!("http://192.0.2.7/a")), 400, "begins with rtsp://"),
        (with("url", json!("rtsp://192.0.2.7/\r\nX: y")), 400, "control"),
        (with("url", json!("rtsp://169.254.169.254/")), 400, "link-local"),
        (with("publish_networks", json!("10.0.0.0/8")), 400, "only streams of type rtmp"),
        (typed("rtmp", "rtmp://192.0.2.7/live/a"), 400, "published to"),
        (typed("webcam", "file:///media/a.mp4"), 400, "begins with device:"),
        (typed("file", "file:///etc/passwd"), 400, "outside the configured folders"),
        (typed("file", "rtsp://192.0.2.7/one"), 400, "begins with file:"),
        (typed("synthetic", "synthetic:?fps=absurd"), 400, "url: "),
        (typed("hls", "file:///media/a.m3u8"), 400, "begins with http://"),
        (typed("frames", "frames:b"), 400, "reads none"),
        (typed("http", "file:///media/a.mp4"), 400, "begins with http://"),
        (json!({"name": "a", "source_type": "http"}), 400, "needs one"),
    ];
    for (body, status, words) in cases {
        let answer = stand.json(Method::POST, &at("create", "/"), &body).await;
        assert!(answer.text().contains(&words.replace('"', "\\\"")), "{body}: {}", answer.text());
        answer.expect_error(status, words);
    }
    assert!(stand.engine.list().is_empty(), "nothing was created");
    for (kind, body, status, words) in [
        ("text/plain", "{}", 415, "application/json"),
        ("application/json", "", 400, "not JSON"),
        ("application/json", "{\"name\": ", 400, "not JSON"),
        ("application/json", &*"[".repeat(100_000), 400, "the body is not valid"),
        ("application/json", &*format!("{{\"name\": \"{}\"}}", "x".repeat(300 << 10)), 413, "longer than"),
    ] {
        let answer = stand.ask(Method::POST, &at("create", ""), kind, body.to_owned()).await;
        answer.expect_error(status, words);
    }
}

#[tokio::test]
async fn streams_that_are_not_there_or_not_free() {
    let stand = Stand::new().await;
    for slash in ["/", ""] {
        for path in ["none/start", "none/stop", "none/analyze", "none/upload"] {
            let form = "multipart/form-data; boundary=x";
            stand
                .ask(Method::POST, &at(path, slash), form, "--x--\r\n")
                .await
                .expect_error(404, "no stream none");
        }
        for path in ["..%2f/start", "a%00b/stop", "%ff/analyze", "-x/upload"] {
            let answer = stand.ask(Method::POST, &at(path, slash), "", "").await;
            assert_eq!(answer.status, 400, "{path}: {}", answer.text());
            assert!(answer.json()["error"].is_string(), "{path}");
        }
        stand.get(&format!("/api/streams/none/analysis{slash}")).await.expect_error(404, "no stream none");
        stand.ask(Method::DELETE, &at("none", slash), "", "").await.expect_error(400, "a number");
        stand.ask(Method::DELETE, &at("-1", slash), "", "").await.expect_error(400, "a number");
        stand
            .ask(Method::DELETE, &at("99999999999999999999", slash), "", "")
            .await
            .expect_error(400, "a number");
        stand.ask(Method::DELETE, &at("1", slash), "", "").await.expect_error(404, "no stream 1");
        stand.get(&format!("/ws/stream{slash}")).await.expect_error(426, "WebSocket");
        stand.get(&at("none/start", slash)).await.expect_error(405, "POST only");
        stand.get(&format!("/api/streaming/none{slash}")).await.expect_error(404, "nothing at this path");
    }
    camera(&stand, "cam1").await;
    let again = json!({"name": "a", "source_type": "rtmp", "stream_key": "cam1"});
    stand.json(Method::POST, &at("create", "/"), &again).await.expect_error(409, "exists already");
    stand.engine.fail_next(StreamError::TooMany(7));
    let more = json!({"name": "a", "source_type": "rtmp"});
    let answer = stand.json(Method::POST, &at("create", "/"), &more).await;
    assert!(answer.header("retry-after").is_some());
    answer.expect_error(503, "there are 7 streams already");
    for path in ["cam1/start", "cam1/stop"] {
        stand.engine.fail_next(StreamError::Closing);
        stand.ask(Method::POST, &at(path, "/"), "", "").await.expect_error(503, "shutting down");
    }
    for (query, words) in [
        ("limit=0", "1 to 500"),
        ("limit=501", "1 to 500"),
        ("limit=x", "query"),
        ("cursor=1_2", "next_cursor"),
        ("cursor=1_2_3_4", "next_cursor"),
        ("cursor=-1_0_0", "next_cursor"),
    ] {
        stand.get(&format!("/api/streams/cam1/analysis/?{query}")).await.expect_error(400, words);
    }
    for body in ["{\"segment_path\": 7}", "nonsense", "[1]"] {
        let answer = stand.ask(Method::POST, &at("cam1/analyze", "/"), "application/json", body).await;
        answer.expect_error(400, "not valid");
    }
    let long = "x".repeat(5000);
    stand.ask(Method::POST, &at("cam1/analyze", "/"), "", long).await.expect_error(413, "longer than");
}

#[tokio::test]
async fn a_device_has_one_reader() {
    let stand = Stand::new().await;
    for (key, url) in
        [("one", "device:/dev/video0"), ("two", "device:/dev/video0?fps=5"), ("three", "device:/dev/video1")]
    {
        create(&stand, &json!({"name": key, "source_type": "webcam", "url": url, "stream_key": key})).await;
    }
    let start = async |key: &str| stand.ask(Method::POST, &at(&format!("{key}/start"), "/"), "", "").await;
    start("one").await.with_status(200);
    start("one").await.with_status(200);
    start("two").await.expect_error(409, "taken by stream one");
    start("three").await.with_status(200);
    stand.engine.set("one", |status| status.state = StreamState::Error);
    start("two").await.with_status(200);
    stand.ask(Method::POST, &at("two/stop", ""), "", "").await.with_status(200);
    start("one").await.with_status(200);
}
