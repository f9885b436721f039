//! The local camera, started and waited for.

use std::{sync::Arc, time::Duration};

use axum::http::Method;
use ocelli_api::{AnalyzerSettings, Engine as _, LiveSettings};
use ocelli_engine::StreamState;
use serde_json::json;

use super::{at, create};
use crate::{
    playback::camera::Camera,
    stand::{Answer, Stand, engine::id, open},
};

/// With a synthetic camera for the local one, and this much patience.
async fn stand(webcam: &str, patience: Duration) -> Arc<Stand> {
    let analyzer = AnalyzerSettings {
        webcam: webcam.to_owned(),
        webcam_patience: patience,
        ..AnalyzerSettings::default()
    };
    let stand = Stand::with(open(), LiveSettings::default())
        .await
        .configured(|settings| settings.analyzer = analyzer);
    Arc::new(stand)
}

fn start(stand: &Arc<Stand>, slash: &'static str) -> tokio::task::JoinHandle<Answer> {
    let stand = Arc::clone(stand);
    tokio::spawn(async move { stand.ask(Method::POST, &at("webcam/start", slash), "", "").await })
}

/// Waits until somebody waits for the stream.
async fn awaited(stand: &Stand, key: &str) {
    while stand.engine.status(&id(key)).is_err() || stand.engine.followers(key) == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn it_is_opened_and_answers_once_it_can_be_played() {
    let stand = stand("synthetic:", Duration::from_mins(1)).await;
    for slash in ["/", ""] {
        let answer = start(&stand, slash);
        awaited(&stand, "webcam").await;
        stand.engine.set("webcam", |status| status.state = StreamState::Running);
        let mut camera = Camera::new(&stand, "webcam").await;
        assert!(!answer.is_finished(), "nothing can be played");
        camera.show(60);
        // What waits looks again with the next news.
        stand.engine.set("webcam", |status| status.codec = Some("h264".to_owned()));
        stand.engine.tell("webcam", super::frame(0, None, 0, &[]));
        let answer = answer.await.unwrap().with_status(200).json();
        assert!(answer["message"].as_str().unwrap().contains("A synthetic camera stands in"), "{answer}");
        let told =
            [&answer["stream_key"], &answer["status"], &answer["source_type"], &answer["hls_playlist_url"]];
        assert_eq!(
            told,
            [&json!("webcam"), &json!("active"), &json!("webcam"), &json!("/streaming/webcam.m3u8")]
        );
        // Once more, it is there already.
        let again = start(&stand, slash).await.unwrap().with_status(200).json();
        assert_eq!(again["id"], answer["id"]);
        assert_eq!(stand.engine.list().len(), 1);
        camera.end(&stand).await;
        stand.ask(Method::POST, &at("webcam/stop", slash), "", "").await.with_status(200);
    }
}

#[tokio::test]
async fn one_that_cannot_be_used_says_why_and_is_stopped() {
    let stand = stand("synthetic:", Duration::from_mins(1)).await;
    let busy = "the camera is in use by another program or stream";
    for (state, why, code) in
        [(StreamState::Error, "this machine has no such camera", 503), (StreamState::Restarting, busy, 409)]
    {
        let answer = start(&stand, "/");
        awaited(&stand, "webcam").await;
        stand.engine.set("webcam", |status| {
            (status.state, status.last_error) = (state, Some(why.to_owned()));
        });
        answer.await.unwrap().expect_error(code, why);
        let status = stand.engine.status(&id("webcam")).unwrap();
        assert_ne!(status.state, StreamState::Restarting, "it is not tried for ever");
        stand.engine.set("webcam", |status| (status.state, status.last_error) = (StreamState::Stopped, None));
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_gives_nothing_is_not_waited_for_without_end() {
    let stand = stand("synthetic:", Duration::from_secs(15)).await;
    let answer = start(&stand, "/").await.unwrap();
    answer.expect_error(503, "nothing to play within 15 s");
    assert_eq!(stand.engine.status(&id("webcam")).unwrap().state, StreamState::Stopped);
}

#[tokio::test]
async fn keys_and_cameras_that_are_no_webcam() {
    let stand = stand("synthetic:", Duration::from_mins(1)).await;
    create(&stand, &json!({"name": "a", "source_type": "rtmp", "stream_key": "webcam"})).await;
    stand.ask(Method::POST, &at("webcam/start", "/"), "", "").await.expect_error(409, "reads something else");
    for body in ["nonsense", "{\"stream_key\": \"../x\"}", "[1, 2]"] {
        let answer = stand.ask(Method::POST, &at("webcam/start", "/"), "application/json", body).await;
        answer.expect_error(400, "not valid");
    }
    let without = self::stand("nonsense", Duration::from_mins(1)).await;
    let answer = without.ask(Method::POST, &at("webcam/start", "/"), "", "").await;
    answer.expect_error(503, "no local camera here");
    assert!(without.engine.list().is_empty());
}
