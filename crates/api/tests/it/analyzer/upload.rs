//! Files of `file` streams.

use axum::http::Method;
use ocelli_api::Engine as _;
use ocelli_engine::{Pace, StreamError, StreamState};
use serde_json::json;

use super::{at, camera, create, post};
use crate::{
    stand::{MOST_UPLOAD_BYTES, Stand, engine::id, outside::VIDEO},
    uploads::parts::{self, file, form, text},
};

#[tokio::test]
async fn a_file_comes_and_another_takes_its_place() {
    let stand = Stand::new().await;
    for (mode, pace, gate) in [("live", Pace::RealTime, None), ("batch", Pace::Fast, Some(false))] {
        let new = json!({"name": mode, "source_type": "file", "processing_mode": mode, "stream_key": mode});
        assert_eq!(create(&stand, &new).await["status"], "inactive");
        let start = at(&format!("{mode}/start"), "/");
        stand.ask(Method::POST, &start, "", "").await.expect_error(409, "no file yet; upload one first");
        for slash in ["/", ""] {
            let path = at(&format!("{mode}/upload"), slash);
            let sent = [VIDEO, slash.as_bytes()].concat();
            let request = parts::request(&path, form(&[text("x", "ignored"), file("file", "a.MP4", &sent)]));
            let answer = stand.send(request).await.with_status(200).json();
            let told = [&answer["message"], &answer["stream_key"], &answer["info"]["codec"]];
            assert_eq!(told, [&json!("File uploaded"), &json!(mode), &json!("h264")]);
            let kept: Vec<_> = stand.uploads().into_iter().filter(|kept| kept.starts_with(mode)).collect();
            let [kept] = kept.as_slice() else { panic!("{kept:?}") };
            let spec = stand.engine.spec(&id(mode)).unwrap();
            assert_eq!(spec.source.url.file(), Some(&*stand.state.settings.uploads.join(kept)));
            assert_eq!(std::fs::read(spec.source.url.file().unwrap()).unwrap(), sent);
            assert!(spec.source.untrusted && spec.source.pace == pace && spec.gate == gate, "{spec:?}");
            assert_eq!(spec.analyzer.unwrap().source_type, "file");
        }
        assert_eq!(post(&stand, &start).await["status"], "starting");
        let late = parts::request(&at(&format!("{mode}/upload"), "/"), form(&[file("file", "b", VIDEO)]));
        stand.send(late).await.expect_error(409, "going; stop it first");
        stand.engine.set(mode, |status| status.state = StreamState::Completed);
        let number = super::listed(&stand, mode).await["id"].to_string();
        stand.ask(Method::DELETE, &at(&number, "/"), "", "").await.with_status(200);
        assert_eq!(stand.uploads(), [""; 0], "it goes with its stream");
    }
}

#[tokio::test]
async fn what_is_no_file_for_the_stream_is_refused_and_removed() {
    let stand = Stand::new().await;
    create(&stand, &json!({"name": "a", "source_type": "file", "stream_key": "a"})).await;
    camera(&stand, "cam1").await;
    let over = [VIDEO, &vec![0; MOST_UPLOAD_BYTES as usize]].concat();
    let cases: [(&str, Vec<u8>, u16, &str); 8] = [
        ("a", file("file", "a", b"just words"), 415, "text"),
        ("a", file("file", "a", b"\x01\x02\x03 nothing known"), 415, "not a video"),
        ("a", file("file", "a", b"\x01damaged"), 400, "damaged"),
        ("a", file("file", "a", b"\x01later"), 503, "no child"),
        ("a", file("file", "a", &over), 413, "at most 3145728 bytes"),
        ("a", file("video", "a", VIDEO), 400, "give a video as `file`"),
        ("a", text("x", "y"), 400, "give a video as `file`"),
        ("cam1", file("file", "a", VIDEO), 400, "another type than `file`"),
    ];
    for (key, part, status, words) in cases {
        let request = parts::request(&at(&format!("{key}/upload"), "/"), form(&[part]));
        stand.send(request).await.expect_error(status, words);
    }
    let answer = stand.json(Method::POST, &at("a/upload", ""), &json!({})).await;
    answer.expect_error(400, "send a form");
    stand.engine.fail_next(StreamError::Closing);
    let good = parts::request(&at("a/upload", "/"), form(&[file("file", "a", VIDEO)]));
    stand.send(good).await.expect_error(503, "shutting down");
    assert_eq!(stand.uploads(), [""; 0], "nothing stays");
    stand.ask(Method::POST, &at("a/start", "/"), "", "").await.expect_error(409, "no file yet");
}
