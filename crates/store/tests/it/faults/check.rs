//! What does not fit together is told.

use ocelli_model::TrackId;
use ocelli_store::{Access, Entry, ResultLog as _, Results as _, SqliteStore};

use super::{filled, schemas::alter};
use crate::backend::pts;

/// A sound store that `sql` changes: `words` are among what is said.
async fn check(sql: &str, words: &str) {
    let folder = tempfile::tempdir().unwrap();
    let open = filled(folder.path()).await;
    let store = SqliteStore::open(folder.path(), Access::Write).await.unwrap();
    let derivation = open.derivation.unwrap();
    let tracks = || vec![Some(TrackId(1)), None];
    let tracked = [0, 1].map(|slot| Entry::Tracked { derivation, pts: pts(slot), tracks: tracks() });
    store.commit(&tracked).await.unwrap();
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    store.close().await.unwrap();
    alter(folder.path(), &format!("PRAGMA foreign_keys = OFF; {sql};")).await;
    let store = SqliteStore::open(folder.path(), Access::Read).await.unwrap();
    let said = store.check().await.unwrap();
    assert!(said.iter().any(|line| line.contains(words)), "{sql}: {said:?}");
    assert!(said.len() <= 60, "{sql}: {} lines", said.len());
}

#[tokio::test]
async fn every_rule_finds_its_fault() {
    let many = "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 99)";
    let recording = "INSERT INTO recordings VALUES (1, 'cam', 9, 1, 50, 100, 100);
        INSERT INTO segments VALUES (1, 4, 0, 1, 1, 0, 100, 1, 0, 100, 'i', 10, 50, 'l', 'other')";
    let orphans = format!("INSERT INTO detections {many} SELECT 9, i, 0, 1, 0, 0, 0, 0, 0 FROM n");
    for (sql, words) in [
        ("INSERT INTO spans VALUES (1, 0, 1, 1, 1, 1, 'gated', '', NULL)", "verdicts 1 to 1 overlap"),
        ("INSERT INTO spans VALUES (1, 0, 0, 2, 2, 1, NULL, '', NULL)", "due slots 2 to 2 overlap"),
        ("UPDATE spans SET count = 2", "says nothing possible"),
        ("UPDATE spans SET verdict = NULL", "says nothing possible"),
        ("DELETE FROM results WHERE pts = 100", "3 slots are analysed, 2 results are counted"),
        ("DELETE FROM results WHERE pts = 100", "at 100 have no result"),
        ("DELETE FROM spans", "0 slots are analysed, 3 results are counted"),
        ("INSERT INTO shared VALUES (1, 100)", "is its own"),
        ("INSERT INTO shared VALUES (1, 555)", "that is not there"),
        ("DELETE FROM detections WHERE ordinal = 0", "not counted from 0"),
        ("UPDATE detections SET label = 99", "has no class"),
        (&orphans, "… and 70 more like these"),
        ("UPDATE derivations SET tracked_through = 555", "where there is no result"),
        ("UPDATE derivations SET tracked_through = 100", "beyond what is tracked"),
        ("UPDATE derivations SET tracked_through = NULL", "beyond what is tracked"),
        ("DELETE FROM detections WHERE pts = 100", "follows a detection at 100 that is not there"),
        ("UPDATE tracks SET best = 0.25", "track 1 and its detections differ"),
        ("UPDATE tracks SET detections = 3", "track 1 and its detections differ"),
        ("DELETE FROM tracks", "track 1 and its detections differ"),
        ("DELETE FROM track_detections", "track 1 and its detections differ"),
        ("UPDATE ledgers SET kept_pts = 1100", "3 slots are analysed, 2 results are counted"),
        (
            "UPDATE ledgers SET kept_pts = 1100; UPDATE tracks SET detections = 1",
            "track 1 and its detections differ",
        ),
        ("DELETE FROM sources", "a row of runs names one of sources that is not there"),
        (
            "UPDATE runs SET state = 'whole'; UPDATE ledgers SET unclean = 0; DELETE FROM spans WHERE settled",
            "window 0: 3 were due, 0 have a verdict",
        ),
        (
            "INSERT INTO series VALUES (7, 1, 1) ON CONFLICT DO NOTHING; UPDATE results SET ledger = 8;
             INSERT INTO runs VALUES (8, 1, 8, 1, 1, 0, 0, 'whole', NULL); INSERT INTO series VALUES (8, 8, 1);
             INSERT INTO ledgers (id, series, plan) VALUES (8, 8, '1')",
            "a ledger of another series",
        ),
        (&format!("{recording}; DELETE FROM segments"), "counts 1 segments of 50 bytes, it has 0 of 0"),
        (&format!("{recording}; UPDATE recordings SET spent_numbers = 4"), "segment 4 of cam says nothing"),
        (&format!("{recording}; UPDATE segments SET class = 'x'"), "segment 4 of cam says nothing"),
        (&format!("{recording}; UPDATE segments SET end_pts = 101"), "segment 4 of cam says nothing"),
        (
            &format!("{recording}; INSERT INTO segments SELECT 1, 3, 7, 1, 1, 0, 9, 1, 0, 9, 'i', 9, 9, 'l', 'other'"),
            "segment 4 of cam belongs to run 0, one before it to 7",
        ),
    ] {
        check(sql, words).await;
    }
}
