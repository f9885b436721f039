//! Files that clients send: whole ones, and all others.

pub(crate) mod parts;

use std::sync::Arc;

use axum::{body::Body, http::Request};
use bytes::Bytes;
use futures_util::stream;
use ocelli_api::{Engine as _, remove_stale_uploads};
use ocelli_engine::{StreamError, StreamState};
use serde_json::json;
use tokio::sync::mpsc;

use self::parts::{BOUNDARY, file, form, text};
use crate::stand::{Answer, MOST_UPLOAD_BYTES, Stand, engine::id, outside::VIDEO};

const DECODE: &str = "/api/v1/video-pipeline/decode/";
const INFO: &str = "/api/v1/video-pipeline/video-info/";

async fn send(stand: &Stand, path: &str, parts: &[Vec<u8>]) -> Answer {
    stand.send(parts::request(path, form(parts))).await
}

/// A video of so many bytes.
fn video(bytes: usize) -> Vec<u8> {
    let pattern = (0..bytes).map(|at| (at * 7 % 251) as u8);
    VIDEO.iter().copied().chain(pattern).take(bytes.max(VIDEO.len())).collect()
}

#[tokio::test]
async fn an_upload_is_kept_until_another_decode_takes_its_place() {
    let stand = Stand::new().await;
    let sent = video(1_000_000);
    // In either order of fields.
    let orders = [
        [text("camera_id", "cam1"), file("file", "a.MP4", &sent)],
        [file("file", "x/../b", &sent), text("camera_id", "cam1")],
    ];
    let mut before = Vec::new();
    for parts in orders {
        send(&stand, DECODE, &parts).await.with_status(200);
        let kept = stand.uploads();
        assert!(kept.len() == 1 && kept[0].starts_with("cam1/") && kept != before, "{kept:?}");
        let path = stand.state.settings.uploads.join(&kept[0]);
        assert_eq!(std::fs::read(&path).unwrap(), sent);
        let spec = stand.engine.spec(&id("cam1")).unwrap();
        assert!(spec.source.untrusted);
        assert_eq!(spec.source.url.file(), Some(&*path));
        stand.engine.set("cam1", |status| status.state = StreamState::Completed);
        before = kept;
    }
    stand.form(DECODE, "camera_id=cam1&url=/media/a.mp4").await.with_status(200);
    assert_eq!(stand.uploads(), [""; 0], "nothing reads it any more");

    let parts = [text("camera_id", "cam2"), file("file", "a.mp4", &sent)];
    send(&stand, DECODE, &parts).await.with_status(200);
    assert_eq!(stand.uploads().len(), 1);
    stand.ask(axum::http::Method::DELETE, "/api/v1/streams/cam2", "", "").await.with_status(204);
    assert_eq!(stand.uploads(), [""; 0]);
}

#[tokio::test]
async fn a_file_tells_what_it_holds_and_is_removed() {
    let stand = Stand::new().await;
    let answer = send(&stand, INFO, &[text("x", "ignored"), file("video", "a.mp4", &video(5000))]).await;
    let info = json!({"format": "mov,mp4", "codec": "h264", "width": 640, "height": 360, "fps": 25.0, "duration": null});
    assert_eq!(
        answer.with_status(200).json(),
        json!({"message": "Video information retrieved", "info": info})
    );
    assert_eq!(stand.uploads(), [""; 0]);
}

#[tokio::test]
async fn files_that_are_no_videos_are_refused_and_removed() {
    let stand = Stand::new().await;
    let over = video(MOST_UPLOAD_BYTES as usize + 1);
    let far_over = video(40 << 20);
    let cases: [(&[u8], u16, &str); 10] = [
        (b"", 415, "empty"),
        (b"just some words", 415, "text"),
        (b"#EXTM3U\nfile:///etc/passwd\n", 415, "text"),
        (b"%PDF-1.7\n\xff", 415, "PDF"),
        (b"\x01\x02\x03 nothing known", 415, "not a video"),
        (b"\x01damaged", 422, "damaged"),
        (b"\x01bomb", 422, "too much memory"),
        (b"\x01later", 503, "no child"),
        (&over, 413, "at most 3145728 bytes"),
        (&far_over, 413, "at most 3145728 bytes"),
    ];
    for (bytes, status, words) in cases {
        for (path, field) in [(DECODE, "file"), (INFO, "video")] {
            let parts = [text("camera_id", "cam1"), file(field, "a.mp4", bytes)];
            send(&stand, path, &parts).await.expect_detail(status, words);
        }
    }
    let exact = video(MOST_UPLOAD_BYTES as usize);
    send(&stand, INFO, &[file("video", "a.mp4", &exact)]).await.with_status(200);
    assert_eq!((stand.uploads(), stand.engine.list().len()), (Vec::new(), 0), "nothing stays, nothing began");
}

#[tokio::test]
async fn an_upload_that_the_engine_refuses_is_removed() {
    let stand = Stand::new().await;
    let parts = [text("camera_id", "cam1"), file("file", "a.mp4", &video(5000))];
    stand.engine.fail_next(StreamError::TooMany(3));
    send(&stand, DECODE, &parts).await.expect_detail(503, "3 streams");
    stand.engine.fail_next(StreamError::Running(id("cam1")));
    send(&stand, DECODE, &parts).await.expect_detail(409, "stop it first");
    assert_eq!(stand.uploads(), [""; 0]);

    // The upload of a camera that goes stays, whatever others send for it.
    send(&stand, DECODE, &parts).await.with_status(200);
    let kept = stand.uploads();
    stand.engine.set("cam1", |status| status.state = StreamState::Running);
    send(&stand, DECODE, &parts).await.expect_detail(409, "stop it first");
    let late = [file("file", "a.mp4", &video(5000)), text("camera_id", "cam1")];
    send(&stand, DECODE, &late).await.expect_detail(409, "stop it first");
    assert_eq!(stand.uploads(), kept);
}

#[tokio::test]
async fn forms_that_are_broken() {
    let stand = Stand::new().await;
    let good = [text("camera_id", "cam1"), file("file", "a.mp4", &video(200_000))];
    let whole = form(&good);
    for cut in [0, 1, 20, 60, 150, 1000, 150_000, whole.len() - 60, whole.len() - 8] {
        let answer = stand.send(parts::request(DECODE, whole[..cut].to_vec())).await;
        answer.expect_detail(400, "form");
    }
    let endless = |start: &[u8]| [start, &vec![b'a'; 1 << 20]].concat();
    let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"");
    for broken in [endless(b""), endless(head.as_bytes()), endless(b"--"), vec![0; 300_000]] {
        stand.send(parts::request(DECODE, broken)).await.expect_detail(400, "form");
    }
    let no_name = format!("--{BOUNDARY}\r\nContent-Type: text/plain\r\n\r\nx\r\n--{BOUNDARY}--\r\n");
    stand.send(parts::request(DECODE, no_name.into_bytes())).await.expect_detail(400, "no name");
    let many: Vec<_> = (0..40).map(|part| text(&format!("x{part}"), "")).collect();
    let small = file("file", "a.mp4", &video(10));
    let url = text("url", "rtsp://192.0.2.7/one");
    let cases: [(&[Vec<u8>], u16, &str); 9] = [
        (&[text("camera_id", "cam1"), text("url", &"x".repeat(5000))], 422, "longer than 4096"),
        (&[text("camera_id", "cam1"), file("video", "a.mp4", &video(5000))], 422, "send it as `file`"),
        (&[text("camera_id", "cam1"), small.clone(), small.clone()], 422, "twice"),
        (&[text("camera_id", "cam1"), text("camera_id", "cam1"), small.clone()], 422, "twice"),
        (&[text("camera_id", "cam1"), small.clone(), url.clone()], 422, "not both"),
        (&[text("camera_id", "cam1"), file("file", "", b"")], 422, "give a video"),
        (&[text("camera_id", "../x"), small.clone()], 422, "camera_id"),
        (std::slice::from_ref(&small), 422, "`camera_id` is missing"),
        (&many, 422, "more than 32"),
    ];
    for (parts, status, words) in cases {
        send(&stand, DECODE, parts).await.expect_detail(status, words);
    }
    let chosen_none = [text("camera_id", "cam1"), file("file", "", b""), url];
    send(&stand, DECODE, &chosen_none).await.with_status(200);
    send(&stand, INFO, &[text("video", "abc")]).await.expect_detail(415, "text");
    stand.form(INFO, "video=abc").await.expect_detail(422, "as a file");
    assert_eq!(stand.uploads(), [""; 0]);
}

/// A form whose bytes come as a test sends them.
fn slowly() -> (mpsc::Sender<Bytes>, Request<Body>) {
    let (sender, receiver) = mpsc::channel::<Bytes>(1);
    let pieces = stream::unfold(receiver, async |mut receiver| {
        let piece = receiver.recv().await?;
        Some((Ok::<_, std::io::Error>(piece), receiver))
    });
    (sender, parts::request(DECODE, Body::from_stream(pieces)))
}

fn beginning() -> Bytes {
    let whole = form(&[text("camera_id", "cam1"), file("file", "a.mp4", &video(100_000))]);
    Bytes::from(whole[..50_000].to_vec())
}

#[tokio::test]
async fn an_upload_that_its_client_gives_up_is_removed() {
    let stand = Arc::new(Stand::new().await);
    let (sender, request) = slowly();
    let served = tokio::spawn({
        let stand = Arc::clone(&stand);
        async move { stand.send(request).await }
    });
    sender.send(beginning()).await.unwrap();
    while stand.uploads().is_empty() {
        tokio::task::yield_now().await;
    }
    // As the server does when a connection breaks.
    served.abort();
    assert!(served.await.unwrap_err().is_cancelled());
    assert_eq!(stand.uploads(), [""; 0]);
}

#[tokio::test]
async fn uploads_that_stand_still_end_and_more_than_allowed_wait_outside() {
    let stand = Arc::new(Stand::new().await);
    let mut open = Vec::new();
    for _place in 0..4 {
        let (sender, request) = slowly();
        let stand = Arc::clone(&stand);
        open.push((sender, tokio::spawn(async move { stand.send(request).await })));
    }
    for (sender, _served) in &open {
        sender.send(beginning()).await.unwrap();
    }
    while stand.uploads().len() < 4 {
        tokio::task::yield_now().await;
    }
    let parts = [text("camera_id", "cam2"), file("file", "a.mp4", &video(10))];
    let refused = send(&stand, DECODE, &parts).await;
    assert!(refused.header("retry-after").is_some());
    refused.expect_detail(429, "try again");
    // Time passes at once where nobody has anything to do.
    tokio::time::pause();
    for (_sender, served) in open {
        // Either limit may be first: that of the request as a whole, or that of the form.
        served.await.unwrap().with_status(408);
    }
    tokio::time::resume();
    assert_eq!(stand.uploads(), [""; 0]);
    send(&stand, DECODE, &parts).await.with_status(200);
}

#[tokio::test]
async fn what_a_killed_server_left_is_removed() {
    let stand = Stand::new().await;
    let parts = [text("camera_id", "cam1"), file("file", "a.mp4", &video(10))];
    send(&stand, DECODE, &parts).await.with_status(200);
    let kept = stand.uploads();
    let uploads = &stand.state.settings.uploads;
    for left in [".incoming-abc", "cam1/old.mp4", "gone/old.mp4"] {
        std::fs::create_dir_all(uploads.join(left).parent().unwrap()).unwrap();
        std::fs::write(uploads.join(left), b"x").unwrap();
    }
    std::fs::write(uploads.join("README"), b"not ours").unwrap();
    let spec = stand.engine.spec(&id("cam1")).unwrap();
    remove_stale_uploads(uploads, &[spec.source.url.file().unwrap().to_owned()]).unwrap();
    let mut expected = kept;
    expected.insert(0, "README".to_owned());
    assert_eq!(stand.uploads(), expected);
    assert!(!uploads.join("gone").try_exists().unwrap());
}
