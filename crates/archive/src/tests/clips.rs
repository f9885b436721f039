//! Clips show exactly what was asked for, in players that are not ours.

use std::{collections::BTreeMap, io::Write as _, path::Path};

use ocelli_testkit::{Clip as Source, ClipCodec, probe};

use super::support::{clip, id, on, record, store, units};
use crate::{Archive, ArchiveError, Clip, files::memory::Memory};

/// Writes a clip; what was promised of it holds.
async fn written(mut clip: Clip, folder: &Path) -> std::path::PathBuf {
    let path = folder.join("clip.mp4");
    let mut file = std::fs::File::create(&path).unwrap();
    let bytes = clip.bytes;
    while let Some(piece) = clip.next().await.unwrap() {
        file.write_all(&piece).unwrap();
    }
    assert_eq!(file.metadata().unwrap().len(), bytes);
    path
}

/// Number painted in each picture that FFmpeg shows, by its time in the clip.
fn shown(path: &Path) -> BTreeMap<i64, u32> {
    let truth = probe(path);
    let number = |pts: &i64| (*pts, truth.at(*pts).unwrap().frame.as_ref().unwrap().number.unwrap());
    truth.output.iter().map(number).collect()
}

async fn windows(name: &str, source: &Source, archive: &Archive, run: u32) {
    let folder = tempfile::tempdir().unwrap();
    let path = source.cached();
    record(archive, "cam", run, &units(&path)).await;
    let all: BTreeMap<i64, u32> = shown(&path);
    let times: Vec<i64> = all.keys().copied().collect();
    let count = times.len();
    for (n, (from, to)) in [(0, count - 1), (7, 8), (count / 2 - 3, count / 2 + 9)].into_iter().enumerate() {
        // Between two pictures the earlier one is seen.
        let early = (times[from + 1] - times[from] - 1).min(n as i64);
        let (start, end) = (times[from] + early, times[to]);
        let made = archive.clip(&id("cam"), run, start..end).await.unwrap();
        assert_eq!((made.first_pts, made.end_pts), (times[from], end), "{name}");
        let expected: BTreeMap<i64, u32> =
            all.range(times[from]..end).map(|(pts, number)| (pts - times[from], *number)).collect();
        let found = shown(&written(made, folder.path()).await);
        assert_eq!(found, expected, "{name}: {start}..{end}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clips_are_exact_to_the_picture() {
    let folder = tempfile::tempdir().unwrap();
    let archive = on(&Memory::default(), store(folder.path()).await).await.unwrap();
    windows("B-frames", &clip(130), &archive, 0).await;
    windows("without", &clip(60).params("keyint=50:bframes=0").start_pts(0), &archive, 1).await;
    windows("H.265", &clip(60).codec(ClipCodec::X265).params("keyint=25:bframes=3"), &archive, 2).await;
    let pts: Vec<i64> = (0..60).map(|n| n * 3600 + n % 4 * 700).collect();
    windows("variable rate", &clip(60).timestamps(90_000, &pts), &archive, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_clip_of_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let archive = on(&Memory::default(), store(folder.path()).await).await.unwrap();
    record(&archive, "cam", 0, &units(&clip(60).cached())).await;
    for (run, pts) in [(1, 0..100_000), (0, 0..90_000), (0, 95_000..95_000)] {
        let made = archive.clip(&id("cam"), run, pts.clone()).await;
        assert!(matches!(made, Err(ArchiveError::Missing(_))), "{run} {pts:?}: {made:?}");
    }
}
