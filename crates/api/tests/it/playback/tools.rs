//! The programs of FFmpeg read what we serve, over HTTP.

use std::process::Stdio;

use ocelli_testkit::probe;
use tokio::process::Command;

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
