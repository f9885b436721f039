//! Cameras that come and go.

use ocelli_testkit::{Clip, RtspServer};
use serde_json::json;

use super::{asking::Follower, served::Site};
use crate::frames::frames;

/// A second of frames between keyframes, as cameras send.
pub(super) fn clip() -> Clip {
    Clip::new(384, 256).rate(25, 1).params("keyint=25:bframes=0")
}

#[test]
fn a_camera_that_goes_and_comes_back() {
    let clip = clip().frames(3000).cached();
    let Some(camera) = RtspServer::start(&[&clip]) else { return };
    let port = camera.port();
    let site = Site::new(&["engine.backoff_max=200 ms"]);
    let server = site.start();
    // There before it is followed, and followed before it goes.
    let idle = json!({"id": "gate", "start": false, "frames": {}, "source": {"url": camera.url(0)}});
    server.create(&idle).is(201);
    let mut follower = Follower::new(server.address);
    server.form("decode/", &format!("camera_id=gate&fps=5&url={}", camera.url(0))).is(200);
    follower.state("gate", "starting");
    follower.state("gate", "running");
    follower.frame("gate", 3);
    assert_eq!(server.status("gate")["restart_count"], 0);
    drop(camera);
    let told = follower.state("gate", "restarting");
    assert!(told["status"]["last_error"].is_string(), "{told}");
    let away = follower.until("a third attempt", |message| message["status"]["restart_count"] == 3);
    let before = away["status"]["frame_count"].as_u64().unwrap();
    let camera = RtspServer::start_at(port, &[&clip]).expect("it was installed just now");
    follower.state("gate", "running");
    follower.frame("gate", before + 3);
    let told = server.status("gate");
    assert!(told["restart_count"].as_u64() >= Some(3) && told["status"] == "running", "{told}");
    server.form("decode/stop/", "camera_id=gate").is(200);
    let count = server.status("gate")["frame_count"].as_u64().unwrap();
    let found = frames(&site.frames("gate"));
    assert_eq!(found.len() as u64, count, "numbered without a gap");
    assert!(count >= before + 3);
    server.stop();
    drop(camera);
}
