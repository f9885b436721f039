//! The end of the world at any call, and what the next process finds.

use std::sync::Arc;

use super::support::{Given, Index, clip, expected, give, id, on, pictures, rows, store, units};
use crate::{
    Archive,
    files::memory::{Faults, Memory},
};

/// Records until the disk dies at its `calls`th call; the parts that were written.
async fn dies(memory: &Memory, index: &Arc<Index>, given: &[Given], calls: Option<u64>) -> u64 {
    memory.set(Faults { calls, ..Faults::default() });
    let Ok(archive) = on(memory, index.clone()).await else { return 0 };
    let Ok(mut recorder) = archive.recorder(&id("cam")) else { return 0 };
    give(&mut recorder, 0, given);
    let lane = archive.shared().lane(&id("cam"));
    drop(recorder);
    archive.settled().await;
    lane.state().parts
}

/// All there is fits together, and is the beginning of what was given. How many pictures of it.
async fn sound(name: &str, memory: &Memory, archive: &Archive, given: &[Given]) -> usize {
    assert_eq!(archive.check(false).await.unwrap(), [], "{name}");
    let rows = rows(archive).await;
    let keys: Vec<_> = rows.iter().map(|row| format!("media/{}", row.location)).collect();
    let mut found = memory.keys();
    // What is given here comes quicker than its times say: later, the clock seems to have been set back, which is noted.
    found.retain(|key| key != "clock");
    found.sort_unstable_by_key(|key| (key.len(), key.clone()));
    assert_eq!(found, keys, "{name}: nothing else is there");
    let read = pictures(archive, "cam", 0, i64::MIN).await;
    let read: Vec<_> = read.iter().map(|unit| (unit.pts, unit.data.to_vec())).collect();
    assert!(read == expected(given)[..read.len()], "{name}");
    read.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_call_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    let given = units(&clip(115).cached());
    let memory = Memory::default();
    let parts = dies(&memory, &Index::new(&store, &memory, 0..0), &given, None).await;
    let (calls, mut some) = (memory.calls(), 0);
    assert!(parts == 23 && calls > 40, "{parts} parts, {calls} calls");
    for calls in 0..calls {
        for torn in [None, Some(0), Some(60)] {
            forget(&store).await;
            let memory = Memory::default();
            let parts = dies(&memory, &Index::new(&store, &memory, 0..0), &given, Some(calls)).await;
            let name = format!("dead after {calls} calls, power cut {torn:?}");
            let left = torn.map_or_else(|| memory.after_kill(), |kept| memory.after_power_cut(kept));
            let archive = on(&left, store.clone()).await.unwrap();
            let read = sound(&name, &left, &archive, &given).await;
            if torn.is_none() {
                // What was written is there: five pictures in a part.
                assert!(read as u64 >= parts * 5, "{name}: {parts} parts, {read} pictures");
                some += usize::from(read > 0);
            }
            // And it goes on behind it.
            let next = rows(&archive).await.last().map_or(0, |row| row.number + 1);
            let mut recorder = archive.recorder(&id("cam")).unwrap();
            give(&mut recorder, 1, &given[..60]);
            drop(recorder);
            archive.settled().await;
            let second: Vec<_> = rows(&archive).await.into_iter().filter(|row| row.run == 1).collect();
            assert!(second.len() == 2 && second[0].number >= next, "{name}");
        }
    }
    assert!(some > 20);
}

/// A source that is read again from its start goes on where its recording ends, in the middle of a group of pictures, too.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_again_after_a_crash_is_recorded_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    let given = Arc::new(units(&clip(115).cached()));
    let memory = Memory::default();
    dies(&memory, &Index::new(&store, &memory, 0..0), &given, None).await;
    let (calls, mut halves) = (memory.calls(), 0);
    for calls in 0..calls {
        forget(&store).await;
        let memory = Memory::default();
        dies(&memory, &Index::new(&store, &memory, 0..0), &given, Some(calls)).await;
        let name = format!("dead after {calls} calls");
        let left = memory.after_kill();
        let archive = on(&left, store.clone()).await.unwrap();
        let before = sound(&name, &left, &archive, &given).await;
        halves += usize::from((1..given.len()).contains(&before));
        let mut recorder = archive.recorder(&id("cam")).unwrap();
        let again = Arc::clone(&given);
        let recording = tokio::task::spawn_blocking(move || {
            recorder.go_on(0).unwrap();
            give(&mut recorder, 0, &again);
        });
        recording.await.unwrap();
        archive.settled().await;
        assert_eq!(sound(&name, &left, &archive, &given).await, given.len(), "{name}: {before} before");
    }
    assert!(halves > 10, "{halves}");
    // A run that follows is another; one that is older is recorded.
    let archive = on(&memory, store.clone()).await.unwrap();
    for (run, first_run, is_new) in [(1, 1, true), (1, 0, false), (0, 0, false), (2, 1, true)] {
        let before = rows(&archive).await.len();
        let (mut recorder, again) = (archive.recorder(&id("cam")).unwrap(), Arc::clone(&given));
        let recording = tokio::task::spawn_blocking(move || {
            recorder.go_on(first_run).unwrap();
            give(&mut recorder, run, &again);
        });
        recording.await.unwrap();
        archive.settled().await;
        assert_eq!(rows(&archive).await.len() > before, is_new, "run {run} from {first_run}");
    }
}

/// As if nothing had been there; numbers are spent.
async fn forget(store: &Arc<ocelli_store::SqliteStore>) {
    use ocelli_store::Segments as _;
    let all = ocelli_store::SegmentQuery { limit: 10_000, ..Default::default() };
    let numbers: Vec<_> = store.segments(&all).await.unwrap().iter().map(|row| row.number).collect();
    store.remove_segments(&id("cam"), &numbers).await.unwrap();
}

/// An index that fails for a while, or from some call on, delays what is entered and loses nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_failing_index_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path()).await;
    let given = units(&clip(265).cached());
    // Two calls open the archive and begin to record.
    for first in 2..10 {
        for last in [first + 1, first + 2, u64::MAX] {
            forget(&store).await;
            let memory = Memory::default();
            dies(&memory, &Index::new(&store, &memory, first..last), &given, None).await;
            let name = format!("index fails {first}..{last}");
            // The next process has an index that works.
            let left = memory.after_kill();
            let archive = on(&left, store.clone()).await.unwrap();
            assert_eq!(sound(&name, &left, &archive, &given).await, given.len(), "{name}");
        }
    }
}
