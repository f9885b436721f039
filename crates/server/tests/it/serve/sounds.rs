//! Sound that browsers do not play, recorded: AAC, and a beep where its picture is.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use ocelli_testkit::{RtspServer, probe};
use serde_json::json;

use super::{
    asking::{Follower, ask},
    cameras::clip,
    served::{Served, Site},
};

/// Pictures from one beep to the next; the first beep is at half of it.
const BEEPS_EACH: u32 = 50;
/// Seconds of media.
const SECONDS: f64 = 7.0;

/// Seven seconds whose sound beeps for 60 ms with picture 25, 75 and 125.
fn beeping(folder: &Path, name: &str, sound: &[&str]) -> PathBuf {
    let silent = clip().frames(175).cached();
    let path = folder.join(name);
    let beeps = format!("aevalsrc='if(between(mod(t,2),1,1.06),0.7*sin(2*PI*900*t),0)':s=48000:d={SECONDS}");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-y", "-i"]).arg(silent).args(["-f", "lavfi", "-i", &beeps]);
    ffmpeg.args(["-map", "0:v", "-map", "1:a", "-c:v", "copy"]).args(sound).arg(&path);
    assert!(ffmpeg.status().unwrap().success(), "{name}");
    path
}

fn said(program: &str, arguments: &[&str], path: &Path, rest: &[&str]) -> Vec<u8> {
    let said =
        Command::new(program).args(arguments).arg(path).args(rest).stdin(Stdio::null()).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    said.stdout
}

/// When packets begin, in seconds.
fn times(path: &Path, stream: &str) -> Vec<f64> {
    let show =
        ["-v", "error", "-select_streams", stream, "-show_entries", "packet=pts_time", "-of", "csv=p=0"];
    let text = String::from_utf8(said("ffprobe", &show, path, &[])).unwrap();
    let lines = text.lines().map(|line| line.trim_end_matches(',')).filter(|line| !line.is_empty());
    let mut times: Vec<f64> = lines.map(|line| line.parse().unwrap()).collect();
    times.sort_unstable_by(f64::total_cmp);
    times
}

/// When beeps are heard, in seconds.
fn beeps(path: &Path) -> Vec<f64> {
    const RATE: usize = 48_000;
    let Some(first) = times(path, "a").first().copied() else { return Vec::new() };
    let out = ["-map", "0:a", "-ac", "1", "-ar", "48000", "-f", "f32le", "pipe:1"];
    let heard = said("ffmpeg", &["-v", "error", "-i"], path, &out);
    let (mut found, mut loud_before) = (Vec::new(), None);
    for (at, sample) in heard.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).enumerate() {
        if sample.abs() > 0.2 {
            if loud_before.is_none_or(|before| at - before > RATE / 10) {
                found.push(first + at as f64 / RATE as f64);
            }
            loud_before = Some(at);
        }
    }
    found
}

/// When a beep's picture is shown, by the number that is painted on it.
fn pictures(path: &Path) -> Vec<f64> {
    let truth = probe(path);
    let beeps = |number: u32| number % BEEPS_EACH == BEEPS_EACH / 2;
    let shown = truth
        .pictures
        .iter()
        .filter(|picture| picture.frame.as_ref().and_then(|frame| frame.number).is_some_and(beeps));
    shown.map(|picture| truth.time_base.seconds(picture.pts)).collect()
}

/// The segments of the first run, in order.
fn segments(site: &Site, stream: &str) -> Vec<PathBuf> {
    let folder = site.path("recordings/media").join(stream).join("0");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort_by_key(|file| file.file_stem().unwrap().to_str().unwrap().parse::<u64>().unwrap());
    files
}

/// What is on the disk is AAC as long as the source's sound; with `exact`, as its pictures are.
fn check(site: &Site, stream: &str, source: &Path, exact: bool) {
    let files = segments(site, stream);
    let kinds = ["-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0"];
    for file in &files {
        let kinds = String::from_utf8(said("ffprobe", &kinds, file, &[])).unwrap();
        assert_eq!(kinds.split_whitespace().collect::<Vec<_>>(), ["h264", "aac"], "{file:?}");
    }
    let all = |kind: &str| files.iter().flat_map(|file| times(file, kind)).collect::<Vec<_>>();
    let (shown, heard) = (all("v"), all("a"));
    let block = heard.windows(2).map(|pair| pair[1] - pair[0]).fold(f64::MAX, f64::min);
    assert!(block > 0.0 && block < 0.065, "{block}");
    let lasting = heard.last().unwrap() + block - heard[0];
    // Beside the first picture, on both sides. The encoder's own block is before the sound.
    let late = heard[0] + block - shown[0];
    let (sound, picture) = (times(source, "a"), times(source, "v"));
    let told = sound[0] - picture[0];
    let found: Vec<f64> = files.iter().flat_map(|file| beeps(file)).collect();
    let expected: Vec<f64> = files.iter().flat_map(|file| pictures(file)).collect();
    assert_eq!(expected.len(), 3, "{stream}: {expected:?}");
    if exact {
        assert!((late - told).abs() <= block, "{stream}: {late} s, of {told} s");
        assert!((lasting - SECONDS).abs() < 0.1 + 3.0 * block, "{stream}: {lasting} s");
        assert_eq!(found.len(), 3, "{stream}: {found:?}");
        for (heard, shown) in found.iter().zip(&expected) {
            assert!((heard - shown).abs() < 0.025, "{stream}: beep at {heard} s, picture at {shown} s");
        }
    } else {
        assert!((late - told).abs() < 1.0 && lasting > SECONDS - 1.5, "{stream}: {late} s, {lasting} s");
        assert!(found.len() >= 2, "{stream}: {found:?}");
    }
}

fn codecs(server: &Served, stream: &str) {
    let live = server.get(&format!("/api/v1/streams/{stream}/hls/live.m3u8")).is(200).text();
    assert!(live.contains("#EXT-X-PART:"), "{live}");
    let index = server.get(&format!("/api/v1/streams/{stream}/hls/index.m3u8")).is(200).text();
    assert!(index.contains("mp4a.40.2"), "{index}");
}

fn stopped(server: Served, site: &Site, stream: &str) {
    ask(server.address, "POST", &format!("/api/v1/streams/{stream}/stop"), &[], b"").is(200);
    let recording = server.get(&format!("/api/v1/streams/{stream}/recording")).is(200).json();
    assert_eq!(recording["gaps"], json!([]), "{recording}");
    server.stop();
    site.check_archive().whole();
    assert!(!site.log().contains("panicked"), "{}", site.log());
    assert!(!site.log().contains("left out"), "{}", site.log());
}

#[test]
fn files_of_broadcasters_are_recorded_with_their_sound() {
    for (name, sound) in [
        ("two.ts", &["-c:a", "mp2", "-ac", "2"][..]),
        ("surround.ts", &["-c:a", "ac3", "-ac", "6"]),
        ("samples.mov", &["-c:a", "pcm_s16le", "-ac", "1", "-ar", "16000"]),
    ] {
        let site = Site::new(&[]);
        let source = beeping(&site.path(""), name, sound);
        let server = site.start();
        let mut follower = Follower::new(server.address);
        let spec = json!({"id": "film", "fps": "1", "frames": {}, "record": {},
            "source": {"url": site.media(&source, name)}});
        server.create(&spec).is(201);
        follower.state("film", "completed");
        stopped(server, &site, "film");
        check(&site, "film", &source, true);
    }
}

#[test]
fn publishers_may_send_sound_of_telephones_and_of_old() {
    for (name, sound) in [
        ("law.flv", &["-c:a", "pcm_alaw", "-ar", "8000", "-ac", "1"][..]),
        ("three.flv", &["-c:a", "libmp3lame", "-ar", "44100", "-ac", "2"]),
    ] {
        let site = Site::new(&[]);
        let source = beeping(&site.path(""), name, sound);
        let server = site.start();
        let spec = json!({"id": "obs", "fps": "5", "frames": {}, "record": {},
            "source": {"url": "publish:obs"}, "publish": {"secret": "of-this-test"}});
        server.create(&spec).is(201);
        let mut follower = Follower::new(server.address);
        let url = format!("rtmp://127.0.0.1:{}/live/obs?secret=of-this-test", site.rtmp_port());
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-re", "-i"]).arg(&source).args(["-c", "copy", "-f", "flv", &url]);
        let publishing = ffmpeg.stdin(Stdio::null()).spawn().unwrap();
        follower.frame("obs", 12);
        codecs(&server, "obs");
        assert!(publishing.wait_with_output().unwrap().status.success());
        follower.state("obs", "starting");
        stopped(server, &site, "obs");
        check(&site, "obs", &source, true);
    }
}

#[test]
fn cameras_are_recorded_with_sound_of_telephones() {
    let site = Site::new(&[]);
    let source = beeping(&site.path(""), "law.mov", &["-c:a", "pcm_alaw", "-ar", "8000", "-ac", "1"]);
    let Some(camera) = RtspServer::start_with_sound("alaw", &[&source]) else { return };
    let server = site.start();
    let spec = json!({"id": "gate", "fps": "5", "frames": {}, "record": {},
        "source": {"url": camera.url(0)}});
    server.create(&spec).is(201);
    let mut follower = Follower::new(server.address);
    follower.frame("gate", 12);
    codecs(&server, "gate");
    // The file is at its end.
    follower.state("gate", "restarting");
    stopped(server, &site, "gate");
    // Before there are reports of both clocks, sound is where it arrived.
    check(&site, "gate", &source, false);
}
