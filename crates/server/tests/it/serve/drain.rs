//! The end of a server that is told to stop: in order, and soon.

use ocelli_testkit::Clip;
use serde_json::json;

use super::{
    asking::{Follower, connect},
    killed::balanced,
    served::{Served, Site},
};
use crate::frames::{frames, numbers};

/// A file that is read as a camera would send it, without end.
pub(super) fn looping(site: &Site, server: &Served, id: &str) {
    let clip = Clip::new(384, 256).rate(25, 1).frames(250).params("keyint=25").cached();
    let url = site.media(&clip, "loop.mp4");
    let source = json!({"url": url, "repeat": true, "pace": "real_time"});
    server.create(&json!({"id": id, "fps": "10", "frames": {}, "source": source})).is(201);
}

#[test]
fn it_ends_in_order_while_streams_run_and_followers_read_nothing() {
    // Far longer than any part of this takes: nobody waits for it.
    let site = Site::new(&["server.drain_timeout=1 h"]);
    let server = site.start();
    for id in ["one", "two"] {
        looping(&site, &server, id);
    }
    let mut follower = Follower::new(server.address);
    // One that never reads, one that has not said what it wants.
    let _silent = Follower::new(server.address);
    let _mute = connect(server.address);
    let mut half = connect(server.address);
    std::io::Write::write_all(&mut half, b"GET /api/v1/streams HTTP/1.1\r\nHost: ").unwrap();
    let told = [follower.frame("one", 5), follower.frame("two", 5)];
    server.stop();
    for (id, told) in ["one", "two"].into_iter().zip(told) {
        let found = frames(&site.frames(id));
        assert!(found.len() as u64 >= told, "what was told is there");
        assert!(numbers(&site.frames(id), (384, 256)).iter().all(Option::is_some), "whole pictures");
    }
    balanced(&site);
    let log = site.log();
    assert!(log.trim_end().ends_with("stopped") && !log.contains("ERROR"), "{log}");
    // They were going: they go on.
    let server = site.start();
    let mut follower = Follower::new(server.address);
    follower.frame("one", told[0] + 3);
    follower.frame("two", told[1] + 3);
    server.stop();
}

#[test]
fn the_second_signal_ends_it_at_once() {
    let site = Site::new(&["server.drain_timeout=1 h"]);
    let server = site.start();
    looping(&site, &server, "one");
    Follower::new(server.address).frame("one", 3);
    // An upload that never ends keeps it from ending in order.
    let mut upload = connect(server.address);
    let head = format!(
        "POST /api/v1/video-pipeline/decode/ HTTP/1.1\r\nHost: {}\r\nContent-Type: multipart/form-data; \
        boundary=x\r\nContent-Length: 100000\r\n\r\n--x\r\n",
        server.address
    );
    std::io::Write::write_all(&mut upload, head.as_bytes()).unwrap();
    server.get("/healthz").is(200);
    server.signal("-TERM");
    while !site.log().contains("told to stop") {
        std::thread::yield_now();
    }
    server.signal("-TERM");
    assert_eq!(server.ended().code(), Some(130));
    // As after a kill.
    let server = site.start();
    let before = frames(&site.frames("one")).len() as u64;
    Follower::new(server.address).frame("one", before + 1);
    server.stop();
    balanced(&site);
}
