//! What is recorded, and what is kept.

use axum::http::Method;
use ocelli_store::{SegmentClass, SegmentQuery};
use serde_json::json;

use super::{
    camera::{BEGAN_MS, Camera, FIRST_PTS, GROUP, TICKS},
    stand,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_is_told() {
    let stand = stand("cam1").await;
    let path = "/api/v1/streams/cam1/recording";
    let none =
        json!({"state": "off", "segments": 0, "bytes": 0, "oldest_ms": null, "newest_ms": null, "gaps": []});
    assert_eq!(stand.get(path).await.with_status(200).json(), none);
    stand.get("/api/v1/streams/none/recording").await.expect_problem(404, "no stream none");
    let mut camera = Camera::new(&stand, "cam1").await;
    camera.show(3 * GROUP);
    assert_eq!(stand.get(path).await.with_status(200).json()["state"], "recording");
    camera.end(&stand).await;
    let told = stand.get(path).await.with_status(200).json();
    assert_eq!((&told["state"], &told["segments"]), (&json!("off"), &json!(3)));
    assert_eq!(told["oldest_ms"], BEGAN_MS);
    assert_eq!(told["newest_ms"], BEGAN_MS + (3 * GROUP as i64 - 1) * 40);
    assert!(told["bytes"].as_u64().unwrap() > 10_000, "{told}");
}

/// A publisher goes and comes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_recording_whose_source_is_away_is_waiting() {
    let stand = stand("cam1").await;
    let state = async || {
        let told = stand.get("/api/v1/streams/cam1/recording").await.with_status(200).json();
        told["state"].as_str().unwrap().to_owned()
    };
    let hold = stand.archive.hold(&"cam1".parse().unwrap());
    assert_eq!(state().await, "waiting", "nobody has been there yet");
    for _time in 0..2 {
        let mut camera = Camera::new(&stand, "cam1").await;
        assert_eq!(state().await, "recording");
        camera.show(GROUP + 8);
        camera.end(&stand).await;
        assert_eq!(state().await, "waiting");
    }
    drop(hold);
    assert_eq!(state().await, "off");
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_are_paged() {
    let stand = stand("cam1").await;
    let mut camera = Camera::new(&stand, "cam1").await;
    camera.show(250);
    camera.end(&stand).await;
    let list = async |query: &str| {
        let path = format!("/api/v1/streams/cam1/recording/segments?{query}");
        stand.get(&path).await.with_status(200).json()
    };
    let numbers = |page: &serde_json::Value| -> Vec<u64> {
        page["items"].as_array().unwrap().iter().map(|item| item["number"].as_u64().unwrap()).collect()
    };
    let first = list("limit=3").await;
    assert_eq!((numbers(&first), &first["next_cursor"]), (vec![0, 1, 2], &json!("2")));
    let second = list("limit=3&cursor=2").await;
    assert_eq!((numbers(&second), &second["next_cursor"]), (vec![3, 4], &json!(null)));
    let one = &first["items"][1];
    assert_eq!(one["first_pts"], FIRST_PTS + GROUP as i64 * TICKS);
    assert_eq!(one["end_pts"], FIRST_PTS + 2 * GROUP as i64 * TICKS);
    assert_eq!((&one["seconds"], &one["class"], &one["run"]), (&json!(2.0), &json!("other"), &json!(0)));
    assert_eq!(one["time_base"], json!([1, 90_000]));
    let stretch = list(&format!("start={}&end={}&limit=1", BEGAN_MS + 2_500, BEGAN_MS + 4_500)).await;
    assert_eq!((numbers(&stretch), &stretch["next_cursor"]), (vec![1], &json!("1")));
    stand
        .get("/api/v1/streams/cam1/recording/segments?start=1")
        .await
        .expect_problem(422, "give start and end");
    stand.get("/api/v1/streams/none/recording/segments").await.expect_problem(404, "no stream none");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stretch_is_pinned_and_let_go() {
    let stand = stand("cam1").await;
    let mut camera = Camera::new(&stand, "cam1").await;
    camera.show(250);
    camera.end(&stand).await;
    let classes = async || {
        let query = SegmentQuery { limit: 10, ..SegmentQuery::default() };
        let found = stand.archive.index().segments(&query).await.unwrap();
        found.iter().map(|segment| segment.class == SegmentClass::Pinned).collect::<Vec<_>>()
    };
    let ask = async |what: &str, body: serde_json::Value| {
        stand.json(Method::POST, &format!("/api/v1/streams/cam1/recording/{what}"), &body).await
    };
    let stretch = json!({"start": (BEGAN_MS + 2_500).to_string(), "end": (BEGAN_MS + 4_500).to_string()});
    assert_eq!(ask("pin", stretch.clone()).await.with_status(200).json(), json!({"segments": 2}));
    assert_eq!(classes().await, [false, true, true, false, false]);
    assert_eq!(ask("unpin", stretch).await.with_status(200).json(), json!({"segments": 2}));
    assert_eq!(classes().await, [false; 5]);
    ask("pin", json!({"start": "1000", "end": "2000"})).await.expect_problem(404, "reaches from");
    ask("pin", json!({"start": "1000"})).await.expect_problem(422, "missing field `end`");
}
