//! Live media over WebSockets.

use std::time::Duration;

use ocelli_api::LiveSettings;
use serde_json::{Value, json};

use super::{
    camera::{Camera, FIRST_PTS, GROUP, TICKS},
    create,
};
use crate::{
    follow::client::{Client, Said, Served},
    stand::{Stand, open},
};

const MEDIA: &str = "/api/v1/streams/cam1/media";

async fn served() -> Served {
    let stand = Stand::with(open(), LiveSettings::default()).await;
    create(&stand, "cam1").await;
    Served::new(stand).await
}

async fn text(client: &mut Client) -> Value {
    match client.hear().await {
        Some(Said::Text(value)) => value,
        other => panic!("{other:?}"),
    }
}

async fn binary(client: &mut Client) -> Vec<u8> {
    match client.hear().await {
        Some(Said::Bytes(bytes)) => bytes,
        other => panic!("{other:?}"),
    }
}

/// Flags, run, number of the segment, first PTS; then the media.
fn part(bytes: &[u8]) -> (u8, u32, u64, i64, &[u8]) {
    assert_eq!((bytes[0], &bytes[2..4]), (1, &[0, 0][..]));
    let run = u32::from_be_bytes(*bytes[4..].first_chunk().unwrap());
    let number = u64::from_be_bytes(*bytes[8..].first_chunk().unwrap());
    let pts = i64::from_be_bytes(*bytes[16..].first_chunk().unwrap());
    assert_eq!(&bytes[28..32], b"moof");
    (bytes[1], run, number, pts, &bytes[24..])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_is_sent_each_part() {
    let served = served().await;
    assert_eq!(Client::refused(&served, MEDIA).await, 404);
    let mut camera = Camera::new(&served.stand, "cam1").await;
    camera.show(GROUP + 8);
    let mut client = Client::connect(&served, MEDIA).await;
    let begins = FIRST_PTS + GROUP as i64 * TICKS;
    let init = text(&mut client).await;
    let codecs = init["codecs"].as_str().unwrap().to_owned();
    assert!(codecs.starts_with("avc1."), "{codecs}");
    assert_eq!(
        init,
        json!({"type": "init", "run": 0, "time_base": [1, 90_000], "timescale": 90_000, "codecs": codecs,
            "width": 320, "height": 240, "base_pts": begins})
    );
    let init = binary(&mut client).await;
    assert_eq!(&init[4..8], b"ftyp");
    camera.show(GROUP);
    let (mut parts, mut media) = (Vec::new(), Vec::new());
    while parts.last().is_none_or(|(_, number, _)| *number < 2) {
        let bytes = binary(&mut client).await;
        let (flags, run, number, pts, fragment) = part(&bytes);
        assert_eq!(run, 0);
        if number == 1 {
            media.extend_from_slice(fragment);
        }
        parts.push((flags, number, pts));
    }
    assert_eq!(parts[0], (3, 1, begins), "a keyframe that continues nothing");
    assert!(parts.is_sorted_by_key(|(_, number, pts)| (*number, *pts)), "{parts:?}");
    assert_eq!(parts.iter().filter(|(flags, _, _)| *flags == 1).count(), 1, "{parts:?}");
    assert_eq!(parts.last().unwrap().2, begins + GROUP as i64 * TICKS);
    let segment = served.stand.get("/api/v1/streams/cam1/hls/1.m4s").await.with_status(200);
    assert!(segment.bytes == media, "the same bytes as over HTTP");

    camera.reconnect(4);
    camera.show(8);
    let next = loop {
        if let Said::Text(next) = client.hear().await.unwrap() {
            break next;
        }
    };
    assert_eq!(
        (&next["type"], &next["run"], &next["base_pts"]),
        (&json!("init"), &json!(4), &json!(FIRST_PTS))
    );
    binary(&mut client).await;
    let first = binary(&mut client).await;
    assert_eq!((part(&first).0, part(&first).1, part(&first).3), (3, 4, FIRST_PTS));
    camera.end(&served.stand).await;
    let ended = loop {
        match client.hear().await.unwrap() {
            Said::Text(ended) => break ended,
            Said::Bytes(_) => {}
        }
    };
    assert_eq!(ended, json!({"type": "ended"}));
    assert_eq!(client.end().await, Some(1000));
}

/// The connection's buffers hold some; what the window lets go is missed, counted, and nobody waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_misses_parts_up_to_a_keyframe_and_holds_nobody_up() {
    let served = served().await;
    let mut camera = Camera::new(&served.stand, "cam1").await;
    camera.show(GROUP);
    let mut slow = Client::connect_small(&served, MEDIA).await;
    let mut lively = Client::connect(&served, MEDIA).await;
    text(&mut lively).await;
    binary(&mut lively).await;
    // Ten times round, so that no buffer of a socket holds it all.
    for run in 1..=120 {
        camera.reconnect(run);
        camera.show(200);
        while !matches!(lively.hear().await.unwrap(), Said::Text(init) if init["run"] == run) {}
    }
    let mut missed = 0;
    let mut after_loss = false;
    loop {
        match slow.hear().await.unwrap() {
            Said::Text(told) if told["type"] == "missed" => {
                missed += told["parts"].as_u64().unwrap();
                after_loss = true;
            }
            Said::Text(_) => {}
            Said::Bytes(bytes) if bytes[4..8] == *b"ftyp" => {}
            Said::Bytes(bytes) => {
                let (flags, run, ..) = part(&bytes);
                if std::mem::take(&mut after_loss) {
                    assert_eq!(flags, 3, "after a loss comes a keyframe that continues nothing");
                }
                if run == 120 {
                    break;
                }
            }
        }
    }
    assert!(missed > 100, "{missed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_viewers_are_closed() {
    let live = LiveSettings {
        ping: Duration::from_millis(10),
        patience: Duration::from_millis(50),
        ..LiveSettings::default()
    };
    let stand = Stand::with(open(), LiveSettings { most_sockets: 1, ..live }).await;
    create(&stand, "cam1").await;
    let served = Served::new(stand).await;
    let mut camera = Camera::new(&served.stand, "cam1").await;
    camera.show(GROUP);
    let silent = Client::connect(&served, MEDIA).await;
    assert_eq!(Client::refused(&served, MEDIA).await, 503, "there is one seat");
    while Client::try_connect(&served, MEDIA).await.is_err() {
        tokio::task::yield_now().await;
    }
    drop(silent);
}
