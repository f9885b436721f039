//! Segments in which something was seen are of another class, whenever that is known, and stay longer.

use std::{sync::Arc, time::Duration};

use ocelli_store::{
    SegmentClass::{self, Event, Other, Pinned},
    SegmentQuery, Segments as _,
};

use super::support::{Index, clip, give, id, now, on, record, rows, store, units, with};
use crate::{Archive, Retention, files::memory::Memory};

/// Of the stream's segments.
async fn classes(archive: &Archive) -> Vec<SegmentClass> {
    rows(archive).await.iter().map(|row| row.class).collect()
}

/// As a stream's thread would, outside of the runtime.
async fn saw(archive: &Archive, times: Vec<(u32, i64)>) {
    let archive = archive.clone();
    let told = move || times.into_iter().try_for_each(|(run, pts)| archive.saw(&id("cam"), run, pts));
    tokio::task::spawn_blocking(told).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn results_may_come_before_and_after_their_segment_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::default();
    let store = store(folder.path()).await;
    let index = Index::new(&store, &memory, 0..0);
    let archive = on(&memory, index.clone()).await.unwrap();
    saw(&archive, vec![(0, 5)]).await;
    let given = units(&clip(250).cached());
    let at = |frame: usize| (0, given[frame].unit.pts);
    let mut recorder = archive.recorder(&id("cam")).unwrap();
    let mut view = archive.live(&id("cam")).unwrap();
    // Number 0 is whole, 1 grows.
    give(&mut recorder, 0, &given[..80]);
    view.wait(|window| window.segments.first().is_some_and(|segment| segment.sealed)).await;
    let lane = archive.shared().lane(&id("cam"));
    while lane.state().parts < 15 {
        tokio::task::yield_now().await;
    }
    let before = index.calls();
    saw(&archive, (55..78).map(at).collect()).await;
    assert_eq!(index.calls(), before, "what grows is not looked for");
    saw(&archive, (3..40).map(at).collect()).await;
    assert_eq!(index.calls() - before, 2, "one look and one write for a whole segment");
    give(&mut recorder, 0, &given[80..]);
    drop(recorder);
    archive.settled().await;
    // Late, and of other runs, and of what is not recorded.
    saw(&archive, vec![at(170), (3, 7), (0, i64::MAX), (0, i64::MIN)]).await;
    assert_eq!(classes(&archive).await, [Event, Event, Other, Event, Other]);
    // The same again, with another archive on the same index: nothing changes, and what is pinned stays so.
    let archive = on(&memory.after_kill(), store.clone()).await.unwrap();
    archive.classify(&id("cam"), 1..3, Pinned, false).await.unwrap();
    record(&archive, "other", 0, &given[..60]).await;
    saw(&archive, vec![at(60), at(110), at(170)]).await;
    let of_cam = classes(&archive).await;
    assert_eq!(of_cam[..5], [Event, Pinned, Pinned, Event, Other]);
    archive.classify(&id("cam"), 0..9, Other, true).await.unwrap();
    assert_eq!(classes(&archive).await[..5], [Event, Event, Event, Event, Other]);
}

/// Whatever call of the index fails: what was seen while a segment grew is in its row, once that is there. (The last may wait for the next start.)
#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_fails_for_a_while_forgets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    let given = units(&clip(200).cached());
    for failing in 2..8 {
        let memory = Memory::default();
        let stream = format!("cam{failing}");
        let index = Index::new(&store, &memory, failing..failing + 2);
        let archive = on(&memory, index).await.unwrap();
        let mut recorder = archive.recorder(&id(&stream)).unwrap();
        let mut view = archive.live(&id(&stream)).unwrap();
        for piece in given.chunks(25) {
            give(&mut recorder, 0, piece);
            let pts = piece[3].unit.pts;
            view.wait(|window| window.segments.iter().any(|segment| segment.end_pts > pts)).await;
            let (archive, stream) = (archive.clone(), id(&stream));
            // It fails where the index does, and is told again with the next result.
            tokio::task::spawn_blocking(move || archive.saw(&stream, 0, pts).ok()).await.unwrap();
        }
        drop(recorder);
        archive.settled().await;
        let all = SegmentQuery { limit: 1000, ..SegmentQuery::default() };
        let rows = store.segments(&all).await.unwrap();
        let of_stream: Vec<_> = rows.iter().filter(|row| row.stream.as_str() == stream).collect();
        assert!(
            of_stream.len() >= 3 && of_stream.iter().all(|row| row.class == Event),
            "{failing}: {of_stream:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_stay_longer_where_asked_and_as_long_as_others_where_not() {
    let given = units(&clip(250).cached());
    // Ended 2000 s ago, and the newest 8 s later.
    let old = || now() + 2_000_000;
    let hour = Some(Duration::from_hours(1));
    for (event_age, kept) in [(None, vec![]), (hour, vec![1, 3])] {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::default();
        let index = store(folder.path()).await;
        let first = on(&memory, Arc::clone(&index) as _).await.unwrap();
        record(&first, "cam", 0, &given).await;
        saw(&first, vec![(0, given[60].unit.pts), (0, given[170].unit.pts)]).await;
        drop(first);
        let archive = with(&memory, index, |config| {
            config.now_ms = old;
            config.steady_ms = old;
            config.keep = Retention { age: Some(Duration::from_mins(30)), event_age, bytes: None };
        })
        .await
        .unwrap();
        archive.retain().await.unwrap();
        let left: Vec<u64> = rows(&archive).await.iter().map(|row| row.number).collect();
        assert_eq!(left, kept, "{event_age:?}");
        // What was an event and is none any more goes with the next pass, though it lies before what is young.
        if event_age.is_some() {
            archive.classify(&id("cam"), 1..2, Other, false).await.unwrap();
            assert_eq!(archive.retain().await.unwrap().segments, 1);
        }
        assert_eq!(archive.check(false).await.unwrap(), []);
    }
}
