//! Uploads that nobody vouches for: damaged, bloating, killing their decoder. The server lives, other cameras run.

use std::{fs, path::Path, process::Command};

use ocelli_testkit::{Clip, fault};
use serde_json::Value;

use super::{
    asking::Follower,
    drain::looping,
    served::{Served, Site, signal},
};

/// Uploads a file as contract 1 says; the status and what is said.
fn upload(server: &Served, camera: &str, path: &Path, fps: &str) -> (u16, Value) {
    let mut command = Command::new("curl");
    command.args(["--silent", "--max-time", "60", "--write-out", "%{stderr}%{http_code}"]);
    command.args(["-F", &format!("camera_id={camera}"), "-F", &format!("fps={fps}")]);
    command.args(["-F", &format!("file=@{}", path.display()), &server.pipeline("decode/")]);
    let ran = command.output().expect("curl is installed");
    let status = String::from_utf8(ran.stderr).unwrap().parse().unwrap();
    (status, serde_json::from_slice(&ran.stdout).unwrap())
}

/// Processes that the server has started and not yet buried.
fn children(server: &Served) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{}/task", server.id())).unwrap();
    // A thread may end meanwhile.
    let children = tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("children")).ok());
    children
        .flat_map(|list| list.split_whitespace().map(|id| id.parse().unwrap()).collect::<Vec<_>>())
        .collect()
}

/// A camera's status once it is not going any more.
fn ended(server: &Served, camera: &str) -> Value {
    let going = ["starting", "running", "restarting"];
    let ended = |message: &Value| {
        let state = message["status"]["state"].as_str();
        message["stream"] == camera && state.is_some_and(|state| !going.contains(&state))
    };
    Follower::new(server.address).until("the end of a decode", ended);
    server.status(camera)
}

#[test]
fn an_upload_that_kills_its_decoder_harms_nobody_else() {
    let site = Site::new(&[]);
    let server = site.start();
    looping(&site, &server, "other");
    let mut follower = Follower::new(server.address);
    let mut count = follower.frame("other", 2);
    let long = Clip::new(384, 256).frames(5400).cached();
    for _ in 0..2 {
        let (status, said) = upload(&server, "victim", &long, "30");
        assert_eq!(status, 200, "{said}");
        let found = loop {
            match children(&server)[..] {
                [child] => break child,
                [] => std::thread::yield_now(),
                ref more => panic!("one child decodes one upload: {more:?}"),
            }
        };
        signal(found, "-KILL");
        let status = ended(&server, "victim");
        let error = status["last_error"].as_str().unwrap_or_default();
        assert!(status["status"] == "error" && error.contains("signal 9"), "{status}");
        assert_eq!(children(&server), [] as [u32; 0], "the dead are buried");
        count = follower.frame("other", count + 2);
    }
    // The same camera works again with something else.
    let (status, said) = upload(&server, "victim", &Clip::new(384, 256).frames(60).cached(), "5");
    assert_eq!(status, 200, "{said}");
    assert_eq!(ended(&server, "victim")["status"], "completed");
    server.stop();
    assert!(site.log().contains("stream=victim"), "{}", site.log());
}

/// A server whose decoders get little memory, told to decode what needs much more, beside another camera.
fn bloated(large: &Path, check: impl Fn(&Served, &Value)) {
    let site = Site::new(&["engine.child_memory=64 MiB"]);
    let server = site.start();
    looping(&site, &server, "other");
    let mut follower = Follower::new(server.address);
    let (status, said) = upload(&server, "large", large, "30");
    assert_eq!(status, 200, "{said}");
    check(&server, &ended(&server, "large"));
    follower.frame("other", 4);
    server.stop();
}

#[test]
fn an_upload_that_bloats_ends_with_its_reason() {
    let large = Clip::new(3840, 2160).frames(12).params("ref=5:bframes=3").cached();
    bloated(&large, |server, status| {
        assert!(status["frame_count"].as_u64() < Some(12), "{status}");
        let ledger = server.get("/api/v1/streams/large/ledger").is(200).text();
        assert!(ledger.contains("needed more memory than its 64 MiB"), "{ledger}");
    });
}

/// The reader is at the end of a short file before its decoder has failed at the first picture.
#[test]
fn a_decode_without_a_frame_says_why() {
    let large = Clip::new(7680, 4320).frames(2).cached();
    bloated(&large, |_server, status| {
        assert!(status["frame_count"] == 0 && status["last_error"].is_string(), "{status}");
    });
}

#[test]
fn damaged_uploads_are_refused_or_read_as_far_as_they_go() {
    let site = Site::new(&[]);
    let server = site.start();
    looping(&site, &server, "other");
    let mut follower = Follower::new(server.address);
    let whole = fs::read(Clip::new(384, 256).frames(60).cached()).unwrap();
    let path = site.path("damaged.mp4");
    let mut refused = 0;
    for seed in 0..12 {
        let bytes = match seed % 4 {
            0 => fault::flip_bits(&whole, seed, 40, 0..whole.len()),
            1 => fault::truncate(&whole, whole.len() * (seed as usize + 1) / 13),
            2 => fault::lose(&whole, seed, 5, 2000),
            _ => fault::noise(seed, 30_000),
        };
        fs::write(&path, bytes).unwrap();
        let camera = format!("damaged{seed}");
        let (status, said) = upload(&server, &camera, &path, "5");
        if status == 200 {
            let status = ended(&server, &camera);
            assert!(["completed", "error"].contains(&status["status"].as_str().unwrap()), "{status}");
        } else {
            refused += 1;
            assert!([400, 415, 422].contains(&status) && said["detail"].is_string(), "{status}: {said}");
            server.get(&format!("/api/v1/video-pipeline/decode/status/?camera_id={camera}")).is(404);
        }
    }
    assert!(refused >= 3, "noise is no video");
    let number = server.status("other")["frame_count"].as_u64().unwrap();
    follower.frame("other", number + 2);
    // Refused uploads leave no file behind.
    let kept = fs::read_dir(site.path("uploads")).unwrap().count();
    assert!(kept <= 12 - refused + 1, "{kept}");
    server.stop();
    assert!(!site.log().contains("panicked"), "{}", site.log());
}
