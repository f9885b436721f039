//! What goes, what stays, and what a check finds.

use std::{sync::Arc, time::Duration};

use ocelli_store::{SegmentClass, Segments as _};

use super::support::{Index, clip, give, id, now, on, pictures, record, rows, store, units, with};
use crate::{
    Archive, Mismatch, Phase, Retention,
    files::{
        Files as _,
        memory::{Faults, Memory},
    },
};

async fn numbers(archive: &Archive) -> Vec<(String, u64)> {
    rows(archive).await.into_iter().map(|row| (row.stream.to_string(), row.number)).collect()
}

/// Ends 5.2 s (cam) and 1005.2 s (late) after "now", minus what a test turns the clock on.
async fn filled(memory: &Memory, keep: Retention, index: Arc<dyn ocelli_store::Segments>) -> Archive {
    let archive = with(memory, index, |config| {
        config.keep = keep;
        config.now_ms = || now() + 2_000_000;
    })
    .await
    .unwrap();
    let given = units(&clip(130).cached());
    record(&archive, "cam", 0, &given).await;
    record(&archive, "late", 1, &given).await;
    archive
}

#[tokio::test(flavor = "multi_thread")]
async fn age_and_class_decide() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::default();
    let keep = Retention {
        age: Some(Duration::from_secs(1998)),
        event_age: Some(Duration::from_secs(1997)),
        bytes: None,
    };
    let archive = filled(&memory, keep, store(folder.path()).await).await;
    // Ended 1998.04, 1996.04 and 1994.84 s ago.
    archive.classify(&id("cam"), 0..1, SegmentClass::Pinned, false).await.unwrap();
    assert_eq!(archive.retain().await.unwrap().segments, 0);
    archive.classify(&id("cam"), 0..1, SegmentClass::Event, true).await.unwrap();
    let row = rows(&archive).await.remove(0);
    let removed = archive.retain().await.unwrap();
    assert_eq!((removed.segments, removed.bytes), (1, row.bytes));
    assert_eq!(memory.keys().len(), 5);
    assert!(archive.read(&row, 0..9).await.is_err());
    assert_eq!(archive.check(false).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_goes_where_it_is_too_much() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::default();
    let archive = filled(&memory, Retention::default(), store(folder.path()).await).await;
    let rows = rows(&archive).await;
    archive.classify(&id("cam"), 1..2, SegmentClass::Pinned, false).await.unwrap();
    let index = Arc::clone(archive.index());
    drop(archive);
    let bytes: u64 = rows.iter().map(|row| row.bytes).sum();
    let most = Some(bytes - rows[0].bytes - rows[2].bytes - 1);
    let keep = Retention { bytes: most, ..Retention::default() };
    let archive = with(&memory, index, |config| config.keep = keep).await.unwrap();
    assert_eq!(archive.retain().await.unwrap().segments, 3);
    let left = numbers(&archive).await;
    let of = |stream: &str, number| (stream.to_owned(), number);
    assert_eq!(left, [of("cam", 1), of("late", 1), of("late", 2)]);
    assert_eq!(archive.retain().await.unwrap().segments, 0);
    assert_eq!(archive.check(false).await.unwrap(), []);
}

/// No room: the oldest that is not pinned makes it; with nothing left recording pauses, and what is pinned stays.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_pinned_is_never_removed() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::default();
    let archive = filled(&memory, Retention::default(), store(folder.path()).await).await;
    archive.classify(&id("late"), 0..9, SegmentClass::Pinned, false).await.unwrap();
    let index = Arc::clone(archive.index());
    drop(archive);
    let archive = with(&memory, index, |config| config.reserve_bytes = 1 << 20).await.unwrap();
    memory.set(Faults { room: Some(1000), ..Faults::default() });
    let mut recorder = archive.recorder(&id("new")).unwrap();
    let mut view = archive.live(&id("new")).unwrap();
    give(&mut recorder, 0, &units(&clip(60).cached()));
    let window = view.wait(|window| window.paused.is_some()).await;
    assert!(window.paused.as_ref().unwrap().contains("nothing is left that may be removed"), "{window:?}");
    assert!(matches!(recorder.state().phase, Phase::Paused(_)));
    drop(recorder);
    archive.settled().await;
    let left = numbers(&archive).await;
    assert_eq!(left.iter().filter(|(stream, _)| stream == "late").count(), 3, "{left:?}");
    assert_eq!(left.iter().filter(|(stream, _)| stream == "cam").count(), 0, "{left:?}");
    assert_eq!(archive.check(false).await.unwrap(), []);
}

/// Whatever call of a removal is the last: nothing is half there after the next start.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_while_removing_leaves_no_orphan() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    let keep = Retention { age: Some(Duration::ZERO), ..Retention::default() };
    let mut whole = false;
    for step in 0..30 {
        let memory = Memory::default();
        let index = Index::new(&store, &memory, 0..0);
        let archive = filled(&memory, keep, index).await;
        memory.set(Faults { calls: Some(memory.calls() + step), ..Faults::default() });
        whole = archive.retain().await.is_ok();
        let left = memory.after_kill();
        let archive = on(&left, store.clone()).await.unwrap();
        assert_eq!(archive.check(false).await.unwrap(), [], "{step}");
        assert_eq!(left.keys().len(), rows(&archive).await.len(), "{step}: {:?}", left.keys());
        for row in rows(&archive).await {
            store.remove_segments(&row.stream, &[row.number]).await.unwrap();
        }
    }
    assert!(whole, "the last of them has to go through");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_finds_and_mends() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::default();
    let archive = filled(&memory, Retention::default(), store(folder.path()).await).await;
    let all = rows(&archive).await;
    let whole = memory.read("media/late/1/1.mp4", 0..u64::MAX).unwrap();
    // Gone; torn; not as the index says; removed from the index only; never entered.
    memory.remove("media/cam/0/0.mp4").unwrap();
    memory.cut("media/cam/0/1.mp4", all[1].bytes - 10).unwrap();
    memory.put("media/cam/0/2.mp4", b"this is no media at all").unwrap();
    archive.index().remove_segments(&id("late"), &[0]).await.unwrap();
    let wrong = ocelli_store::SegmentRecord { first_pts: all[4].first_pts - 7, ..all[4].clone() };
    archive.index().remove_segments(&id("late"), &[1]).await.unwrap();
    archive.index().put_segment(&wrong).await.unwrap();
    memory.put("media/new/5/9.mp4", &whole).unwrap();
    memory.put("media/foreign", b"not ours").unwrap();
    for mend in [false, true] {
        let found = archive.check(mend).await.unwrap();
        let told: Vec<_> =
            found.iter().map(|found| (found.location.as_str(), &found.fault, found.mended)).collect();
        let [missing, torn, noise, wrong, removed, unknown] = &told[..] else { panic!("{told:?}") };
        assert_eq!(*missing, ("cam/0/0.mp4", &Mismatch::Missing, mend));
        assert!(
            matches!(torn, ("cam/0/1.mp4", Mismatch::Damaged(why), _) if why.contains("are whole")),
            "{told:?}"
        );
        assert!(matches!(noise, ("cam/0/2.mp4", Mismatch::Damaged(_), _)), "{told:?}");
        assert!(
            matches!(wrong, ("late/1/1.mp4", Mismatch::Differs(how), _) if how.contains("first PTS")),
            "{told:?}"
        );
        assert_eq!(*removed, ("late/1/0.mp4", &Mismatch::Removed, mend));
        assert_eq!(*unknown, ("new/5/9.mp4", &Mismatch::Unknown, mend));
    }
    assert_eq!(archive.check(false).await.unwrap(), []);
    let left = numbers(&archive).await;
    let of = |stream: &str, number| (stream.to_owned(), number);
    assert_eq!(left, [of("cam", 1), of("late", 1), of("late", 2), of("new", 9)]);
    // That of the first segment went with it: nothing is left before it.
    assert_eq!(archive.index().gaps(&id("cam")).await.unwrap().len(), 1);
    assert!(!pictures(&archive, "cam", 0, 0).await.is_empty());
}
