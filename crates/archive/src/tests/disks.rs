//! Disks that are full, slow, or not to be written.

use std::time::Duration;

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
    memory.set(faults);
    give(&mut recorder, 0, &given[75..160]);
    let paused = view.wait(|window| window.paused.is_some()).await;
    assert!(paused.paused.as_ref().unwrap().contains(words), "{paused:?}");
    assert!(matches!(recorder.state().phase, Phase::Paused(_)));
    // Live goes on.
    let newest = view.now().segments.last().unwrap().clone();
    assert!(newest.parts.len() > 1 && newest.number == 3, "{}", newest.number);
    memory.set(Faults::default());
    give(&mut recorder, 0, &given[160..]);
    view.wait(|window| window.paused.is_none()).await;
    drop(recorder);
    archive.settled().await;
    let gaps = archive.index().gaps(&id("cam")).await.unwrap();
    let [gap] = &gaps[..] else { panic!("{gaps:?}") };
    let read: Vec<i64> = pictures(&archive, "cam", 0, i64::MIN).await.iter().map(|unit| unit.pts).collect();
    let end = gap.end_pts.unwrap();
    let kept = |pts: &i64| *pts < gap.first_pts || *pts >= end;
    let mut expected: Vec<i64> = given.iter().map(|given| given.unit.pts).filter(kept).collect();
    let mut sorted = read.clone();
    (expected.sort_unstable(), sorted.sort_unstable());
    assert!(sorted.len() < given.len() && sorted.len() > 60, "{}", sorted.len());
    assert_eq!(sorted, expected);
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
        with(&memory, store(folder.path()).await, |config| config.queue_bytes = 20_000).await.unwrap();
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
    wait(&mut view, || lane.queue.has_room()).await;
    give(&mut recorder, 0, &units(&clip(500).start_pts(1_000_000).cached()));
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
