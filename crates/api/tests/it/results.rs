//! Stored results, runs and ledgers, over a real store.

use axum::http::Method;
use ocelli_model::Verdict;
use ocelli_store::{Entry, ResultLog as _, Span};
use serde_json::{Value, json};

use crate::stand::{
    Stand,
    facts::{ended, looked_at, pts, run, seen},
};

async fn camera(stand: &Stand) {
    let stream = json!({"id": "cam1", "source": {"url": "rtsp://192.0.2.7/one"}, "frames": {}});
    stand.json(Method::POST, "/api/v1/streams", &stream).await.with_status(201);
}

/// All pages of a question, and how many they were.
async fn pages(stand: &Stand, question: &str) -> (Vec<Value>, usize) {
    let mut found = Vec::new();
    let mut cursor = String::new();
    for page in 1.. {
        let answer = stand.get(&format!("/api/v1/streams/cam1/results?{question}{cursor}")).await;
        let answer = answer.with_status(200).json();
        found.extend(answer["items"].as_array().unwrap().iter().cloned());
        let Some(next) = answer["next_cursor"].as_str() else { return (found, page) };
        cursor = format!("&cursor={next}");
    }
    unreachable!()
}

fn slots(found: &[Value]) -> Vec<i64> {
    found.iter().map(|frame| (frame["pts"].as_i64().unwrap() - pts(0)) / 90_000).collect()
}

#[tokio::test]
async fn results_are_those_that_were_stored() {
    let stand = Stand::new().await;
    camera(&stand).await;
    let none = stand.get("/api/v1/streams/cam1/results").await.with_status(200).json();
    assert_eq!(none, json!({"items": [], "next_cursor": null}));
    let open = run(&stand.store, "cam1", 0, "ssd").await;
    looked_at(&stand.store, open, &[Some(vec![seen("car", 0.9137)]), None, Some(Vec::new())]).await;
    let (found, _) = pages(&stand, "").await;
    assert_eq!(slots(&found), [0, 2]);
    let version = found[0]["analyzer_version"].as_str().unwrap().to_owned();
    assert_eq!(
        found[0],
        json!({"stream": "cam1", "run": 0, "pts": 45_000, "time_base": [1, 90_000], "seconds": 0.5, "model": "ssd",
            "analyzer_version": version, "verdict": "analysed", "width": 640, "height": 360,
            "detections": [{"label": "car", "confidence": 0.9137,
                "box": {"x": 0.25, "y": 0.5, "width": 0.1, "height": 0.2},
                "box_px": {"x": 160.0, "y": 180.0, "width": 64.0, "height": 72.0}, "track": 1}],
            "timing_ms": {"analyze": 8.9}})
    );
    // Results of a deleted stream stay.
    stand.ask(Method::DELETE, "/api/v1/streams/cam1", "", "").await.with_status(204);
    assert_eq!(pages(&stand, "").await.0.len(), 2);
}

#[tokio::test]
async fn questions_are_answered_page_by_page() {
    let stand = Stand::new().await;
    camera(&stand).await;
    let ssd = run(&stand.store, "cam1", 0, "ssd").await;
    let cars = |slot: usize| {
        if slot.is_multiple_of(7) {
            vec![seen("car", 0.9), seen("person", 0.6)]
        } else {
            vec![seen("person", 0.4)]
        }
    };
    let all: Vec<_> = (0..50).map(|slot| Some(cars(slot))).collect();
    looked_at(&stand.store, ssd, &all).await;
    let yolo = run(&stand.store, "cam1", 0, "yolo").await;
    looked_at(&stand.store, yolo, &all[..10]).await;
    let other = run(&stand.store, "cam2", 0, "ssd").await;
    looked_at(&stand.store, other, &all).await;
    let sevens = [0, 7, 14, 21, 28, 35, 42, 49];
    let all: Vec<i64> = (0..50).collect();
    let both: Vec<i64> = (0..10).flat_map(|slot| [slot, slot]).chain(10..50).collect();
    let cases: Vec<(&str, Vec<i64>, usize)> = vec![
        ("limit=500", both.clone(), 1),
        ("limit=7", both, 9),
        ("limit=7&model=ssd", all.clone(), 8),
        ("limit=50&model=ssd", all.clone(), 1),
        ("limit=49&model=ssd", all, 2),
        ("model=none", vec![], 1),
        ("model=yolo", (0..10).collect(), 1),
        ("model=ssd&class=car", sevens.to_vec(), 1),
        ("model=ssd&class=car&limit=3", sevens.to_vec(), 3),
        ("class=car&limit=3", [0, 0, 7, 7].into_iter().chain(sevens[2..].iter().copied()).collect(), 4),
        ("model=ssd&class=none", vec![], 1),
        ("model=ssd&min_confidence=0.5", sevens.to_vec(), 1),
        ("model=ssd&class=person&min_confidence=0.5&limit=1", sevens.to_vec(), 8),
        ("model=ssd&from_seconds=2.5&to_seconds=5.5", vec![2, 3, 4], 1),
        ("model=ssd&from_seconds=2.5&to_seconds=5.5&limit=2", vec![2, 3, 4], 2),
        ("model=ssd&from_pts=225000&to_pts=225001", vec![2], 1),
        ("model=ssd&from_seconds=7&class=car&to_seconds=20", vec![7, 14], 1),
        ("model=ssd&from_seconds=1e300", vec![], 1),
    ];
    for (question, expected, most) in cases {
        let (found, count) = pages(&stand, question).await;
        assert_eq!((slots(&found), count), (expected, most), "{question}");
        assert!(found.iter().all(|frame| frame["stream"] == "cam1"));
    }
    let (cars, _) = pages(&stand, "model=ssd&class=car").await;
    assert!(cars.iter().all(|frame| frame["detections"].as_array().unwrap().len() == 1), "{cars:?}");
    for bad in ["from_pts=1&from_seconds=1", "from_seconds=nan", "from_seconds=5&to_seconds=4"] {
        stand.get(&format!("/api/v1/streams/cam1/results?{bad}")).await.expect_problem(422, "");
    }
}

#[tokio::test]
async fn runs_are_listed_from_the_newest() {
    let stand = Stand::new().await;
    camera(&stand).await;
    for ordinal in 0..5 {
        let open = run(&stand.store, "cam1", ordinal, "ssd").await;
        looked_at(&stand.store, open, &[Some(vec![seen("car", 0.5 + 0.1 * ordinal as f32)])]).await;
        if ordinal < 4 {
            ended(&stand.store, open, 20).await;
        }
    }
    let first = stand.get("/api/v1/streams/cam1/runs?limit=2").await.with_status(200).json();
    let ordinals = |page: &Value| -> Vec<i64> {
        page["items"].as_array().unwrap().iter().map(|run| run["run"].as_i64().unwrap()).collect()
    };
    assert_eq!((ordinals(&first), &first["next_cursor"]), (vec![4, 3], &json!("3")));
    assert_eq!(first["items"][0]["state"], "open");
    assert_eq!(first["items"][0]["duration_seconds"], json!(null));
    let whole = &first["items"][1];
    assert_eq!((&whole["state"], &whole["duration_seconds"]), (&json!("whole"), &json!(20.0)));
    assert_eq!((&whole["time_base"], &whole["t0_pts"]), (&json!([1, 90_000]), &json!(45_000)));
    let rest = stand.get("/api/v1/streams/cam1/runs?cursor=3").await.with_status(200).json();
    assert_eq!((ordinals(&rest), &rest["next_cursor"]), (vec![2, 1, 0], &json!(null)));
    // Without a run, the newest is meant.
    for (question, run) in [("", 4), ("run=1", 1)] {
        let (found, _) = pages(&stand, question).await;
        assert_eq!(found[0]["run"], run, "{question}");
    }
}

#[tokio::test]
async fn a_ledger_shows_that_it_balances_or_not() {
    let stand = Stand::new().await;
    camera(&stand).await;
    let none = stand.get("/api/v1/streams/cam1/ledger").await.with_status(200).json();
    assert_eq!(none, json!({"run": null, "ledgers": []}));
    let open = run(&stand.store, "cam1", 0, "ssd").await;
    let mut slots = vec![Some(Vec::new()); 25];
    (slots[3], slots[4], slots[12]) = (None, None, None);
    looked_at(&stand.store, open, &slots).await;
    // In hand when the process died.
    stand.store.commit(&[Entry::Due { ledger: open.ledger, span: Span::slots(25, 26) }]).await.unwrap();
    let gated = Entry::Unseen {
        ledger: open.ledger,
        span: Span::one(25),
        verdict: Verdict::Gated,
        reason: String::new(),
        pts: None,
    };
    stand.store.commit(&[gated]).await.unwrap();
    let ledgers = stand.get("/api/v1/streams/cam1/ledger").await.with_status(200).json();
    let ledger = &ledgers["ledgers"][0];
    assert_eq!(
        ledger["verdicts"],
        json!({"due": 26, "analysed": 22, "gated": 1, "dropped": 0, "failed": 3, "empty": 0, "lost": 0})
    );
    assert_eq!(
        (&ledger["due"], &ledger["unsettled"], &ledger["balanced"]),
        (&json!(27), &json!(1), &json!(false))
    );
    assert_eq!((&ledger["fps"], &ledger["model"]), (&json!("1"), &json!("ssd")));
    let windows = ledger["windows"].as_array().unwrap();
    assert_eq!(windows.len(), 3);
    assert_eq!((&windows[0]["from_seconds"], &windows[0]["to_seconds"]), (&json!(0.5), &json!(10.5)));
    assert_eq!(windows[0]["reasons"], json!([{"verdict": "failed", "reason": "damaged", "count": 2}]));
    assert_eq!((&windows[1]["balanced"], &windows[2]["balanced"]), (&json!(true), &json!(false)));
    for part in ["due", "unsettled"] {
        let sum: i64 = windows.iter().map(|window| window[part].as_i64().unwrap()).sum();
        assert_eq!(ledger[part], sum, "windows sum up to the whole: {part}");
    }
    let page = stand.get("/api/v1/streams/cam1/ledger?from_window=1&limit=1&model=ssd").await.json();
    let ledger = &page["ledgers"][0];
    assert_eq!((&ledger["windows"][0]["window"], &ledger["next_window"]), (&json!(1), &json!(2)));
    let other = stand.get("/api/v1/streams/cam1/ledger?analyzer_version=0123456789abcdef").await.json();
    assert_eq!(other["ledgers"], json!([]));
}
