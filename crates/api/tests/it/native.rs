//! Streams through the native interface.

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use ocelli_engine::{Pace, StreamState, Transport};
use ocelli_model::SamplingPlan;
use serde_json::{Value, json};

use crate::stand::{Stand, engine::id};
use ocelli_api::Engine as _;

fn camera(name: &str) -> Value {
    json!({"id": name, "source": {"url": "rtsp://user:secret@192.0.2.7/one?token=x"}, "fps": 5, "frames": {},
        "models": [{"model": "ssd", "confidence": 0.5, "classes": ["person"]}]})
}

#[tokio::test]
async fn a_stream_lives() {
    let stand = Stand::new().await;
    let created = stand.json(Method::POST, "/api/v1/streams", &camera("cam1")).await.with_status(201);
    assert_eq!(created.header("location"), Some("/api/v1/streams/cam1"));
    let shown = created.json();
    assert_eq!(shown["fps"], "5");
    assert_eq!(shown["frames"], json!({"quality": 77}));
    assert_eq!(shown["status"]["state"], "starting");
    assert_eq!(shown["status"]["slots"]["due"], 0);
    assert_eq!(shown["source"]["transport"], "tcp");
    assert!(!created.text().contains("secret") && !created.text().contains("token"), "{}", created.text());
    assert_eq!(stand.get("/api/v1/streams/cam1").await.with_status(200).json(), shown);
    assert_eq!(stand.get("/api/v1/streams/cam1/status").await.with_status(200).json(), shown["status"]);

    let stopped = stand.ask(Method::POST, "/api/v1/streams/cam1/stop", "", "").await.with_status(200);
    assert_eq!(stopped.json()["state"], "stopped");
    let started = stand.ask(Method::POST, "/api/v1/streams/cam1/start", "", "").await.with_status(200);
    assert_eq!(started.json()["state"], "starting");

    stand.json(Method::POST, "/api/v1/streams", &camera("cam1")).await.expect_problem(409, "exists already");
    stand.ask(Method::DELETE, "/api/v1/streams/cam1?frames=true", "", "").await.with_status(204);
    stand.get("/api/v1/streams/cam1").await.expect_problem(404, "no stream cam1");
    stand.ask(Method::DELETE, "/api/v1/streams/cam1", "", "").await.expect_problem(404, "no stream cam1");
}

#[tokio::test]
async fn a_change_keeps_the_secrets_of_a_url_that_stands_as_shown() {
    let stand = Stand::new().await;
    stand.json(Method::POST, "/api/v1/streams", &camera("cam1")).await.with_status(201);
    let shown = stand.get("/api/v1/streams/cam1").await.json();
    let change = |url: &Value| {
        json!({"source": {"url": url, "transport": "udp", "pace": "real_time", "repeat": true}, "fps": "all",
            "frames": null, "models": [{}], "tracks": false, "gate": false, "hardware": "vaapi"})
    };
    let changed = stand.json(Method::PUT, "/api/v1/streams/cam1", &change(&shown["source"]["url"])).await;
    let changed = changed.with_status(200).json();
    let spec = stand.engine.spec(&id("cam1")).unwrap();
    assert_eq!(spec.source.url.expose(), "rtsp://user:secret@192.0.2.7/one?token=x");
    assert_eq!((spec.source.pace, spec.source.transport), (Pace::RealTime, Transport::Udp));
    assert_eq!((spec.fps, spec.gate, spec.tracks), (SamplingPlan::All, Some(false), false));
    assert_eq!(spec.hardware.as_deref(), Some("vaapi"));
    assert_eq!(changed["models"], json!([{"model": null, "confidence": null, "classes": null}]));
    assert_eq!((&changed["fps"], &changed["hardware"]), (&json!("all"), &json!("vaapi")));

    let elsewhere = change(&json!("rtsp://192.0.2.8/one"));
    stand.json(Method::PUT, "/api/v1/streams/cam1", &elsewhere).await.with_status(200);
    assert_eq!(stand.engine.spec(&id("cam1")).unwrap().source.url.expose(), "rtsp://192.0.2.8/one");
    stand.json(Method::PUT, "/api/v1/streams/none", &elsewhere).await.expect_problem(404, "no stream none");
}

#[tokio::test]
async fn lists_are_paged_by_name() {
    let stand = Stand::new().await;
    for name in ["b", "a", "d", "c"] {
        stand.json(Method::POST, "/api/v1/streams", &camera(name)).await.with_status(201);
    }
    let mut seen = Vec::new();
    let mut path = "/api/v1/streams?limit=3".to_owned();
    loop {
        let page = stand.get(&path).await.with_status(200).json();
        let items = page["items"].as_array().unwrap().clone();
        seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        assert_eq!(items.len(), 3);
        path = format!("/api/v1/streams?limit=3&cursor={cursor}");
    }
    assert_eq!(seen, ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn a_snapshot_tells_its_time_and_spares_those_who_have_it() {
    let stand = Stand::new().await;
    stand.json(Method::POST, "/api/v1/streams", &camera("cam1")).await.with_status(201);
    let path = "/api/v1/streams/cam1/snapshot.jpg";
    stand.get(path).await.expect_problem(404, "no frame yet");
    stand.engine.show("cam1", b"\xff\xd8one", 135_000);
    let first = stand.get(path).await.with_status(200);
    assert_eq!(first.bytes, b"\xff\xd8one");
    let headers = [
        ("content-type", "image/jpeg"),
        ("cache-control", "no-store"),
        ("x-media-time", "1.5"),
        ("x-media-time-pts", "135000"),
        ("x-media-time-base", "1/90000"),
        ("x-frame-number", "7"),
        ("x-run", "2"),
    ];
    for (name, value) in headers {
        assert_eq!(first.header(name), Some(value), "{name}");
    }
    let tag = first.header("etag").unwrap().to_owned();
    let again =
        |tag: String| Request::get(path).header(header::IF_NONE_MATCH, tag).body(Body::empty()).unwrap();
    for held in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
        let answer = stand.send(again(held)).await.with_status(304);
        assert!(answer.bytes.is_empty());
        assert_eq!(answer.header("x-media-time"), Some("1.5"));
    }
    stand.engine.show("cam1", b"\xff\xd8two", 225_000);
    assert_eq!(stand.send(again(tag)).await.with_status(200).header("x-media-time"), Some("2.5"));
}

#[tokio::test]
async fn what_the_engine_says_reaches_the_client() {
    use ocelli_engine::StreamError;
    let stand = Stand::new().await;
    stand.json(Method::POST, "/api/v1/streams", &camera("cam1")).await.with_status(201);
    stand.engine.set("cam1", |status| {
        status.state = StreamState::Error;
        status.last_error = Some("connection refused".to_owned());
        (status.run, status.width, status.tally.gated) = (Some(3), Some(1920), 4);
    });
    let status = stand.get("/api/v1/streams/cam1/status").await.with_status(200).json();
    assert_eq!((&status["state"], &status["last_error"]), (&json!("error"), &json!("connection refused")));
    assert_eq!((&status["run_id"], &status["slots"]["due"]), (&json!(3), &json!(4)));
    let cases = [
        (StreamError::Closing, 503, "shutting down"),
        (StreamError::TooMany(9), 503, "9 streams already"),
        (StreamError::Invalid("no such device".to_owned()), 422, "no such device"),
        (StreamError::Running(id("cam1")), 409, "stop it first"),
        (
            StreamError::Store(ocelli_store::StoreError::Full { path: "/secret/place".into() }),
            503,
            "store is not available",
        ),
        (StreamError::Store(ocelli_store::StoreError::Closed), 500, "the store failed"),
    ];
    for (error, status, words) in cases {
        stand.engine.fail_next(error);
        let answer = stand.ask(Method::POST, "/api/v1/streams/cam1/start", "", "").await;
        assert!(!answer.text().contains("/secret"), "{}", answer.text());
        assert_eq!(answer.header("retry-after").is_some(), status == 503);
        answer.expect_problem(status, words);
    }
}

#[tokio::test]
async fn models_and_version_are_told() {
    let stand = Stand::new().await;
    let models = stand.get("/api/v1/models").await.with_status(200).json();
    assert_eq!(models["items"][0]["id"], "ssd");
    let version = stand.get("/api/v1/version").await.with_status(200).json();
    assert_eq!(version, json!({"name": "ocelli", "version": "0.1.0-test"}));
}
