//! Bodies that are taken piece by piece.

use std::time::Duration;

use ocelli_net::{AddressPolicy, Body, Client, DownloadError, networks};

use crate::server::{Answer, Server, chain, ok, redirect};

const IDLE: Duration = Duration::from_secs(20);

fn read<T>(
    url: &str,
    first: u64,
    unchanged: Option<&str>,
    idle: Duration,
    take: impl AsyncFnOnce(Body) -> T,
) -> Result<T, DownloadError> {
    let client = Client::new(AddressPolicy::public().with(networks("127.0.0.1").unwrap())).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { Ok(take(client.read(url, first, unchanged, idle).await?).await) })
}

async fn all(mut body: Body) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(piece) = body.piece().await.unwrap() {
        bytes.extend_from_slice(&piece);
    }
    bytes
}

fn part(range: &str, body: &str) -> Answer {
    let length = body.len();
    let head = format!("HTTP/1.1 206 Partial Content\r\nContent-Range: {range}\r\nETag: \"v1\"\r\n");
    let type_ = "Content-Type: Video/MP4; codecs=x\r\n";
    Answer::Bytes(format!("{head}{type_}Content-Length: {length}\r\n\r\n{body}").into_bytes())
}

#[test]
fn parts_and_wholes_are_told_apart() {
    let server = Server::start(vec![part("bytes 2-4/5", "cde"), Answer::Bytes(ok(b"abcde"))]);
    let seen = async |body: Body| {
        let head = (body.first(), body.whole(), body.is_part());
        let (kind, validator) = (body.media_type(), body.validator().map(str::to_owned));
        (head, kind, validator, all(body).await)
    };
    let url = server.url("a");
    let one = read(&url, 2, Some("\"v1\""), IDLE, seen).unwrap();
    let expected =
        ((2, Some(5), true), Some("video/mp4".to_owned()), Some("\"v1\"".to_owned()), b"cde".to_vec());
    assert_eq!(one, expected);
    let other = read(&url, 2, None, IDLE, seen).unwrap();
    assert_eq!(other, ((0, Some(5), false), None, None, b"abcde".to_vec()));
    let asked = server.asked().concat().to_lowercase();
    assert!(asked.matches("range: bytes=2-").count() == 2 && asked.contains("if-range: \"v1\""), "{asked}");
}

type Is = fn(&DownloadError) -> bool;

#[test]
fn answers_that_are_none_fail() {
    let status = |text: &str| Answer::Bytes(format!("HTTP/1.1 {text}\r\nContent-Length: 0\r\n\r\n").into());
    let cases: [(Answer, Is); 5] = [
        (part("bytes 0-4/5", "abcde"), |e| matches!(e, DownloadError::Range { .. })),
        (part("", "abcde"), |e| matches!(e, DownloadError::Range { .. })),
        (status("416 Range Not Satisfiable"), |e| matches!(e, DownloadError::Status { .. })),
        (redirect("http://169.254.169.254/"), |e| matches!(e, DownloadError::Address { .. })),
        (redirect("file:///etc/passwd"), |e| matches!(e, DownloadError::Scheme { .. })),
    ];
    for (at, (answer, is)) in cases.into_iter().enumerate() {
        let server = Server::start(vec![answer]);
        let url = server.url("a?canary").replace("http://", "http://canary:canary@");
        let error = read(&url, 3, None, IDLE, all).unwrap_err();
        assert!(is(&error), "case {at}: {error:?}");
        assert!(!format!("{} {error:?}", chain(&error)).contains("canary"), "{error:?}");
        server.asked();
    }
    let server = Server::start(vec![Answer::Stall(Vec::new())]);
    let error = read(&server.url("a"), 0, None, Duration::from_millis(100), all).unwrap_err();
    assert!(matches!(error, DownloadError::Silent { .. }), "{error:?}");
    server.asked();
}

#[test]
fn a_server_waits_for_who_takes_no_pieces() {
    // Gigabytes, if anybody read ahead without end; it ends where the body is dropped.
    let head = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    let server = Server::start(vec![Answer::Flood(head, vec![7; 1 << 20])]);
    let first = read(&server.url("a"), 0, None, IDLE, async |mut body: Body| body.piece().await.unwrap());
    assert!(first.unwrap().is_some_and(|piece| piece.len() <= 1 << 20));
    server.asked();
}
