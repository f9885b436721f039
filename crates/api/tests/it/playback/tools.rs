//! The programs of FFmpeg read what we serve, over HTTP.

use std::{path::Path, process::Stdio};

use ocelli_testkit::{probe, read_number};
use tokio::{io::AsyncWriteExt as _, process::Command};

use super::{
    camera::{Camera, GROUP, film, path},
    create,
};
use crate::{follow::client::Served, stand::Stand};

/// PTS of all packets of video, in order of time, as ffprobe reads them.
async fn pts(url: &str) -> Vec<i64> {
    let words = ["-v", "error", "-select_streams", "v", "-show_entries", "packet=pts", "-of", "csv=p=0"];
    let output =
        Command::new("ffprobe").args(words).arg(url).stderr(Stdio::inherit()).output().await.unwrap();
    assert!(output.status.success(), "{url}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut pts: Vec<i64> =
        text.split_whitespace().map(|word| word.trim_matches(',').parse().unwrap()).collect();
    pts.sort_unstable();
    pts
}

/// A hash of each picture that a player shows of a file.
pub(super) async fn hashes(path: &Path) -> Vec<String> {
    let words = ["-map", "0:v", "-fps_mode", "passthrough", "-f", "framemd5", "-"];
    let output =
        Command::new("ffmpeg").args(["-v", "error", "-i"]).arg(path).args(words).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit(',').next().unwrap().trim().to_owned()).collect()
}

/// The number that is painted into a picture.
pub(super) async fn number(jpeg: &[u8]) -> Option<u32> {
    let words = ["-v", "error", "-f", "mjpeg", "-i", "-", "-f", "rawvideo", "-pix_fmt", "gray", "-"];
    let mut command = Command::new("ffmpeg");
    let command = command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(jpeg).await.unwrap();
    drop(input);
    let luma = child.wait_with_output().await.unwrap().stdout;
    assert_eq!(luma.len(), 320 * 240);
    read_number(&luma, 320, 320, 240)
}

/// Pictures that ffmpeg decodes, and what it complains of.
async fn decoded(url: &str) -> (usize, String) {
    let words = ["-f", "framemd5", "-"];
    let command = Command::new("ffmpeg").args(["-v", "error", "-i", url, "-map", "0:v"]).args(words).output();
    let output = command.await.unwrap();
    assert!(output.status.success(), "{url}");
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (text.lines().filter(|line| !line.starts_with('#')).count(), errors)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_stretch_is_read_to_the_frame() {
    let served = Served::new(Stand::new().await).await;
    create(&served.stand, "cam1").await;
    let mut camera = Camera::new(&served.stand, "cam1").await;
    camera.show(250);
    camera.end(&served.stand).await;
    let url = served.url("/api/v1/streams/cam1/hls/archive.m3u8?run=0");
    let truth: Vec<i64> = (0..film().len()).map(|n| film().pts(n)).collect();
    assert_eq!(pts(&url).await, truth, "PTS written are PTS read");
    assert_eq!(decoded(&url).await, (250, String::new()));
    assert_eq!(probe(&path()).pictures.len(), 250);
    // Each segment after its initialisation segment, as a player of byte ranges joins them.
    let some = served.url(&format!("/api/v1/streams/cam1/hls/archive.m3u8?run=0&start_pts={}", truth[GROUP]));
    assert_eq!(pts(&some).await, truth[GROUP..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_playlist_is_followed_to_its_end() {
    let served = Served::new(Stand::new().await).await;
    create(&served.stand, "cam1").await;
    let mut camera = Camera::new(&served.stand, "cam1").await;
    camera.show(3 * GROUP + 10);
    let url = served.url("/streaming/cam1.m3u8");
    let reading = tokio::spawn(async move { pts(&url).await });
    // It has begun once it has asked; what comes from now on is live.
    while served.requests() < 3 {
        tokio::task::yield_now().await;
    }
    camera.show(90);
    camera.end(&served.stand).await;
    let found = reading.await.unwrap();
    let truth: Vec<i64> = (0..film().len()).map(|n| film().pts(n)).collect();
    // A plain player begins three segments before the end, and leaves nothing out from there.
    let from = truth.iter().position(|pts| *pts == found[0]).unwrap();
    assert!(from <= GROUP, "{from}");
    assert_eq!(found, truth[from..]);
}
