//! Clients that take too much.

use axum::routing;
use tokio::io::AsyncWriteExt as _;

use super::*;

#[tokio::test(start_paused = true)]
async fn bodies_are_no_larger_than_allowed() {
    let limits = LimitsConfig { upload_bytes: 1000, ..LimitsConfig::default() };
    let server = Running::start(router(), limits, None);
    let check = async |fields: &str, body: &str, expected: &str| {
        let path = "/echo HTTP/1.1\r\nhost: x\r\nconnection: close";
        let answer = server.ask(&format!("POST {path}\r\n{fields}\r\n\r\n{body}")).await;
        assert!(answer.starts_with(expected), "{fields}: {answer}");
        assert!(answer.contains("at most 1000 bytes") == expected.contains("413"), "{answer}");
    };
    check("content-length: 1000", &"x".repeat(1000), "HTTP/1.1 200 ").await;
    check("content-length: 1001", "", "HTTP/1.1 413 ").await;
    check("content-length: 99999999999999999999999", "", "HTTP/1.1 400 ").await;
    let chunked = "transfer-encoding: chunked";
    let piece = format!("1f4\r\n{}\r\n", "x".repeat(500));
    check(chunked, &format!("{piece}{piece}0\r\n\r\n"), "HTTP/1.1 200 ").await;
    check(chunked, &format!("{piece}{piece}1\r\nx\r\n0\r\n\r\n"), "HTTP/1.1 413 ").await;
    // A client that sends all of it before it reads gets its answer too: nothing is reset under it.
    let large = "x".repeat(8 << 20);
    check(&format!("content-length: {}", large.len()), &large, "HTTP/1.1 413 ").await;
}

#[tokio::test(start_paused = true)]
async fn heads_are_no_larger_than_allowed() {
    let server = Running::plain(router());
    let check = async |request: String, expected: &str| {
        let answer = server.ask(&request).await;
        assert!(answer.starts_with(expected), "{answer}");
    };
    let close = "host: x\r\nconnection: close";
    check(format!("GET /ok HTTP/1.1\r\n{close}\r\nx: {}\r\n\r\n", "a".repeat(30_000)), "HTTP/1.1 200 ").await;
    check(format!("GET /ok HTTP/1.1\r\n{close}\r\nx: {}\r\n\r\n", "a".repeat(70_000)), "HTTP/1.1 431 ").await;
    check(format!("GET /ok HTTP/1.1\r\n{close}\r\n{}\r\n", "x: y\r\n".repeat(200)), "HTTP/1.1 431 ").await;
    check(format!("GET /{} HTTP/1.1\r\n{close}\r\n\r\n", "a".repeat(70_000)), "HTTP/1.1 4").await;
    check("\0\x01\x02 garbage\r\n\r\n".to_owned(), "HTTP/1.1 400 ").await;
    server.check_well().await;
}

#[tokio::test(start_paused = true)]
async fn an_address_has_only_so_many_connections() {
    let limits = LimitsConfig { connections_per_address: 2, ..LimitsConfig::default() };
    let server = Running::start(router(), limits, None);
    let hello = b"GET /ok HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut clients = [server.connect().await, server.connect().await];
    for client in &mut clients {
        client.write_all(hello).await.unwrap();
        answer(client, "ok").await;
    }
    assert_eq!(server.ask("").await, "", "the third is closed");
    drop(clients);
    server.check_well().await;
}

#[tokio::test(start_paused = true)]
async fn beyond_the_last_connection_others_wait() {
    let limits = LimitsConfig { connections: 1, ..LimitsConfig::default() };
    let server = Running::start(router(), limits, None);
    let mut first = server.connect().await;
    first.write_all(b"GET /ok HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    answer(&mut first, "ok").await;
    let mut second = server.connect().await;
    second.write_all(b"GET /ok HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let waits = tokio::time::timeout(std::time::Duration::from_secs(1), answer(&mut second, "ok")).await;
    assert!(waits.is_err(), "there is no room");
    drop(first);
    answer(&mut second, "ok").await;
}

#[tokio::test(start_paused = true)]
async fn hundreds_of_connections_at_once_are_served() {
    let server = Running::plain(router());
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..300 {
        let mut client = server.connect().await;
        clients.spawn(async move {
            client.write_all(b"GET /ok HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
            answer(&mut client, "ok").await;
            client
        });
    }
    assert_eq!(clients.join_all().await.len(), 300);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_is_answered_for() {
    let panics = || async { if std::hint::black_box(true) { panic!("on purpose") } else { "" } };
    let router = router()
        .route("/panics", routing::get(panics))
        .route("/api/v1/video-pipeline/health/", routing::get(panics));
    let server = Running::plain(router);
    let check = async |path: &str, expected: &str| {
        let answer =
            server.ask(&format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 500 ") && answer.contains(expected), "{answer}");
        assert!(!answer.contains("on purpose"), "{answer}");
    };
    check("/panics", "\"title\":\"Defect\"").await;
    check("/api/v1/video-pipeline/health/", "\r\n\r\n{\"detail\":").await;
    server.check_well().await;
}
