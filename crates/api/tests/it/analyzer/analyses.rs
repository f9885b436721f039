//! Stored analyses, the newest first, page by page.

use ocelli_store::{AnchorOrigin, Streams as _, WallAnchor};
use serde_json::{Value, json};

use super::{camera, run_id};
use crate::stand::{
    Stand,
    facts::{looked_at, pts, run, seen},
};

async fn page(stand: &Stand, query: &str) -> Value {
    stand.get(&format!("/api/streams/cam1/analysis/{query}")).await.with_status(200).json()
}

/// Run, slot and model of each.
fn places(page: &Value) -> Vec<(i64, i64, String)> {
    let place = |analysis: &Value| {
        let slot = (analysis["pts"].as_i64().unwrap() - pts(0)) / 90_000;
        (analysis["run"].as_i64().unwrap(), slot, analysis["model"].as_str().unwrap().to_owned())
    };
    page["results"].as_array().unwrap().iter().map(place).collect()
}

#[tokio::test]
async fn an_analysis_has_the_fields_of_the_contract() {
    let stand = Stand::new().await;
    camera(&stand, "cam1").await;
    let open = run(&stand.store, "cam1", 2, "ssd").await;
    looked_at(&stand.store, open, &[Some(vec![seen("car", 0.9)]), None, Some(Vec::new())]).await;
    for slash in ["/", ""] {
        let path = format!("/api/streams/cam1/analysis{slash}");
        let found = stand.get(&path).await.with_status(200).json();
        let [empty, car] = found["results"].as_array().unwrap().as_slice() else { panic!("{found}") };
        let version = car["model_version"].as_str().unwrap();
        let expected = json!({"id": car["id"], "stream_id": "cam1", "session_id": null,
            "timestamp": "1970-01-01T00:00:01.002Z", "processing_time": 0.0089, "analysis_type": "object_detection",
            "frame_timestamp": 0.5, "provider": "local", "visual": null, "run": 2, "pts": 45_000,
            "time_base": [1, 90_000], "captured_at": null, "model": "ssd", "model_version": version,
            "frame_width": 640, "frame_height": 360, "detections": [{"label": "car", "confidence": 0.9,
                "bbox": {"x": 0.25, "y": 0.5, "width": 0.1, "height": 0.2}, "detection_type": "object", "track_id": 1}]});
        assert_eq!(car, &expected);
        assert_eq!((&empty["detections"], &empty["frame_timestamp"]), (&json!([]), &json!(2.5)));
        assert_ne!(empty["id"], car["id"]);
        assert_eq!(found["next_cursor"], Value::Null);
    }
    // Its wall time, once that is known.
    let run = run_id(&stand, "cam1", 2).await;
    let anchor =
        WallAnchor { pts: 0, unix_ns: 1_795_965_053_000_000_000, origin: AnchorOrigin::SenderReport };
    stand.store.anchor(run, &[anchor]).await.unwrap();
    let found = page(&stand, "").await;
    let times =
        |of: &str| found["results"].as_array().unwrap().iter().map(|one| one[of].clone()).collect::<Vec<_>>();
    let expected = ["2026-11-29T15:10:55.500Z", "2026-11-29T15:10:53.500Z"];
    assert_eq!(
        (times("captured_at"), times("timestamp")),
        (expected.map(Value::from).to_vec(), expected.map(Value::from).to_vec())
    );
}

#[tokio::test]
async fn pages_go_through_all_runs_and_models_from_the_newest_on() {
    let stand = Stand::new().await;
    camera(&stand, "cam1").await;
    assert_eq!(page(&stand, "").await, json!({"results": [], "next_cursor": null}));
    let mut expected = Vec::new();
    for ordinal in 0..4 {
        // One run in between saw nothing.
        let slots = if ordinal == 2 { 0 } else { 5 };
        for model in ["ssd", "yolo"] {
            let open = run(&stand.store, "cam1", ordinal, model).await;
            let all = vec![Some(vec![seen("car", 0.9)]); slots];
            if slots > 0 {
                looked_at(&stand.store, open, &all).await;
            }
        }
        for slot in 0..slots as i64 {
            expected.push((i64::from(ordinal), slot, "yolo".to_owned()));
            expected.push((i64::from(ordinal), slot, "ssd".to_owned()));
        }
    }
    expected.reverse();
    assert_eq!(places(&page(&stand, "").await), expected);
    for limit in [1, 3, 7, 10, 29, 30, 31] {
        let (mut found, mut query) = (Vec::new(), format!("?limit={limit}"));
        loop {
            let page = page(&stand, &query).await;
            let places = places(&page);
            assert!(places.len() <= limit);
            found.extend(places);
            let Value::String(cursor) = &page["next_cursor"] else { break };
            query = format!("?limit={limit}&cursor={cursor}");
        }
        assert_eq!(found, expected, "{limit}");
    }
}

/// Pictures that were written are results too, of nothing that anybody analysed.
#[tokio::test]
async fn frames_of_the_folder_are_no_analyses() {
    let stand = Stand::new().await;
    camera(&stand, "cam1").await;
    let open = run(&stand.store, "cam1", 0, "frames").await;
    looked_at(&stand.store, open, &[Some(Vec::new())]).await;
    assert_eq!(page(&stand, "").await["results"], json!([]));
}
