//! Streams: created, listed, started, stopped, deleted; with the slash at the end and without.

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use ocelli_api::{Engine as _, LiveSettings, access::AccessConfig};
use ocelli_engine::{Pace, StreamState};
use ocelli_model::SamplingPlan;
use serde_json::{Value, json};

use super::{STREAMS, at, camera, create, listed, post};
use crate::{
    playback::camera::Camera,
    stand::{Stand, engine::id, open},
};

#[tokio::test]
async fn a_stream_has_the_fields_of_the_contract() {
    let stand = Stand::new().await;
    for slash in ["/", ""] {
        let new = json!({"name": "Front door", "source_type": "rtmp", "processing_mode": "live"});
        let made = stand.json(Method::POST, &at("create", slash), &new).await.with_status(200).json();
        let key = made["stream_key"].as_str().unwrap();
        assert!(key.starts_with("front-door-"), "{key}");
        let secret = made["publish_secret"].as_str().unwrap();
        assert_eq!(secret.len(), 32);
        let expected = json!({"id": made["id"], "name": "Front door", "source_type": "rtmp", "processing_mode": "live",
            "stream_key": key, "status": "inactive", "hls_playlist_url": null,
            "rtmp_ingest_url": "rtmp://127.0.0.1:1935/live", "created_at": "1970-01-01T00:00:01.000Z",
            "source": format!("publish:{key}"), "last_error": null, "publish_secret": secret,
            "publish_key": format!("{key}?secret={secret}")});
        assert_eq!(made, expected);
        assert!(made["id"].as_i64().is_some_and(|id| id > 0));
        let list = stand.get(&format!("/api/streaming/streams{slash}")).await.with_status(200).json();
        assert!(list["streams"].as_array().unwrap().contains(&made), "{list}");
        let publish = stand.engine.spec(&id(key)).unwrap().publish.unwrap();
        assert!(
            publish.admits(Some(secret), [192, 0, 2, 1].into())
                && !publish.admits(None, [192, 0, 2, 1].into())
        );
    }
    let list = stand.get(STREAMS).await.json();
    let [one, other] = list["streams"].as_array().unwrap().as_slice() else { panic!("{list}") };
    assert!(one["id"] != other["id"] && one["publish_secret"] != other["publish_secret"]);
}

#[tokio::test]
async fn each_type_is_recorded_and_looked_at() {
    let stand = Stand::new().await;
    let check = async |body: Value, source: &str, gate: Option<bool>, pace: Pace| {
        let made = create(&stand, &body).await;
        let spec = stand.engine.spec(&id(made["stream_key"].as_str().unwrap())).unwrap();
        assert_eq!(spec.source.url.expose(), source, "{body}");
        assert!(spec.record.is_some() && spec.models.len() == 1 && spec.frames.is_none(), "{body}");
        assert_eq!(
            (spec.fps, spec.gate, spec.source.pace),
            ("5".parse::<SamplingPlan>().unwrap(), gate, pace)
        );
        assert!(spec.publish.is_none() && made.get("publish_key").is_none(), "{body}");
    };
    let live = |source_type: &str, url: &str| json!({"name": "a", "source_type": source_type, "url": url});
    let batch = |source_type: &str, url: &str| json!({"name": "a", "source_type": source_type, "url": url, "processing_mode": "batch"});
    for (source_type, url) in [
        ("rtsp", "rtsp://192.0.2.7/one"),
        ("rtsp", "rtsps://192.0.2.7/one"),
        ("http", "http://192.0.2.7/a.mp4"),
        ("synthetic", "synthetic:?fps=10"),
    ] {
        check(live(source_type, url), url, None, Pace::Fast).await;
        check(batch(source_type, url), url, Some(false), Pace::Fast).await;
    }
    check(live("hls", "http://192.0.2.7/a"), "hls+http://192.0.2.7/a", None, Pace::Fast).await;
    check(
        batch("hls", "hls+https://192.0.2.7/a.m3u8"),
        "hls+https://192.0.2.7/a.m3u8",
        Some(false),
        Pace::Fast,
    )
    .await;
    let posted = json!({"name": "a", "source_type": "frames", "stream_key": "posted"});
    check(posted, "frames:posted", None, Pace::Fast).await;
    let webcam = json!({"name": "a", "source_type": "webcam"});
    check(webcam, "device:/dev/video0", None, Pace::Fast).await;
    check(live("webcam", "device:/dev/video1"), "device:/dev/video1", None, Pace::Fast).await;
    check(live("file", "file:///media/a.mp4"), "file:///media/a.mp4", None, Pace::RealTime).await;
    check(batch("file", "/media/a.mp4"), "file:///media/a.mp4", Some(false), Pace::Fast).await;
    let networks = json!({"name": "a", "source_type": "rtmp", "publish_networks": "192.0.2.0/24"});
    let made = create(&stand, &networks).await;
    let publish = stand.engine.spec(&id(made["stream_key"].as_str().unwrap())).unwrap().publish.unwrap();
    assert!(publish.admits(None, [192, 0, 2, 1].into()));
}

#[tokio::test]
async fn streams_go_and_end_in_the_words_of_the_contract() {
    let stand = Stand::new().await;
    camera(&stand, "cam1").await;
    for slash in ["/", ""] {
        let started = post(&stand, &at("cam1/start", slash)).await;
        assert_eq!(started, json!({"message": "Stream cam1 started", "status": "starting"}));
        let words = [
            (StreamState::Starting, "starting"),
            (StreamState::Restarting, "starting"),
            (StreamState::Running, "active"),
            (StreamState::Error, "error"),
            (StreamState::Completed, "inactive"),
            (StreamState::Stopped, "inactive"),
            (StreamState::Running, "active"),
        ];
        for (state, word) in words {
            stand.engine.set("cam1", |status| status.state = state);
            let stream = listed(&stand, "cam1").await;
            let playlist = if word == "active" { json!("/streaming/cam1.m3u8") } else { Value::Null };
            assert_eq!(
                (&stream["status"], &stream["hls_playlist_url"]),
                (&json!(word), &playlist),
                "{state:?}"
            );
        }
        let stopped = post(&stand, &at("cam1/stop", slash)).await;
        assert_eq!(stopped, json!({"message": "Stream cam1 stopped", "status": "inactive"}));
    }
}

#[tokio::test]
async fn streams_are_deleted_by_their_number_unless_active() {
    let stand = Stand::new().await;
    for slash in ["/", ""] {
        let number = camera(&stand, "cam1").await["id"].to_string();
        stand.engine.set("cam1", |status| status.state = StreamState::Running);
        stand
            .ask(Method::DELETE, &at(&number, slash), "", "")
            .await
            .expect_error(400, "active; stop it first");
        stand.engine.set("cam1", |status| status.state = StreamState::Stopped);
        let gone = stand.ask(Method::DELETE, &at(&number, slash), "", "").await.with_status(200).json();
        assert_eq!(gone, json!({"message": "Stream cam1 deleted"}));
        stand.ask(Method::DELETE, &at(&number, slash), "", "").await.expect_error(404, "no stream");
    }
    assert!(stand.engine.list().is_empty());
}

#[tokio::test]
async fn streams_of_other_interfaces_are_there_too() {
    let stand = Stand::new().await;
    let native =
        json!({"id": "gate", "source": {"url": "rtsp://192.0.2.7/one"}, "frames": {}, "start": false});
    stand.json(Method::POST, "/api/v1/streams", &native).await.with_status(201);
    let stream = listed(&stand, "gate").await;
    let told = [&stream["name"], &stream["source_type"], &stream["processing_mode"], &stream["status"]];
    assert_eq!(told, [&json!("gate"), &json!("rtsp"), &json!("live"), &json!("inactive")]);
    // What is not recorded has no playlist.
    stand.engine.set("gate", |status| status.state = StreamState::Running);
    assert_eq!(listed(&stand, "gate").await["hls_playlist_url"], Value::Null);
    stand.engine.set("gate", |status| status.state = StreamState::Stopped);
    stand.ask(Method::DELETE, &at(&stream["id"].to_string(), "/"), "", "").await.with_status(200);
}

/// Two callers, one of whom may only look.
#[tokio::test]
async fn secrets_are_for_those_who_may_operate() {
    use ocelli_api::access::{NewToken, Role, StreamScope, TokenFile};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    let file = TokenFile::open(&path).unwrap();
    let token = |role, streams: Option<&[&str]>| {
        let streams = StreamScope::of(streams).unwrap();
        let name = format!("{role} {streams}");
        file.create(NewToken { name, role, streams, expires_ms: None }, 0).unwrap().1.reveal().to_owned()
    };
    let viewer = token(Role::Viewer, None);
    let operator = token(Role::Operator, Some(&["front-*"]));
    let config = AccessConfig { tokens: Some(path), ..open() };
    let stand = Stand::with(config, LiveSettings::default()).await;
    let made = create(&stand, &json!({"name": "Front", "source_type": "rtmp"})).await;
    create(&stand, &json!({"name": "Back", "source_type": "rtmp"})).await;
    let secret = made["publish_secret"].as_str().unwrap();
    let ask = async |token: &str, method: Method, path: &str, body: Value| {
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        let request = request.header(header::CONTENT_TYPE, "application/json");
        stand.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    let list = ask(&viewer, Method::GET, STREAMS, Value::Null).await.with_status(200);
    assert!(!list.text().contains("secret") && list.text().contains("back-"), "{}", list.text());
    let list = ask(&operator, Method::GET, STREAMS, Value::Null).await.with_status(200);
    assert!(list.text().contains(secret) && !list.text().contains("back-"), "{}", list.text());
    let new = json!({"name": "Front", "source_type": "rtmp"});
    ask(&operator, Method::POST, &at("create", "/"), new.clone()).await.with_status(200);
    let elsewhere = json!({"name": "Back", "source_type": "rtmp"});
    ask(&operator, Method::POST, &at("create", "/"), elsewhere).await.expect_error(403, "this stream");
    ask(&viewer, Method::POST, &at("create", "/"), new).await.expect_error(403, "operator");
    // Not even whether there is such a stream is told.
    let list = stand.get(STREAMS).await.json();
    let back = list["streams"].as_array().unwrap().iter().find(|stream| stream["name"] == "Back").unwrap();
    let back = at(&back["id"].to_string(), "/");
    ask(&operator, Method::DELETE, &back, Value::Null).await.expect_error(404, "no stream");
    ask(&operator, Method::DELETE, &at(&made["id"].to_string(), "/"), Value::Null).await.with_status(200);
}

#[tokio::test]
async fn an_analysis_is_triggered_of_the_newest_segment() {
    let stand = Stand::new().await;
    camera(&stand, "cam1").await;
    for slash in ["/", ""] {
        stand
            .ask(Method::POST, &at("cam1/analyze", slash), "", "")
            .await
            .expect_error(404, "no segment and no frame");
    }
    // A frame will do.
    stand.engine.show("cam1", b"\xff\xd8picture", 0);
    let told = post(&stand, &at("cam1/analyze", "/")).await;
    assert_eq!(
        told,
        json!({"message": "Analysis triggered", "segment": null, "look": "kept", "analyses": 0})
    );
    stand.engine.set("cam1", |status| status.state = StreamState::Running);
    assert_eq!(post(&stand, &at("cam1/analyze", "/")).await["look"], "asked");
    assert_eq!(stand.engine.looks("cam1"), 1);
    // A segment is better.
    let mut recorded = Camera::new(&stand, "cam1").await;
    recorded.show(250);
    recorded.end(&stand).await;
    let told = post(&stand, &at("cam1/analyze", "")).await;
    assert_eq!((&told["segment"], &told["look"]), (&json!("cam1/4.m4s"), &json!("asked")), "{told}");
    let named = |path: &str| json!({"segment_path": path});
    for (path, look) in [("4.m4s", "asked"), ("/streaming/cam1/1.m4s", "kept"), ("cam1/0.m4s", "kept")] {
        let told =
            stand.json(Method::POST, &at("cam1/analyze", "/"), &named(path)).await.with_status(200).json();
        let name = path.rsplit('/').next().unwrap();
        assert_eq!(
            (&told["segment"], &told["look"]),
            (&json!(format!("cam1/{name}")), &json!(look)),
            "{path}"
        );
    }
    for path in ["5.m4s", "cam2/1.m4s", "x", "../../etc/passwd"] {
        let answer = stand.json(Method::POST, &at("cam1/analyze", "/"), &named(path)).await;
        answer.expect_error(404, "its playlist lists those it has");
    }
}
