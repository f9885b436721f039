//! Cameras whose clock is set, or comes to its end: nothing of theirs is lost, and media time rises within each run.

use ocelli_testkit::{Container, ts};
use serde_json::json;

use super::{
    asking::{Follower, ask},
    cameras::clip,
    published::{Publisher, times},
    served::{Served, Site},
};

/// A second in pictures.
const RATE: i64 = 25;
/// Times of a transport stream have 33 bits.
const WRAP: i64 = 1 << 33;
/// Pictures of a piece.
const PIECE: usize = 100;

/// First and last PTS in 1/90000 s, and pictures, of each run that is recorded.
fn runs(server: &Served, stream: &str) -> Vec<(i64, i64, usize)> {
    let recording = server.get(&format!("/api/v1/streams/{stream}/recording")).is(200).json();
    assert_eq!(recording["gaps"], json!([]), "{recording}");
    let all = server.get(&format!("/api/v1/streams/{stream}/recording/segments?limit=1000")).is(200).json();
    let all = all["items"].as_array().unwrap().clone();
    let ordinals = all.iter().map(|segment| segment["run"].as_u64().unwrap());
    let last = ordinals.max().unwrap();
    let run = |run| {
        let of_run: Vec<_> = all.iter().filter(|segment| segment["run"] == run).collect();
        let pts = |segment: &serde_json::Value, name: &str| segment[name].as_i64().unwrap();
        let joined = of_run.windows(2).all(|pair| pts(pair[0], "end_pts") == pts(pair[1], "first_pts"));
        assert!(joined, "run {run} rises without a hole: {of_run:?}");
        let url = format!("{}/api/v1/streams/{stream}/hls/archive.m3u8?run={run}", server.url());
        (pts(of_run[0], "first_pts"), pts(of_run[of_run.len() - 1], "end_pts"), times(&url).len())
    };
    (0..=last).map(run).collect()
}

/// Records a file of a transport stream, and what its runs hold.
fn recorded(parts: &[i64]) -> Vec<(i64, i64, usize)> {
    let piece = |start: &i64| {
        let clip = clip().frames(PIECE as u32).container(Container::Ts).start_pts(*start);
        std::fs::read(clip.cached()).unwrap()
    };
    let site = Site::new(&[]);
    let file = site.path("whole.ts");
    std::fs::write(&file, ts::join(&parts.iter().map(piece).collect::<Vec<_>>())).unwrap();
    let server = site.start();
    let spec = json!({"id": "cam", "fps": "5", "frames": {}, "record": {}, "start": false,
        "source": {"url": site.media(&file, "whole.ts")}});
    server.create(&spec).is(201);
    let mut follower = Follower::new(server.address);
    ask(server.address, "POST", "/api/v1/streams/cam/start", &[], b"").ok();
    follower.state("cam", "completed");
    // Its end is in the archive when the server has ended.
    server.stop();
    let server = site.start();
    let found = runs(&server, "cam");
    server.stop();
    super::killed::balanced(&site);
    site.check_archive().whole();
    found
}

#[test]
fn a_camera_that_is_set_begins_a_run_and_loses_nothing() {
    let hour = 3600 * RATE;
    let ticks = 90_000 / RATE;
    let piece = |start: i64| (start * ticks, (start + PIECE as i64) * ticks, PIECE);
    let starts = [2 * hour, 3 * hour, 2 * hour, hour];
    // What lies before the first is, for a reader of transport streams, a wrap later: 33 bits of it are the same.
    let found =
        recorded(&starts).into_iter().map(|(first, end, pictures)| (first % WRAP, end % WRAP, pictures));
    assert_eq!(found.collect::<Vec<_>>(), starts.map(piece));
}

/// 33 bits of a transport stream wrap after a day and a half: time goes on, in the same run.
#[test]
fn a_transport_stream_that_wraps_goes_on() {
    // 160 pictures before the wrap, which lies within a picture.
    let start = WRAP * RATE / 90_000 - 160;
    let found = recorded(&[start, start + PIECE as i64, start + 2 * PIECE as i64]);
    let [(first, end, pictures)] = found[..] else { panic!("{found:?}") };
    assert_eq!((first, end), (start * 90_000 / RATE, (start + 3 * PIECE as i64) * 90_000 / RATE));
    assert_eq!(pictures, 3 * PIECE);
}

/// Milliseconds of RTMP have 32 bits, of which ffmpeg writes 31.
#[test]
fn a_publisher_whose_clock_wraps_goes_on() {
    let clip = clip().frames(150).cached();
    let site = Site::new(&[]);
    let server = site.start();
    server
        .create(&json!({"id": "obs", "fps": "5", "frames": {}, "record": {},
        "source": {"url": "publish:obs"}, "publish": {"secret": "of-publishers"}}))
        .is(201);
    let url = format!("rtmp://127.0.0.1:{}/live/obs?secret=of-publishers", site.rtmp_port());
    // 3 s before 2^31 ms.
    let publisher = Publisher::with(&clip, &["-output_ts_offset", "2147480.648"], &url);
    assert_eq!(publisher.ended(), (true, String::new()));
    Follower::new(server.address).state("obs", "starting");
    ask(server.address, "POST", "/api/v1/streams/obs/stop", &[], b"").is(200);
    server.stop();
    let server = site.start();
    let found = runs(&server, "obs");
    let [(first, end, pictures)] = found[..] else { panic!("{found:?}") };
    assert_eq!((end - first, pictures), (150 * 1000 / RATE, 150), "{found:?}");
    assert!(first < 1 << 31 && end > 1 << 31, "{found:?}");
    server.stop();
    super::killed::balanced(&site);
    site.check_archive().whole();
}
