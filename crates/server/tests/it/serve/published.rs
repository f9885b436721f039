//! Media that is published to the server, played and kept.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use ocelli_testkit::{Clip, probe};
use serde_json::{Value, json};

use super::{asking::Follower, cameras::clip, served::Site};

/// Told to nobody but the publisher.
const SECRET: &str = "canary-of-publishers";

/// ffmpeg, publishing a file in real time as OBS would; what it says is kept for when it fails.
pub(super) struct Publisher(Child);

impl Publisher {
    pub(super) fn start(clip: &Path, url: &str) -> Self {
        Self::with(clip, &[], url)
    }

    /// With these options for what it writes.
    pub(super) fn with(clip: &Path, options: &[&str], url: &str) -> Self {
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-hide_banner", "-loglevel", "error", "-re", "-i"]).arg(clip);
        ffmpeg
            .args(["-c", "copy"])
            .args(options)
            .args(["-f", "flv", url])
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        Self(ffmpeg.spawn().expect("ffmpeg is installed"))
    }

    /// Whether it could publish all of it.
    pub(super) fn ended(self) -> (bool, String) {
        let ended = self.0.wait_with_output().unwrap();
        (ended.status.success(), String::from_utf8_lossy(&ended.stderr).into_owned())
    }
}

fn obs() -> Value {
    json!({"id": "obs", "fps": "5", "frames": {}, "record": {}, "source": {"url": "publish:obs"},
        "publish": {"secret": SECRET}})
}

/// PTS of pictures, as ffprobe reads them from a URL or file.
pub(super) fn times(input: &str) -> Vec<i64> {
    let mut ffprobe = Command::new("ffprobe");
    ffprobe.args([
        "-v",
        "error",
        "-select_streams",
        "v",
        "-show_entries",
        "packet=pts",
        "-of",
        "csv=p=0",
        input,
    ]);
    let told = ffprobe.output().expect("ffprobe is installed");
    assert!(told.status.success(), "{input}: {}", String::from_utf8_lossy(&told.stderr));
    let text = String::from_utf8(told.stdout).unwrap();
    let mut times: Vec<i64> = text.lines().map(|line| line.trim_end_matches(',').parse().unwrap()).collect();
    times.sort_unstable();
    times
}

/// Of 6 s, with B-frames, a keyframe each second.
fn published() -> Clip {
    clip().frames(150).params("keyint=25:min-keyint=25:scenecut=0:bframes=2")
}

#[test]
fn what_ffmpeg_publishes_is_kept_and_played_tick_for_tick() {
    let clip = published().cached();
    let site = Site::new(&[]);
    let server = site.start();
    server.create(&obs()).is(201);
    let mut follower = Follower::new(server.address);
    let url = |secret: &str| format!("rtmp://127.0.0.1:{}/live/obs?secret={secret}", site.rtmp_port());
    let (went_well, _) = Publisher::start(&clip, &url("wrong")).ended();
    assert!(!went_well, "nobody publishes without the secret");

    let publisher = Publisher::start(&clip, &url(SECRET));
    follower.frame("obs", 5);
    // A second one is refused while the first is there.
    let (went_well, _) = Publisher::start(&clip, &url(SECRET)).ended();
    assert!(!went_well, "one publisher at a time");
    let live = server.get("/api/v1/streams/obs/hls/live.m3u8").is(200).text();
    assert!(live.contains("#EXT-X-PART:"), "{live}");
    assert_eq!(publisher.ended(), (true, String::new()));
    follower.state("obs", "starting");

    // Milliseconds are what RTMP has; the file's own ticks are 1/12800 s or the like, and begin at 0.
    let truth = probe(&clip);
    let expected = truth.pictures.len();
    let stop = super::asking::ask(server.address, "POST", "/api/v1/streams/obs/stop", &[], b"");
    stop.is(200);
    let recording = server.get("/api/v1/streams/obs/recording").is(200).json();
    assert_eq!(recording["gaps"], json!([]), "{recording}");
    let played = times(&format!("{}/api/v1/streams/obs/hls/archive.m3u8?run=0", server.url()));
    assert_eq!(played.len(), expected, "every picture is played");
    let steps: Vec<i64> = played.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(steps.iter().all(|step| *step == 40), "{steps:?}");
    server.stop();
    site.check_archive().whole();
    let mut kept = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(site.path("recordings/media/obs/0")).unwrap().collect();
    files.sort_by_key(|file| file.as_ref().unwrap().file_name().to_str().unwrap().len());
    for file in files {
        kept.extend(times(&file.unwrap().path().display().to_string()));
    }
    kept.sort_unstable();
    assert_eq!(kept.len(), expected, "each segment is a file that ffprobe reads");
    assert!(!site.log().contains(SECRET) && !site.log().contains("panicked"), "{}", site.log());
}

#[test]
fn a_publisher_that_comes_back_is_a_new_run() {
    let clip = published().cached();
    let site = Site::new(&[]);
    let server = site.start();
    server.create(&obs()).is(201);
    let mut follower = Follower::new(server.address);
    for times in 1..=2 {
        let url = format!("rtmp://127.0.0.1:{}/live/obs?secret={SECRET}", site.rtmp_port());
        let mut publisher = Publisher::start(&clip, &url);
        follower.frame("obs", 5 * times);
        publisher.0.kill().unwrap();
        publisher.0.wait().unwrap();
        follower.state("obs", "starting");
    }
    let status = server.get("/api/v1/streams/obs").json();
    assert_eq!(status["status"]["last_error"], "the publisher's connection broke", "{status}");
    let runs = server.get("/api/v1/streams/obs/runs").json();
    let mut ordinals: Vec<_> =
        runs["items"].as_array().unwrap().iter().map(|run| run["run"].as_u64()).collect();
    ordinals.sort_unstable();
    assert_eq!(ordinals, [Some(0), Some(1)]);
    server.stop();
    super::killed::balanced(&site);
    site.check_archive().whole();
}

/// Pictures of a test pattern, as ffmpeg encodes them.
fn pictures(folder: &Path) -> Vec<Vec<u8>> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=5", "-frames:v", "6"]);
    assert!(ffmpeg.arg(folder.join("%d.jpg")).status().unwrap().success());
    (1..=6).map(|number| std::fs::read(folder.join(format!("{number}.jpg"))).unwrap()).collect()
}

#[test]
fn posted_pictures_are_a_stream() {
    let site = Site::new(&[]);
    let server = site.start();
    let spec = json!({"id": "door", "fps": "all", "frames": {}, "source": {"url": "frames:door"}});
    server.create(&spec).is(201);
    let theft = json!({"id": "thief", "fps": "all", "frames": {}, "source": {"url": "frames:door"}});
    assert!(server.create(&theft).is(422).text().contains("must name this stream itself"));
    let mut follower = Follower::new(server.address);
    let pictures = pictures(&site.path("media"));
    let post = |pts: usize, picture: &[u8]| {
        let path = format!("/api/v1/streams/door/frames?pts_ms={pts}");
        super::asking::ask(server.address, "POST", &path, &[("Content-Type", "image/jpeg")], picture)
    };
    // Its thread may still be on its way.
    let mut first = post(0, &pictures[0]);
    while first.status == 409 {
        first = post(0, &pictures[0]);
    }
    assert_eq!(first.is(202).json(), json!({"pts": 0, "time_base": [1, 1000], "width": 320, "height": 240}));
    for (index, picture) in pictures.iter().enumerate().skip(1) {
        post(index * 200, picture).is(202);
        follower.frame("door", index as u64);
    }
    assert!(post(1000, &pictures[0]).is(422).text().contains("later than"), "time rises");
    post(1200, b"<html>").is(415);
    assert!(post(1200, &pictures[0][..2000]).is(422).text().contains("broken"));
    server.stop();
    super::killed::balanced(&site);
}
