//! Health, readiness, metrics.

use ocelli_store::SqliteStore;
use serde_json::json;

use crate::stand::Stand;

#[tokio::test]
async fn readiness_tells_why_not() {
    let stand = Stand::new().await;
    assert_eq!(stand.get("/healthz").await.with_status(200).json(), json!({"status": "alive"}));
    assert_eq!(stand.get("/readyz").await.with_status(200).json(), json!({"ready": true, "reasons": []}));
    stand.outside.obstacles.lock().unwrap().push("shutting down".to_owned());
    let answer = stand.get("/readyz").await.with_status(503).json();
    assert_eq!(answer, json!({"ready": false, "reasons": ["shutting down"]}));
    stand.outside.obstacles.lock().unwrap().clear();
    SqliteStore::close(&stand.store).await.unwrap();
    let answer = stand.get("/readyz").await.with_status(503).json();
    assert!(answer["reasons"][0].as_str().unwrap().contains("store"), "{answer}");
    stand.get("/healthz").await.with_status(200);
}

#[tokio::test]
async fn metrics_are_open_metrics_text() {
    let stand = Stand::new().await;
    let answer = stand.get("/metrics").await.with_status(200);
    assert_eq!(
        answer.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    let text = answer.text();
    let lines = [
        "process_cpu_seconds_total 2.5",
        "process_resident_memory_bytes 1024.0",
        "process_open_fds 9.0",
        "ocelli_frames_disk_bytes 100.0",
        "ocelli_frames_disk_free_bytes 900.0",
        "ocelli_stream_state{stream=\"cam1\",state=\"running\"} 1",
        "ocelli_stream_state{stream=\"cam1\",state=\"error\"} 0",
        "ocelli_stream_state{stream=\"cam2\",state=\"error\"} 1",
        "ocelli_stream_cpu_seconds_total{stream=\"cam1\",stage=\"decode\"} 1.5",
        "ocelli_stream_cpu_seconds_total{stream=\"cam1\",stage=\"jpeg\"} 0.25",
        "ocelli_stream_slots_total{stream=\"cam1\",verdict=\"analysed\"} 9.0",
        "ocelli_stream_drops_total{stream=\"cam1\",reason=\"queue full\"} 3.0",
        "ocelli_stream_queue_depth{stream=\"cam1\",queue=\"coded\"} 2.0",
        "ocelli_stream_frames_written_total{stream=\"cam1\"} 12.0",
        "ocelli_stream_received_bytes_total{stream=\"cam1\"} 4096.0",
        "ocelli_stream_restarts_total{stream=\"cam1\"} 1.0",
        "ocelli_stream_latency_seconds_count{stream=\"cam1\"} 4",
        "ocelli_stream_latency_seconds_sum{stream=\"cam1\"} 40.444",
        "ocelli_stream_latency_seconds_bucket{le=\"0.005\",stream=\"cam1\"} 1",
        "ocelli_stream_latency_seconds_bucket{le=\"0.05\",stream=\"cam1\"} 2",
        "ocelli_stream_latency_seconds_bucket{le=\"5.0\",stream=\"cam1\"} 3",
        "ocelli_stream_latency_seconds_bucket{le=\"+Inf\",stream=\"cam1\"} 4",
    ];
    for line in lines {
        assert!(text.lines().any(|found| found == line), "no {line:?} in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
    for family in text.lines().filter(|line| line.starts_with("# TYPE")) {
        let name = family.split(' ').nth(2).unwrap();
        assert!(text.contains(&format!("# HELP {name} ")), "{name} is not explained");
    }
}
