//! What is recorded is what came, to the tick and to the byte.

use std::{path::Path, process::Command};

use ocelli_media::cmaf::CmafError;
use ocelli_testkit::{Clip, ClipCodec, variety};
use tokio::runtime::Handle;

use super::support::{clip, config, expected, give, id, now, pictures, record, rows, store, units};
use crate::{Archive, Phase};

/// PTS of the pictures that ffprobe finds in a file, in the file's ticks.
fn probed(path: &Path) -> Vec<i64> {
    let arguments = ["-v", "error", "-select_streams", "v", "-show_entries", "packet=pts", "-of", "csv=p=0"];
    let output = Command::new("ffprobe").args(arguments).arg(path).output().unwrap();
    // It decodes some of it, too, and complains where a segment does not begin with a keyframe.
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let words = String::from_utf8(output.stdout).unwrap();
    words.lines().map(|line| line.trim_end_matches(',').parse().unwrap()).collect()
}

async fn comes_back(name: &str, clip: &Clip) {
    let folder = tempfile::tempdir().unwrap();
    let index = store(folder.path()).await;
    let archive = Archive::open(config(folder.path()), index, Handle::current()).await.unwrap();
    let given = units(&clip.cached());
    record(&archive, "cam", 3, &given).await;
    // Pictures before the first that decoding can start with are none of the recording.
    let first = given.iter().position(|given| given.opens).unwrap();
    let (expected, read) = (expected(&given[first..]), pictures(&archive, "cam", 3, i64::MIN).await);
    let read_back: Vec<_> = read.iter().map(|unit| (unit.pts, unit.data.to_vec())).collect();
    let times = |units: &[(i64, Vec<u8>)]| units.iter().map(|(pts, _)| *pts).collect::<Vec<_>>();
    assert_eq!(times(&read_back), times(&expected), "{name}");
    for (read, expected) in read_back.iter().zip(&expected) {
        assert!(read == expected, "{name}: {} with {} bytes, not {}", read.0, read.1.len(), expected.1.len());
    }
    let opens: Vec<_> = read.iter().map(|unit| unit.container_keyframe).collect();
    assert_eq!(opens, given[first..].iter().map(|given| given.opens).collect::<Vec<_>>(), "{name}");
    let dts: Vec<_> = read.iter().map(|unit| unit.dts).collect();
    assert!(dts.windows(2).all(|pair| pair[0] <= pair[1]), "{name}: {dts:?}");
    let rows = rows(&archive).await;
    let mut found = Vec::new();
    for (number, row) in (0..).zip(&rows) {
        assert_eq!((row.number, row.run), (number, 3), "{name}");
        let num = i64::from(row.time_base.num());
        let probed = probed(&folder.path().join("media").join(&row.location));
        found.extend(probed.into_iter().map(|pts| pts / num));
        let shown =
            expected.iter().map(|(pts, _)| *pts).filter(|pts| (row.first_pts..row.end_pts).contains(pts));
        assert!(shown.count() > 0, "{name}");
    }
    assert_eq!(found, expected.iter().map(|(pts, _)| *pts).collect::<Vec<_>>(), "{name}");
    assert_eq!(archive.check(false).await.unwrap(), [], "{name}");
    assert_eq!(archive.shared().files.list("open/cam").unwrap(), [], "{name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_picture_comes_back() {
    comes_back("B-frames", &clip(130)).await;
    comes_back("H.265", &clip(60).codec(ClipCodec::X265).params("keyint=25:bframes=3")).await;
    for (name, clip) in variety::times() {
        if !name.contains("mjpeg") {
            comes_back(name, &clip).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_follow_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let index = store(folder.path()).await;
    let archive = Archive::open(config(folder.path()), index, Handle::current()).await.unwrap();
    let given = units(&clip(130).cached());
    record(&archive, "cam", 0, &given).await;
    record(&archive, "cam", 4, &given).await;
    let rows = rows(&archive).await;
    let base = given[0].unit.parameters.time_base;
    let ticks = |frames: i64| frames * i64::from(base.den()) / 25 / i64::from(base.num());
    let lengths: Vec<_> = rows.iter().map(|row| (row.number, row.run, row.end_pts - row.first_pts)).collect();
    let (two, rest) = (ticks(50), ticks(30));
    assert_eq!(lengths, [(0, 0, two), (1, 0, two), (2, 0, rest), (3, 4, two), (4, 4, two), (5, 4, rest)]);
    assert!(
        rows.iter().all(|row| row.keyframe && row.init == rows[0].init && row.bytes > row.init_bytes.into())
    );
    assert_eq!((rows[0].end_pts, rows[1].end_pts), (rows[1].first_pts, rows[2].first_pts));
    assert_eq!((rows[1].began_ms, rows[1].ended_ms), (now() + 50 * 40, now() + 99 * 40));
    let state = archive.recorder(&id("cam")).unwrap().state();
    assert_eq!((state.units, state.phase), (0, Phase::Recording));
}

/// What is sealed is listed, though nothing of the next segment is there yet: its length must be promised by then.
#[tokio::test(flavor = "multi_thread")]
async fn no_segment_is_listed_before_its_length_is_promised() {
    let folder = tempfile::tempdir().unwrap();
    let index = store(folder.path()).await;
    let archive = Archive::open(config(folder.path()), index, Handle::current()).await.unwrap();
    let long = clip(90).params("keyint=88:min-keyint=88:scenecut=0:bframes=0");
    let mut recorder = archive.recorder(&id("cam")).unwrap();
    give(&mut recorder, 0, &units(&long.cached()));
    let mut view = archive.live(&id("cam")).unwrap();
    let window = view.wait(|window| window.segments.iter().any(|segment| segment.sealed)).await;
    assert_eq!((window.segments.len(), window.target_seconds), (1, 4), "88 pictures at 25 a second");
    drop(recorder);
    archive.settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_recorded_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let index = store(folder.path()).await;
    let archive = Archive::open(config(folder.path()), index, Handle::current()).await.unwrap();
    let jpegs = units(&Clip::new(192, 128).frames(10).codec(ClipCodec::Mjpeg).cached());
    let mut recorder = archive.recorder(&id("cam")).unwrap();
    assert!(archive.recorder(&id("cam")).is_err());
    give(&mut recorder, 0, &jpegs);
    let mut view = archive.live(&id("cam")).unwrap();
    view.wait(|window| window.paused.is_some()).await;
    let reason = CmafError::Video("mjpeg".to_owned()).to_string();
    let state = recorder.state();
    assert_eq!((&state.phase, state.units, state.left_out), (&Phase::Failed(reason.clone()), 10, 10));
    // The next run is another matter.
    give(&mut recorder, 1, &units(&clip(30).cached()));
    drop(recorder);
    archive.settled().await;
    assert_eq!(rows(&archive).await.len(), 1);
    let gaps = archive.index().gaps(&id("cam")).await.unwrap();
    assert_eq!(gaps.len(), 1);
    assert_eq!((&gaps[0].reason, gaps[0].end_pts), (&reason, None));
}
