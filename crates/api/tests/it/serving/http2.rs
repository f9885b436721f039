//! HTTP/2 frames by hand (RFC 9113), for what no client library would send.

use tokio::io::AsyncWriteExt as _;

use super::*;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// `GET http /ok`, by indices of the static table (RFC 7541 appendix A) and one literal.
fn get_ok(stream: u32) -> Vec<u8> {
    frame(HEADERS, 0x5, stream, b"\x82\x86\x04\x03/ok\x01\x01x")
}

/// The frames that a server sent.
fn frames(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut found = Vec::new();
    while let Some((head, rest)) = bytes.split_at_checked(9) {
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let Some((payload, rest)) = rest.split_at_checked(length) else { break };
        found.push((head[3], payload.to_vec()));
        bytes = rest;
    }
    found
}

async fn all(client: &mut TcpStream) -> Vec<(u8, Vec<u8>)> {
    let mut bytes = Vec::new();
    // A connection that is cut while we still send may end hard.
    drop(tokio::io::AsyncReadExt::read_to_end(client, &mut bytes).await);
    frames(&bytes)
}

#[tokio::test(start_paused = true)]
async fn streams_that_are_opened_and_reset_in_a_flood_end_the_connection() {
    let server = Running::plain(router());
    let mut client = server.connect().await;
    client.write_all(PREFACE).await.unwrap();
    client.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    let mut flood = Vec::new();
    for number in 0..10_000 {
        let stream = 2 * number + 1;
        flood.extend(get_ok(stream));
        flood.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
    }
    drop(client.write_all(&flood).await);
    let frames = all(&mut client).await;
    let (_, payload) = frames.iter().find(|(kind, _)| *kind == GOAWAY).expect("the server says good-bye");
    assert_eq!(payload[4..8], ENHANCE_YOUR_CALM.to_be_bytes(), "{payload:?}");
    server.check_well().await;
}

#[tokio::test(start_paused = true)]
async fn plain_connections_may_begin_with_http2() {
    let server = Running::plain(router());
    let mut client = server.connect().await;
    client.write_all(PREFACE).await.unwrap();
    client.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    client.write_all(&get_ok(1)).await.unwrap();
    // It ends for being idle, as others do.
    let frames = all(&mut client).await;
    assert!(frames.iter().any(|(kind, payload)| *kind == 0 && payload == b"ok"), "{frames:?}");
    assert!(frames.iter().any(|(kind, _)| *kind == GOAWAY), "{frames:?}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_requests_ends() {
    let server = Running::start(router(), LimitsConfig { head_s: 20, ..LimitsConfig::default() }, None);
    let mut client = server.connect().await;
    let start = tokio::time::Instant::now();
    client.write_all(PREFACE).await.unwrap();
    client.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    let frames = all(&mut client).await;
    assert!(frames.iter().any(|(kind, _)| *kind == GOAWAY), "{frames:?}");
    let seconds = start.elapsed().as_secs();
    assert!((20..30).contains(&seconds), "{seconds}");
}
