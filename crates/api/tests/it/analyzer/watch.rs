//! The WebSocket: real sockets on 127.0.0.1.

use axum::http::Method;
use ocelli_api::LiveSettings;
use ocelli_engine::StreamState;
use ocelli_store::{AnchorOrigin, Streams as _, WallAnchor};
use serde_json::{Value, json};

use super::{at, camera, frame, run_id};
use crate::{
    follow::client::{Client, Served},
    stand::{
        Stand,
        engine::HUB,
        facts::{looked_at, pts, run, seen},
        open,
    },
};

async fn served(streams: &[&str], live: LiveSettings) -> Served {
    let stand = Stand::with(open(), live).await;
    for key in streams {
        camera(&stand, key).await;
    }
    Served::new(stand).await
}

async fn say(client: &mut Client, message: &Value) {
    client.say(&message.to_string()).await;
}

async fn subscribe(client: &mut Client, stream: &str) {
    say(client, &json!({"type": "subscribe", "stream_id": stream})).await;
}

/// What was said before has been dealt with.
async fn settled(client: &mut Client) {
    say(client, &json!({"type": "ping", "timestamp": "settled"})).await;
    assert_eq!(client.next().await.unwrap(), json!({"type": "pong", "timestamp": "settled"}));
}

#[tokio::test]
async fn pings_are_answered_and_what_makes_no_sense_too() {
    for path in ["/ws/stream/", "/ws/stream"] {
        let served = served(&["cam1"], LiveSettings::default()).await;
        let mut client = Client::connect(&served, path).await;
        for timestamp in [json!(1_795_965_053.25), json!("2026"), json!(null)] {
            say(&mut client, &json!({"type": "ping", "timestamp": timestamp})).await;
            assert_eq!(client.next().await.unwrap(), json!({"type": "pong", "timestamp": timestamp}));
        }
        let long = format!("\"{}\"", "x".repeat(60_000));
        for (text, words) in [
            ("", "not JSON"),
            ("{\"type\":", "not JSON"),
            ("[1]", "not valid"),
            ("{\"type\":\"dance\"}", "unknown variant"),
            ("{\"type\":\"subscribe\"}", "missing field `stream_id`"),
            ("{\"type\":\"subscribe\",\"stream_id\":\"../x\"}", "stream id"),
            ("{\"type\":\"subscribe\",\"stream_id\":\"none\"}", "no stream none"),
            ("{\"type\":\"request_analysis\",\"stream_id\":\"none\"}", "no stream none"),
            (
                "{\"type\":\"request_analysis\",\"stream_id\":\"cam1\"}",
                "no frame of stream cam1 was analysed yet",
            ),
            (&long, "not valid"),
        ] {
            client.say(text).await;
            let answer = client.next().await.unwrap();
            assert_eq!(answer["type"], "error", "{text:.80}: {answer}");
            assert!(answer["message"].as_str().unwrap().contains(words), "{text:.80}: {answer}");
        }
        client.say_bytes(b"\0\xff").await;
        assert_eq!(client.next().await.unwrap(), json!({"type": "error", "message": "send text"}));
        say(&mut client, &json!({"type": "unsubscribe", "stream_id": "none"})).await;
        settled(&mut client).await;
    }
}

#[tokio::test]
async fn updates_come_for_each_analysis_until_unsubscribed() {
    let served = served(&["cam1", "cam2"], LiveSettings::default()).await;
    let store = &served.stand.store;
    let _open = run(store, "cam1", 2, "ssd").await;
    let run_id = run_id(&served.stand, "cam1", 2).await;
    let anchor = WallAnchor { pts: 0, unix_ns: 1_795_965_053_000_000_000, origin: AnchorOrigin::Arrival };
    store.anchor(run_id, &[anchor]).await.unwrap();
    let mut client = Client::connect(&served, "/ws/stream/").await;
    for stream in ["cam1", "cam2"] {
        subscribe(&mut client, stream).await;
    }
    settled(&mut client).await;
    served.engine.tell("cam1", frame(2, Some(run_id), 135_000, &["car"]));
    served.engine.set("cam1", |status| status.state = StreamState::Running);
    served.engine.tell("cam1", frame(2, Some(run_id), 225_000, &[]));
    let car = client.next().await.unwrap();
    let expected = json!({"type": "analysis_update", "analysis": {"id": car["analysis"]["id"], "stream_id": "cam1",
        "session_id": null, "timestamp": "2026-11-29T15:10:54.500Z", "processing_time": 0.0089,
        "analysis_type": "object_detection", "frame_timestamp": 1.5, "provider": "local", "visual": null, "run": 2,
        "pts": 135_000, "time_base": [1, 90_000], "captured_at": "2026-11-29T15:10:54.500Z", "model": "ssd",
        "model_version": car["analysis"]["model_version"], "frame_width": 640, "frame_height": 360,
        "detections": [{"label": "car", "confidence": 0.9, "bbox": {"x": 0.25, "y": 0.5, "width": 0.1, "height": 0.2},
            "detection_type": "object", "track_id": 4}]}});
    assert_eq!(car, expected);
    let empty = client.next().await.unwrap();
    assert_eq!((&empty["analysis"]["pts"], &empty["analysis"]["detections"]), (&json!(225_000), &json!([])));
    say(&mut client, &json!({"type": "unsubscribe", "stream_id": "cam1"})).await;
    settled(&mut client).await;
    served.engine.tell("cam1", frame(2, Some(run_id), 315_000, &[]));
    served.engine.tell("cam2", frame(0, None, 7, &[]));
    assert_eq!(client.next().await.unwrap()["analysis"]["stream_id"], "cam2");
    // A stream that goes is told.
    let number = super::listed(&served.stand, "cam2").await["id"].to_string();
    served.stand.ask(Method::DELETE, &at(&number, "/"), "", "").await.with_status(200);
    let told = client.next().await.unwrap();
    assert_eq!(told, json!({"type": "error", "message": "stream cam2 was deleted"}));
    settled(&mut client).await;
}

/// What is stored, and what was told live, is the same analysis.
#[tokio::test]
async fn what_was_before_is_told_first_the_newest_first() {
    let served = served(&["cam1"], LiveSettings::default()).await;
    let open = run(&served.stand.store, "cam1", 2, "ssd").await;
    let slots: Vec<_> = (0..7).map(|_| Some(vec![seen("car", 0.9)])).collect();
    looked_at(&served.stand.store, open, &slots).await;
    let run_id = run_id(&served.stand, "cam1", 2).await;
    let mut client = Client::connect(&served, "/ws/stream/").await;
    subscribe(&mut client, "cam1").await;
    let recent = client.next().await.unwrap();
    assert_eq!((&recent["type"], &recent["stream_id"]), (&json!("recent_analysis"), &json!("cam1")));
    let times: Vec<_> =
        recent["analyses"].as_array().unwrap().iter().map(|one| one["pts"].as_i64().unwrap()).collect();
    assert_eq!(times, (2..7).rev().map(pts).collect::<Vec<_>>());
    served.engine.tell("cam1", frame(2, Some(run_id), pts(6), &["car"]));
    let mut live = client.next().await.unwrap()["analysis"].take();
    // The track is another one in what this test tells live.
    live["detections"][0]["track_id"] = json!(1);
    assert_eq!(live, recent["analyses"][0]);
}

#[tokio::test]
async fn analyses_carry_the_session_that_is_current() {
    let served = served(&["cam1"], LiveSettings::default()).await;
    let store = &served.stand.store;
    let open = run(store, "cam1", 0, "ssd").await;
    let mut slots = vec![Some(Vec::new()); 3];
    looked_at(store, open, &slots).await;
    let enter = |session: &str| json!({"type": "subscribe", "stream_id": "cam1", "session_id": session});
    let mut client = Client::connect(&served, "/ws/stream/").await;
    say(&mut client, &enter("first")).await;
    // Nothing of this session is there.
    settled(&mut client).await;
    served.engine.tell("cam1", frame(0, None, pts(3), &[]));
    assert_eq!(client.next().await.unwrap()["analysis"]["session_id"], "first");
    slots.resize(5, Some(Vec::new()));
    looked_at(store, open, &slots).await;
    say(&mut client, &enter("second")).await;
    settled(&mut client).await;
    slots.resize(6, Some(Vec::new()));
    looked_at(store, open, &slots).await;
    let mut other = Client::connect(&served, "/ws/stream/").await;
    say(&mut other, &enter("second")).await;
    let recent = other.next().await.unwrap();
    assert_eq!(recent["session_id"], "second");
    let times =
        |page: &Value| page.as_array().unwrap().iter().map(|one| one["pts"].clone()).collect::<Vec<_>>();
    assert_eq!(times(&recent["analyses"]), [pts(5)]);
    say(&mut other, &enter("first")).await;
    assert_eq!(times(&other.next().await.unwrap()["analyses"]), [pts(4), pts(3)]);
    let all = served.stand.get("/api/streams/cam1/analysis/").await.json();
    let sessions: Vec<_> =
        all["results"].as_array().unwrap().iter().map(|one| one["session_id"].clone()).collect();
    assert_eq!(json!(sessions), json!(["second", "first", "first", null, null, null]));
    let mut found = Vec::new();
    let mut query = "?session_id=first&limit=1".to_owned();
    loop {
        let page =
            served.stand.get(&format!("/api/streams/cam1/analysis/{query}")).await.with_status(200).json();
        found.extend(times(&page["results"]));
        let Value::String(cursor) = &page["next_cursor"] else { break };
        query = format!("?session_id=first&limit=1&cursor={cursor}");
    }
    assert_eq!(found, [pts(4), pts(3)]);
}

#[tokio::test]
async fn an_analysis_that_is_asked_for_comes_once() {
    let served = served(&["cam1"], LiveSettings::default()).await;
    served.engine.set("cam1", |status| status.state = StreamState::Running);
    let request = json!({"type": "request_analysis", "stream_id": "cam1"});
    let mut client = Client::connect(&served, "/ws/stream/").await;
    // Without a subscription.
    say(&mut client, &request).await;
    settled(&mut client).await;
    assert_eq!(served.engine.looks("cam1"), 1);
    served.engine.tell("cam1", frame(0, None, 7, &["car"]));
    assert_eq!(client.next().await.unwrap()["analysis"]["pts"], 7);
    served.engine.tell("cam1", frame(0, None, 8, &[]));
    settled(&mut client).await;
    // With one it is the update.
    subscribe(&mut client, "cam1").await;
    say(&mut client, &request).await;
    settled(&mut client).await;
    served.engine.tell("cam1", frame(0, None, 9, &[]));
    assert_eq!(client.next().await.unwrap()["analysis"]["pts"], 9);
    settled(&mut client).await;
    // Of a stream that does not go, the newest there is.
    served.engine.set("cam1", |status| status.state = StreamState::Completed);
    let open = run(&served.stand.store, "cam1", 0, "ssd").await;
    looked_at(&served.stand.store, open, &[Some(Vec::new()), Some(Vec::new())]).await;
    say(&mut client, &request).await;
    assert_eq!(client.next().await.unwrap()["analysis"]["pts"], pts(1));
    assert_eq!(served.engine.looks("cam1"), 2);
}

#[tokio::test]
async fn a_client_that_is_too_slow_is_told_what_it_missed() {
    let served = served(&["cam1"], LiveSettings::default()).await;
    let mut client = Client::connect(&served, "/ws/stream/").await;
    subscribe(&mut client, "cam1").await;
    settled(&mut client).await;
    // On one thread nobody reads meanwhile.
    for number in 0..HUB as i64 + 10 {
        served.engine.tell("cam1", frame(0, None, number, &[]));
    }
    assert_eq!(client.next().await.unwrap(), json!({"type": "missed", "stream_id": "cam1", "count": 10}));
    for number in 10..HUB as i64 + 10 {
        assert_eq!(client.next().await.unwrap()["analysis"]["pts"], number);
    }
}

#[tokio::test]
async fn streams_of_one_client_and_clients_are_counted() {
    let live = LiveSettings { most_streams: 2, most_sockets: 2, ..LiveSettings::default() };
    let served = served(&["cam1", "cam2", "cam3"], live).await;
    let mut client = Client::connect(&served, "/ws/stream/").await;
    for stream in ["cam1", "cam2", "cam1"] {
        subscribe(&mut client, stream).await;
    }
    settled(&mut client).await;
    subscribe(&mut client, "cam3").await;
    let told = client.next().await.unwrap();
    assert!(told["message"].as_str().unwrap().contains("at most 2 streams"), "{told}");
    say(&mut client, &json!({"type": "unsubscribe", "stream_id": "cam1"})).await;
    subscribe(&mut client, "cam3").await;
    settled(&mut client).await;
    // Twice subscribed is told once.
    served.engine.tell("cam2", frame(0, None, 1, &[]));
    assert_eq!(client.next().await.unwrap()["analysis"]["stream_id"], "cam2");
    settled(&mut client).await;
    assert_eq!((served.engine.followers("cam1"), served.engine.followers("cam2")), (0, 1));
    let mut second = Client::connect(&served, "/ws/stream/").await;
    settled(&mut second).await;
    assert_eq!(Client::refused(&served, "/ws/stream/").await, 503);
}

#[tokio::test]
async fn requests_that_wait_are_bounded() {
    let served = served(&["cam1"], LiveSettings::default()).await;
    served.engine.set("cam1", |status| status.state = StreamState::Running);
    let mut client = Client::connect(&served, "/ws/stream/").await;
    for _ in 0..17 {
        say(&mut client, &json!({"type": "request_analysis", "stream_id": "cam1"})).await;
    }
    let told = client.next().await.unwrap();
    assert!(told["message"].as_str().unwrap().contains("16 analyses are being waited for"), "{told}");
    served.engine.tell("cam1", frame(0, None, 1, &[]));
    for _ in 0..16 {
        assert_eq!(client.next().await.unwrap()["analysis"]["pts"], 1);
    }
    settled(&mut client).await;
}
