//! Disks that are full, slow, or not to be written.

use std::time::Duration;

use ocelli_store::SegmentClass;

use super::support::{clip, give, id, pictures, rows, store, units, with};
use crate::{
    Phase,
    files::memory::{Faults, Memory},
};

/// Recording pauses and goes on by itself, live all the while; what is missing is told to the picture.
async fn pauses(faults: Faults, words: &str) {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::default();
    let archive = with(&memory, store(folder.path()).await, |_| {}).await.unwrap();
    let given = units(&clip(260).cached());
    let mut recorder = archive.recorder(&id("cam")).unwrap();
    let mut view = archive.live(&id("cam")).unwrap();
    // One segment, and the beginning of the next.
    give(&mut recorder, 0, &given[..75]);
    view.wait(|window| window.segments.iter().any(|segment| segment.sealed)).await;
    let lane = archive.shared().lane(&id("cam"));
    wait(&mut view, || lane.state().parts >= 14).await;
    // Else the oldest would make room.
    archive.classify(&id("cam"), 0..1, SegmentClass::Pinned, false).await.unwrap();
    memory.set(faults);
    give(&mut recorder, 0, &given[75..95]);
    let paused = view.wait(|window| window.paused.is_some()).await;
    archive.classify(&id("cam"), 0..9, SegmentClass::Pinned, false).await.unwrap();
    give(&mut recorder, 0, &given[95..160]);
    assert!(paused.paused.as_ref().unwrap().contains(words), "{paused:?}");
    assert!(matches!(recorder.state().phase, Phase::Paused(_)));
    // Live goes on.
    let newest = view.now().segments.last().unwrap().clone();
    assert!(!newest.parts.is_empty() && newest.number == 3, "{}", newest.number);
    memory.set(Faults::default());
    give(&mut recorder, 0, &given[160..]);
    view.wait(|window| window.paused.is_none()).await;
    drop(recorder);
    archive.settled().await;
    let gaps = archive.index().gaps(&id("cam")).await.unwrap();
    let [gap] = &gaps[..] else { panic!("{gaps:?}") };
    let read: Vec<i64> = pictures(&archive, "cam", 0, i64::MIN).await.iter().map(|unit| unit.pts).collect();
    assert!(read.len() < given.len() && read.len() >= 50 + 60, "{} pictures", read.len());
    // What was given and is not there.
    let missing: Vec<i64> =
        given.iter().map(|given| given.unit.pts).filter(|pts| !read.contains(pts)).collect();
    let (first, last) = (missing.iter().min().unwrap(), missing.iter().max().unwrap());
    assert_eq!(gap.first_pts, *first);
    let after = given.iter().map(|given| given.unit.pts).filter(|pts| pts > last).min();
    assert_eq!(gap.end_pts, after);
    assert_eq!(archive.check(false).await.unwrap(), []);
}

/// Until something holds that is not shown in the window; looked at again with each of its states.
async fn wait(view: &mut crate::LiveView, mut ready: impl FnMut() -> bool) {
    while !ready() {
        tokio::time::timeout(Duration::from_millis(5), view.wait(|_| false)).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk() {
    pauses(Faults { room: Some(100), ..Faults::default() }, "it cannot be written").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_must_not_be_written() {
    pauses(Faults { read_only: true, ..Faults::default() }, "read-only").await;
}

/// Half a second for each write: what the queue holds is written, the rest is left out, and nobody waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_disk() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::default();
    memory.set(Faults { slow: Duration::from_millis(500), ..Faults::default() });
    let archive =
        with(&memory, store(folder.path()).await, |config| config.queue_bytes = 60_000).await.unwrap();
    let given = units(&clip(500).cached());
    let mut recorder = archive.recorder(&id("cam")).unwrap();
    let mut view = archive.live(&id("cam")).unwrap();
    give(&mut recorder, 0, &given);
    assert_eq!(recorder.state().phase, Phase::Paused("the disk is too slow".to_owned()));
    let window = view.now();
    assert_eq!(window.segments.last().unwrap().number, 9);
    assert!(window.segments.len() <= 4, "what is nowhere is not listed: {}", window.segments.len());
    memory.set(Faults::default());
    let lane = archive.shared().lane(&id("cam"));
    for piece in units(&clip(500).start_pts(1_000_000).cached()).chunks(5) {
        wait(&mut view, || lane.queue.has_room()).await;
        give(&mut recorder, 0, piece);
    }
    drop(recorder);
    archive.settled().await;
    let gaps = archive.index().gaps(&id("cam")).await.unwrap();
    assert!(
        gaps.len() == 1 && gaps[0].reason == "the disk is too slow" && gaps[0].end_pts.is_some(),
        "{gaps:?}"
    );
    assert_eq!(archive.check(false).await.unwrap(), []);
    let rows = rows(&archive).await;
    assert!(rows.len() >= 10 && rows.iter().all(|row| row.keyframe), "{}", rows.len());
}
