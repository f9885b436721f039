//! Live results and status: real sockets on 127.0.0.1.

pub(crate) mod client;

use std::{sync::Arc, time::Duration};

use axum::http::Method;
use ocelli_api::LiveSettings;
use ocelli_engine::{FrameNews, LookNews, ModelLook, News, StreamState};
use ocelli_model::{TimeBase, TrackId, Verdict, VersionBuilder};
use ocelli_store::{FrameResult, RunId};
use serde_json::{Value, json};

use self::client::{Client, Served};
use crate::stand::{Stand, engine::HUB, facts::seen, open};

async fn stand_with(streams: &[&str], live: LiveSettings) -> Served {
    let stand = Stand::with(open(), live).await;
    for name in streams {
        create(&stand, name).await;
    }
    Served::new(stand).await
}

async fn create(stand: &Stand, name: &str) {
    let stream = json!({"id": name, "source": {"url": "rtsp://192.0.2.7/one"}, "frames": {}});
    stand.json(Method::POST, "/api/v1/streams", &stream).await.with_status(201);
}

fn look(model: &str, news: LookNews) -> ModelLook {
    let version = VersionBuilder::default().with("model", model).build();
    ModelLook { model: model.to_owned(), version, news }
}

fn frame(pts: i64) -> News {
    let result = FrameResult {
        width: 640,
        height: 360,
        detections: vec![seen("car", 0.9)],
        took: Duration::from_micros(8_900),
    };
    News::Frame(Arc::new(FrameNews {
        run: 2,
        run_id: Some(RunId(9)),
        pts,
        time_base: TimeBase::new(1, 90_000).unwrap(),
        frame: Some(17),
        looks: vec![
            look("ssd", LookNews::Seen(result, vec![Some(TrackId(4))])),
            look("yolo", LookNews::Unseen(Verdict::Gated, String::new())),
            look("big", LookNews::Unseen(Verdict::Failed, "damaged".to_owned())),
        ],
        latency_us: 12_345,
    }))
}

#[tokio::test]
async fn a_follower_hears_how_a_stream_stands_and_what_it_sees() {
    let served = stand_with(&["cam1"], LiveSettings::default()).await;
    let mut client = Client::connect(&served, "/api/v1/streams/cam1/live").await;
    let first = client.next().await.unwrap();
    assert_eq!(
        (&first["type"], &first["seq"], &first["status"]["state"]),
        (&json!("status"), &json!(0), &json!("starting"))
    );
    served.engine.tell("cam1", frame(135_000));
    served.engine.set("cam1", |status| status.state = StreamState::Running);
    let expected = json!({"type": "result", "stream": "cam1", "seq": 1, "run": 2, "run_id": 9, "pts": 135_000,
        "time_base": [1, 90_000], "seconds": 1.5, "frame": 17, "latency_ms": 12.345, "looks": [
            {"model": "ssd", "verdict": "analysed", "width": 640, "height": 360, "timing_ms": {"analyze": 8.9},
             "detections": [{"label": "car", "confidence": 0.9, "track": 4,
                "box": {"x": 0.25, "y": 0.5, "width": 0.1, "height": 0.2},
                "box_px": {"x": 160.0, "y": 180.0, "width": 64.0, "height": 72.0}}]},
            {"model": "yolo", "verdict": "gated"},
            {"model": "big", "verdict": "failed", "reason": "damaged"}]});
    assert_eq!(client.next().await.unwrap(), expected);
    let status = client.next().await.unwrap();
    assert_eq!((&status["seq"], &status["status"]["state"]), (&json!(2), &json!("running")));
    served.stand.ask(Method::DELETE, "/api/v1/streams/cam1", "", "").await.with_status(204);
    assert_eq!(client.next().await.unwrap(), json!({"type": "deleted", "stream": "cam1"}));
    assert_eq!(client.end().await, Some(1000));
}

#[tokio::test]
async fn types_are_told_apart() {
    let served = stand_with(&["cam1"], LiveSettings::default()).await;
    let mut results = Client::connect(&served, "/api/v1/streams/cam1/live?types=results").await;
    let mut status = Client::connect(&served, "/api/v1/streams/cam1/live?types=status").await;
    assert_eq!(status.next().await.unwrap()["seq"], 0);
    served.engine.tell("cam1", frame(1));
    served.engine.set("cam1", |_| {});
    served.engine.tell("cam1", frame(2));
    served.engine.set("cam1", |_| {});
    let seqs = async |client: &mut Client| {
        [client.next().await.unwrap(), client.next().await.unwrap()].map(|message| message["seq"].clone())
    };
    assert_eq!(seqs(&mut results).await, [json!(1), json!(3)]);
    assert_eq!(seqs(&mut status).await, [json!(2), json!(4)]);
}

#[tokio::test]
async fn all_streams_are_followed_those_that_come_later_too() {
    let live = LiveSettings { ping: Duration::from_millis(20), most_streams: 3, ..LiveSettings::default() };
    let served = stand_with(&["a", "b"], live).await;
    let mut client = Client::connect(&served, "/api/v1/live").await;
    let mut names: Vec<_> = [client.next().await.unwrap(), client.next().await.unwrap()]
        .map(|message| message["stream"].as_str().unwrap().to_owned())
        .to_vec();
    names.sort();
    assert_eq!(names, ["a", "b"]);
    served.engine.tell("b", frame(5));
    assert_eq!(client.next().await.unwrap()["stream"], "b");
    create(&served.stand, "c").await;
    let new = client.next().await.unwrap();
    assert_eq!((&new["type"], &new["stream"]), (&json!("status"), &json!("c")));
    served.engine.tell("c", frame(6));
    assert_eq!(client.next().await.unwrap()["pts"], 6);
    // There is no room for a fourth until one goes.
    create(&served.stand, "d").await;
    served.stand.ask(Method::DELETE, "/api/v1/streams/a", "", "").await.with_status(204);
    assert_eq!(client.next().await.unwrap(), json!({"type": "deleted", "stream": "a"}));
    assert_eq!(client.next().await.unwrap()["stream"], "d");
}

/// What does not fit into the buffers of the connection waits in the hub; what the hub lets go is counted and told.
#[tokio::test]
async fn a_slow_follower_is_told_how_much_it_missed() {
    let served = stand_with(&["cam1"], LiveSettings::default()).await;
    let mut client = Client::connect(&served, "/api/v1/streams/cam1/live?types=results").await;
    while served.engine.followers("cam1") == 0 {
        tokio::task::yield_now().await;
    }
    // On one thread, the server's task gets no turn in between.
    let told = HUB as u64 + 36;
    for pts in 0..told {
        served.engine.tell("cam1", frame(pts as i64));
    }
    assert_eq!(client.next().await.unwrap(), json!({"type": "missed", "stream": "cam1", "count": 36}));
    for seq in 37..=told {
        assert_eq!(client.next().await.unwrap()["seq"], seq);
    }
}

#[tokio::test]
async fn who_is_silent_or_talks_too_much_is_closed() {
    let live = LiveSettings {
        ping: Duration::from_millis(10),
        patience: Duration::from_millis(50),
        ..LiveSettings::default()
    };
    let served = stand_with(&["cam1"], live).await;
    // This one answers pings as long as it reads; it is still there when the others are gone.
    let mut lively = Client::connect(&served, "/api/v1/streams/cam1/live").await;
    let silent = Client::connect(&served, "/api/v1/streams/cam1/live").await;
    let mut talker = Client::connect(&served, "/api/v1/streams/cam1/live").await;
    assert_eq!(lively.next().await.unwrap()["seq"], 0);
    talker.say(&"x".repeat(5_000)).await;
    while talker.next().await.is_some() {}
    while served.engine.followers("cam1") > 1 {
        lively.pong().await;
    }
    drop(silent);
    served.engine.tell("cam1", frame(1));
    assert_eq!(lively.next().await.unwrap()["seq"], 1);
}

#[tokio::test]
async fn who_leaves_messages_unread_is_closed() {
    let live = LiveSettings { patience: Duration::from_millis(50), ..LiveSettings::default() };
    let served = stand_with(&["cam1"], live).await;
    let client = Client::connect(&served, "/api/v1/streams/cam1/live").await;
    // Until the buffers of the connection are full, and the server's patience is at its end.
    while served.engine.followers("cam1") > 0 {
        served.engine.tell("cam1", frame(1));
        tokio::task::yield_now().await;
    }
    drop(client);
}

#[tokio::test]
async fn more_sockets_than_allowed_are_refused() {
    let live = LiveSettings { most_sockets: 2, ..LiveSettings::default() };
    let served = stand_with(&["cam1"], live).await;
    let first = Client::connect(&served, "/api/v1/live").await;
    let _second = Client::connect(&served, "/api/v1/streams/cam1/live").await;
    assert_eq!(Client::refused(&served, "/api/v1/live").await, 503);
    drop(first);
    while Client::try_connect(&served, "/api/v1/live").await.is_err() {
        tokio::task::yield_now().await;
    }
}

/// 1,000 followers of one stream: no update missed, each encoded once. `OCELLI_FOLLOWERS` sets another number; CPU time is
/// printed.
#[expect(clippy::print_stdout, reason = "a figure for people")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_followers_miss_nothing() {
    const UPDATES: u64 = 20;
    let count = std::env::var("OCELLI_FOLLOWERS").ok().and_then(|word| word.parse().ok()).unwrap_or(1_000);
    let served = stand_with(&["cam1"], LiveSettings::default()).await;
    let mut clients = Vec::with_capacity(count);
    for _follower in 0..count {
        clients.push(Client::connect(&served, "/api/v1/streams/cam1/live?types=results").await);
    }
    while served.engine.followers("cam1") < count {
        tokio::task::yield_now().await;
    }
    let before = ocelli_api::ProcessMetrics::read();
    let mut reading = tokio::task::JoinSet::new();
    for mut client in clients {
        reading.spawn(async move {
            let mut seqs = Vec::new();
            while seqs.last() != Some(&UPDATES) {
                let message = client.next().await.unwrap();
                assert_eq!(message["type"], "result");
                seqs.push(message["seq"].as_u64().unwrap());
            }
            assert_eq!(seqs, (1..=UPDATES).collect::<Vec<_>>());
        });
    }
    for pts in 1..=UPDATES {
        served.engine.tell("cam1", frame(pts as i64));
        tokio::task::yield_now().await;
    }
    while let Some(read) = reading.join_next().await {
        read.unwrap();
    }
    let after = ocelli_api::ProcessMetrics::read();
    let micros = (after.cpu_seconds - before.cpu_seconds) * 1e6 / (count as f64 * UPDATES as f64);
    println!("{count} followers: {micros:.1} us of CPU per update and follower, both ends together");
}

/// Fields that clients tell messages apart by.
#[test]
fn messages_are_documented_by_type() {
    let document = serde_json::to_value(ocelli_api::openapi()).unwrap();
    let kinds = document["components"]["schemas"]["LiveMessage"]["oneOf"].as_array().unwrap().clone();
    let text = Value::Array(kinds).to_string();
    for kind in ["result", "status", "missed", "deleted"] {
        assert!(text.contains(&format!("[\"{kind}\"]")), "{kind}: {text}");
    }
}
