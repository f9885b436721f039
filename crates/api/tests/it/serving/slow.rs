//! Clients that take their time.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    routing,
};
use futures_util::stream;
use tokio::{
    io::AsyncWriteExt as _,
    sync::mpsc,
    time::{Instant, sleep},
};

use super::*;

/// A piece of an answer that goes on.
static PIECE: &[u8] = &[0; 65_536];

/// The seconds until the server ended the connection of a client that sent this and waits.
async fn held(limits: LimitsConfig, sent: &str, expected: &str) -> u64 {
    let server = Running::start(router(), limits, None);
    let start = Instant::now();
    let answer = server.ask(sent).await;
    let (head, _) = answer.split_once("\r\n").unwrap_or((&answer, ""));
    assert_eq!(head, expected, "{sent:?} {answer}");
    let seconds = start.elapsed().as_secs();
    server.check_well().await;
    seconds
}

#[tokio::test(start_paused = true)]
async fn whoever_does_not_finish_a_request_is_given_up() {
    let limits = || LimitsConfig { head_s: 20, idle_s: 100, body_stall_s: 30, ..LimitsConfig::default() };
    let check = async |sent: &str, expected: &str, between: [u64; 2]| {
        let held = held(limits(), sent, expected).await;
        assert!((between[0]..=between[1]).contains(&held), "{sent:?} was held for {held} s");
    };
    check("", "", [20, 27]).await;
    check("GET", "", [20, 27]).await;
    check("GET /ok HTTP/1.1\r\nhost: x\r\n", "", [20, 27]).await;
    check("GET /ok HTTP/1.1\r\nhost: x\r\n\r\n", "HTTP/1.1 200 OK", [100, 107]).await;
    check("GET /ok HTTP/1.1\r\nhost: x\r\n\r\nGET /ok HTTP", "HTTP/1.1 200 OK", [100, 107]).await;
    let body = "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n1234";
    check(body, "HTTP/1.1 408 Request Timeout", [30, 37]).await;
    let chunked = "POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n4\r\n1234\r\n5";
    check(chunked, "HTTP/1.1 408 Request Timeout", [30, 37]).await;
}

#[tokio::test(start_paused = true)]
async fn a_head_that_comes_byte_by_byte_is_not_worth_more_time() {
    let server = Running::start(router(), LimitsConfig { head_s: 20, ..LimitsConfig::default() }, None);
    let mut client = server.connect().await;
    let start = Instant::now();
    let head = "GET /ok HTTP/1.1\r\nx-slow: ".bytes().chain(std::iter::repeat(b'a'));
    for byte in head {
        if client.write_all(&[byte]).await.is_err() {
            break;
        }
        sleep(Duration::from_secs(1)).await;
    }
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_comes_byte_by_byte_is_given_up() {
    let server = Running::start(router(), LimitsConfig { body_stall_s: 30, ..LimitsConfig::default() }, None);
    let (mut read, mut write) = server.connect().await.into_split();
    let drip = async {
        write.write_all(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 999999\r\n\r\n").await.unwrap();
        while write.write_all(b"x").await.is_ok() {
            sleep(Duration::from_secs(5)).await;
        }
    };
    let start = Instant::now();
    let answer = async {
        let answer = answer(&mut read, "}").await;
        (answer, start.elapsed().as_secs())
    };
    let (answer, seconds) = tokio::select! { answer = answer => answer, () = drip => panic!("no answer") };
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    assert!((30..40).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_that_is_fast_enough_arrives() {
    let server = Running::start(router(), LimitsConfig { body_stall_s: 30, ..LimitsConfig::default() }, None);
    let mut client = server.connect().await;
    let head = "POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 819200\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..100 {
        client.write_all(&[0; 8192]).await.unwrap();
        sleep(Duration::from_secs(5)).await;
    }
    assert!(rest(&mut client).await.ends_with("\r\n\r\n819200"));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_given_up() {
    let (sender, mut gone) = mpsc::channel::<()>(1);
    let endless = move || {
        let sender = sender.clone();
        let pieces = stream::repeat_with(move || {
            let _alive = &sender;
            Ok::<_, std::convert::Infallible>(Bytes::from_static(PIECE))
        });
        async move { Body::from_stream(pieces) }
    };
    let limits = LimitsConfig { write_stall_s: 40, ..LimitsConfig::default() };
    let server = Running::start(router().route("/endless", routing::get(endless)), limits, None);
    let mut client = server.connect().await;
    let start = Instant::now();
    client.write_all(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    // The router holds one sender, the answer another: its end is told by the count.
    let mut senders = 0;
    while senders != 1 || start.elapsed().is_zero() {
        sleep(Duration::from_secs(1)).await;
        senders = gone.sender_strong_count();
        assert!(start.elapsed().as_secs() < 60, "the answer goes on");
    }
    assert!(start.elapsed().as_secs() >= 40, "{:?}", start.elapsed());
    gone.close();
    server.check_well().await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_never_answers_is_given_up() {
    let never = || std::future::pending::<&'static str>();
    let limits = LimitsConfig { answer_s: 50, ..LimitsConfig::default() };
    let server = Running::start(router().route("/never", routing::any(never)), limits, None);
    let start = Instant::now();
    let answer = server.ask("GET /never HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\"title\":\"Late\""), "{answer}");
    assert_eq!(start.elapsed().as_secs(), 50);
}
