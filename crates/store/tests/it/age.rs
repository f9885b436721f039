//! A run that has been open for weeks.

use std::{fs, path::Path};

use ocelli_model::Verdict;
use ocelli_store::{Access, Entry, OpenLedger, ResultLog as _, SqliteStore};

use crate::backend::{analysed, due, ledger, result, slots, stream_run, unseen};

/// Commits that are measured.
const COMMITS: i64 = 50;
/// Bytes of a page in the log.
const PAGE: u64 = 4096 + 24;

/// Every verdict that a live stream has.
fn entries(open: OpenLedger, slot: i64) -> [Entry; 2] {
    let span = slots(slot, slot);
    let settled = match slot % 8 {
        0 | 1 => analysed(open, slot, Some(result(&["cat", "dog"]))),
        2 => unseen(open, span, Verdict::Dropped),
        3 => unseen(open, span, Verdict::Lost),
        4 => unseen(open, span, Verdict::Failed),
        5 => unseen(open, span, Verdict::Empty),
        _ => unseen(open, span, Verdict::Gated),
    };
    [due(open, span), settled]
}

/// Pages that a commit of one slot writes after so many.
async fn pages_per_commit(folder: &Path, before: i64) -> u64 {
    let store = SqliteStore::open(folder, Access::Write).await.unwrap();
    let run = stream_run(&store, "cam", 0).await;
    let open = ledger(&store, run, "m", "1").await;
    for first in (0..before).step_by(1000) {
        let some: Vec<_> = (first..first + 1000).flat_map(|slot| entries(open, slot)).collect();
        store.commit(&some).await.unwrap();
    }
    store.close().await.unwrap();
    // Begins with an empty log.
    let store = SqliteStore::open(folder, Access::Write).await.unwrap();
    stream_run(&store, "cam", 0).await;
    let log = || fs::metadata(folder.join("ocelli.db-wal")).unwrap().len();
    let empty = log();
    for slot in before..before + COMMITS {
        store.commit(&entries(open, slot)).await.unwrap();
    }
    let pages = (log() - empty) / PAGE / COMMITS as u64;
    store.close().await.unwrap();
    pages
}

/// A commit touches its own window and the end of each table, however much is before.
#[tokio::test]
async fn an_append_costs_what_it_did_in_the_beginning() {
    let (young, old) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let young = pages_per_commit(young.path(), 1000).await;
    let old = pages_per_commit(old.path(), 100_000).await;
    assert!((1..=8).contains(&young), "{young} pages");
    assert!(old <= young + 2, "{young} pages in the beginning, {old} later");
}
