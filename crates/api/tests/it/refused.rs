//! Bad input to the native interface: each gets a clear answer, and changes nothing.

use axum::http::Method;
use ocelli_api::Engine as _;
use serde_json::{Value, json};

use crate::stand::Stand;

fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut stream = json!({"id": "cam1", "source": {"url": "rtsp://192.0.2.7/one"}, "frames": {}});
    change(&mut stream);
    stream
}

#[tokio::test]
async fn streams_that_make_no_sense() {
    let stand = Stand::new().await;
    let long = "x".repeat(3000);
    let cases: Vec<(Value, u16, &str)> = vec![
        (with(|stream| stream["id"] = json!("../etc")), 422, "stream id"),
        (with(|stream| stream["id"] = json!(".hidden")), 422, "stream id"),
        (with(|stream| stream["id"] = json!("x".repeat(65))), 422, "longer than 64"),
        (with(|stream| stream["id"] = json!("")), 422, "empty"),
        (with(|stream| stream["id"] = json!(7)), 422, "id: invalid type"),
        (json!({"source": {"url": "rtsp://192.0.2.7/"}}), 422, "missing field `id`"),
        (json!({"id": "cam1"}), 422, "missing field `source`"),
        (json!([]), 422, "a stream is a JSON object"),
        (with(|stream| stream["unknown"] = json!(1)), 422, "unknown field `unknown`"),
        (with(|stream| stream["source"]["password"] = json!(1)), 422, "unknown field `password`"),
        (with(|stream| stream["start"] = json!("yes")), 422, "`start` must be true or false"),
        (with(|stream| stream["fps"] = json!(0)), 422, "out of range"),
        (with(|stream| stream["fps"] = json!(-1)), 422, "out of range"),
        (with(|stream| stream["fps"] = json!(1e9)), 422, "out of range"),
        (with(|stream| stream["fps"] = json!("nan")), 422, "fps: 'NaN' is not a rate"),
        (with(|stream| stream["fps"] = json!([1])), 422, "expected frames per second"),
        (with(|stream| stream["frames"] = json!({"quality": 0})), 422, "1 to 100"),
        (with(|stream| stream["frames"] = json!({"quality": 101})), 422, "1 to 100"),
        (with(|stream| stream["frames"] = json!({"quality": 256})), 422, "1 to 100"),
        (with(|stream| stream["frames"] = json!(true)), 422, "expected how frames are written"),
        (with(|stream| stream["models"] = json!([{"model": "none-such"}])), 422, "no model"),
        (with(|stream| stream["models"] = json!(["none-such"])), 422, "expected a model such as"),
        (with(|stream| stream["models"] = json!([{"classes": ["car", "persn"]}])), 422, "knows no class"),
        (with(|stream| stream["models"] = json!(vec![json!({}); 17])), 422, "at most 16"),
        (with(|stream| stream["models"] = json!([{"confidence": 0}])), 422, "above 0"),
        (with(|stream| stream["models"] = json!([{"confidence": 1.5}])), 422, "above 0"),
        (with(|stream| stream["models"] = json!([{"classes": []}])), 422, "1 to 1000"),
        (with(|stream| stream["models"] = json!([{"classes": [long]}])), 422, "1 to 128 bytes"),
        (with(|stream| stream["hardware"] = json!("gpu")), 422, "unknown variant"),
        (with(|stream| stream["source"]["pace"] = json!("slow")), 422, "unknown variant"),
        (with(|stream| stream["source"] = json!("synthetic:")), 422, "expected a source such as"),
        (with(|stream| stream["source"]["url"] = json!("")), 422, "source.url"),
        (with(|stream| stream["source"]["url"] = json!(long)), 422, "source.url"),
        (with(|stream| stream["source"]["url"] = json!("gopher://x/")), 422, "source.url"),
        (with(|stream| stream["source"]["url"] = json!("rtsp://192.0.2.7/\r\nX: y")), 422, "control"),
        (with(|stream| stream["source"]["url"] = json!("file:///etc/passwd")), 422, "source.url: "),
        (with(|stream| stream["source"]["url"] = json!("rtsp://169.254.169.254/")), 422, "link-local"),
    ];
    for (body, status, words) in cases {
        let answer = stand.json(Method::POST, "/api/v1/streams", &body).await;
        assert!(answer.text().contains(words), "{body}: {}", answer.text());
        answer.expect_problem(status, words);
    }
    assert!(stand.engine.list().is_empty(), "nothing was created");
}

#[tokio::test]
async fn bodies_that_are_none() {
    let stand = Stand::new().await;
    let deep = format!("{{\"id\": {}", "[".repeat(100_000));
    let huge = format!("{{\"id\": \"{}\"}}", "x".repeat(300 << 10));
    let cases: [(&str, &str, u16, &str); 8] = [
        ("text/plain", "{}", 415, "application/json"),
        ("", "{}", 415, "application/json"),
        ("application/x-www-form-urlencoded", "id=cam1", 415, "application/json"),
        ("application/json", "", 400, "not JSON"),
        ("application/json", "{\"id\": ", 400, "not JSON"),
        (
            "application/json",
            "{\"id\": \"a\", \"source\": {\"url\": \"rtsp://192.0.2.7/\"}} x",
            400,
            "not JSON",
        ),
        ("application/json; charset=utf-8", &deep, 400, "not JSON"),
        ("application/json", &huge, 413, "longer than"),
    ];
    for (kind, body, status, words) in cases {
        let answer = stand.ask(Method::POST, "/api/v1/streams", kind, body.to_owned()).await;
        answer.expect_problem(status, words);
    }
}

#[tokio::test]
async fn paths_and_queries_that_are_none() {
    let stand = Stand::new().await;
    stand.json(Method::POST, "/api/v1/streams", &with(|_| {})).await.with_status(201);
    let cases = [
        ("/api/v1/streams/%2e%2e", 400, "stream id"),
        ("/api/v1/streams/%2e%2e%2fetc/status", 400, "stream id"),
        ("/api/v1/streams/a%00b", 400, "stream id"),
        ("/api/v1/streams/%ff/status", 400, ""),
        ("/api/v1/streams/none/status", 404, "no stream none"),
        ("/api/v1/streams/none/snapshot.jpg", 404, "no stream none"),
        ("/api/v1/streams/none/runs", 404, "no stream none"),
        ("/api/v1/streams/none/results", 404, "no stream none"),
        ("/api/v1/streams/none/ledger", 404, "no stream none"),
        ("/api/v1/streams?limit=0", 422, "1 to 1000"),
        ("/api/v1/streams?limit=1001", 422, "1 to 1000"),
        ("/api/v1/streams?limit=-1", 422, "query"),
        ("/api/v1/streams?limit=x", 422, "query"),
        ("/api/v1/streams?colour=red", 422, "unknown field"),
        ("/api/v1/streams?limit=1&limit=2", 422, "duplicate field"),
        ("/api/v1/streams/cam1/results?limit=501", 422, "1 to 500"),
        ("/api/v1/streams/cam1/results?cursor=1", 422, "next_cursor"),
        ("/api/v1/streams/cam1/results?cursor=x_y", 422, "next_cursor"),
        ("/api/v1/streams/cam1/results?min_confidence=nan", 422, "0 to 1"),
        ("/api/v1/streams/cam1/results?min_confidence=2", 422, "0 to 1"),
        ("/api/v1/streams/cam1/results?run=-1", 422, "query"),
        ("/api/v1/streams/cam1/results?run=3", 404, "no run 3"),
        ("/api/v1/streams/cam1/ledger?run=3", 404, "no run 3"),
        ("/api/v1/streams/cam1/ledger?limit=0", 422, "1 to 1000"),
        ("/api/v1/streams/cam1/runs?cursor=x", 422, "query"),
        ("/api/v1/none", 404, "nothing at this path"),
        ("/api/v1/streams/cam1/live?types=all", 422, "types"),
        ("/api/v1/streams/cam1/live", 426, "WebSocket"),
        ("/api/v1/streams/none/live", 404, "no stream none"),
        ("/api/v1/live", 426, "WebSocket"),
    ];
    for (path, status, words) in cases {
        let answer = stand.get(path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.text());
        answer.expect_problem(status, words);
    }
    let long = format!("/api/v1/streams/{}", "x".repeat(65));
    stand.get(&long).await.expect_problem(400, "longer than 64");
    stand.ask(Method::PATCH, "/api/v1/streams", "", "").await.expect_problem(405, "");
}
