//! A server that dies: what was told was durable, and everything goes on where it was.

use ocelli_testkit::RtspServer;
use serde_json::{Value, json};

use super::{asking::Follower, cameras::clip, published::times, served::Site};
use crate::{args, frames::frames, ocelli::ocelli, results::lines};

/// The series of a store as `ocelli runs --json` and `ocelli ledger --json` tell them: due is the sum of the verdicts.
pub(super) fn balanced(site: &Site) {
    let store = site.path("store");
    ocelli(args!["store", "check", "--store", &store]).whole();
    let ran = ocelli(args!["ledger", "--json", "--store", &store]);
    let series = lines(&ran.stdout);
    assert!(!series.is_empty(), "{}", ran.stderr);
    for one in series {
        assert_eq!(one["balanced"], true, "{one}");
        for window in one["windows"].as_array().unwrap() {
            let verdicts = window["verdicts"].as_object().unwrap().values();
            let sum: u64 = verdicts.filter_map(Value::as_u64).sum();
            assert_eq!(window["due"].as_u64(), Some(sum), "{one}");
        }
    }
}

#[test]
fn a_server_that_is_killed_goes_on_where_it_was() {
    let clip = clip().frames(3000).cached();
    let Some(camera) = RtspServer::start(&[&clip]) else { return };
    let site = Site::new(&[]);
    let looping = site.media(&clip, "loop.mp4");
    let mut server = site.start();
    server.form("decode/", &format!("camera_id=gate&fps=5&url={}", camera.url(0))).is(200);
    let demo = json!({"id": "demo", "fps": "10", "frames": {},
        "source": {"url": looping, "repeat": true, "pace": "real_time"}});
    server.create(&demo).is(201);
    let ended =
        json!({"id": "ended", "fps": "1", "frames": {}, "source": {"url": site.media(&clip, "x.mp4")}});
    server.create(&ended).is(201);
    server.create(&json!({"id": "idle", "start": false, "frames": {}, "source": {"url": looping}})).is(201);
    Follower::new(server.address).state("ended", "completed");
    let whole = frames(&site.frames("ended")).len();
    let mut count = 0;
    for _ in 0..3 {
        let mut follower = Follower::new(server.address);
        count = follower.frame("gate", count + 3);
        follower.frame("demo", 3);
        server.kill();
        let on_disk = frames(&site.frames("gate")).len() as u64;
        assert!(on_disk >= count, "what was told was there: {on_disk}, {count}");
        server = site.start();
        let mut follower = Follower::new(server.address);
        count = follower.frame("gate", on_disk + 1);
        assert_eq!(server.status("ended")["status"], "completed");
        assert_eq!(server.status("idle")["status"], "stopped");
        assert_eq!(server.status("ended")["frame_count"], whole as u64);
    }
    for camera in ["gate", "demo"] {
        server.form("decode/stop/", &format!("camera_id={camera}")).is(200);
        let found = frames(&site.frames(camera)).len() as u64;
        assert_eq!(server.status(camera)["frame_count"], found, "numbered without a gap");
    }
    server.stop();
    balanced(&site);
    assert!(!site.log().contains("panicked"), "{}", site.log());
}

/// Its recording ends in the middle of a group of pictures, and goes on there when the file is read again.
#[test]
fn a_file_that_is_read_again_after_a_kill_is_recorded_once() {
    let clip = clip().frames(250).params("keyint=25:min-keyint=25:scenecut=0:bframes=2").cached();
    let site = Site::new(&[]);
    let mut server = site.start();
    let file = json!({"id": "file", "fps": "5", "frames": {}, "record": {},
        "source": {"url": site.media(&clip, "file.mp4"), "pace": "real_time"}});
    server.create(&file).is(201);
    for count in [9, 23] {
        Follower::new(server.address).frame("file", count);
        server.kill();
        server = site.start();
    }
    Follower::new(server.address).state("file", "completed");
    // The same without a kill.
    let whole =
        json!({"id": "whole", "fps": "5", "frames": {}, "source": {"url": site.media(&clip, "file.mp4")}});
    server.create(&whole).is(201);
    Follower::new(server.address).state("whole", "completed");
    server.stop();
    site.check_archive().whole();
    balanced(&site);
    let segments = std::fs::read_dir(site.path("recordings/media/file/0")).unwrap();
    let recorded = segments.flat_map(|file| times(&file.unwrap().path().display().to_string()));
    let mut recorded: Vec<i64> = recorded.collect();
    recorded.sort_unstable();
    assert_eq!(recorded, times(&clip.display().to_string()), "each picture once, at its time");
    assert_eq!(frames(&site.frames("file")).len(), frames(&site.frames("whole")).len());
    assert!(!site.log().contains("panicked"), "{}", site.log());
}
