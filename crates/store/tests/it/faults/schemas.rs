//! Databases of other releases and other programs.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use ocelli_store::{
    Access, AnchorOrigin, Blob, BlobKind, DetectionQuery, Entry, FrameQuery, ResultLog as _, Results as _,
    RunFilter, RunState, SqliteStore, StoreError, Streams as _, WallAnchor,
};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, raw_sql, sqlite::SqliteConnectOptions};

use super::{filled, refused};
use crate::backend::stream;

/// Runs SQL on the database in `folder`, from outside.
pub(super) async fn alter(folder: &Path, sql: &str) {
    let options = SqliteConnectOptions::new().filename(folder.join("ocelli.db")).create_if_missing(true);
    let mut db = options.connect().await.unwrap();
    raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut db).await.unwrap();
    db.close().await.unwrap();
}

#[tokio::test]
async fn a_newer_schema_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    alter(folder.path(), "PRAGMA user_version = 99").await;
    let newer = |error: &StoreError| matches!(error, StoreError::Newer { found: 99, known: 4, .. });
    refused(folder.path(), "newer", newer, "use the release that wrote it").await;
}

#[tokio::test]
async fn other_databases_are_left_alone() {
    for sql in [
        "CREATE TABLE theirs (a)",
        "PRAGMA application_id = 7; PRAGMA user_version = 1; CREATE TABLE runs (a)",
        "PRAGMA application_id = 1331914092",
    ] {
        let folder = tempfile::tempdir().unwrap();
        alter(folder.path(), &format!("{sql}; CREATE TABLE more (a);")).await;
        let before = std::fs::read(folder.path().join("ocelli.db")).unwrap();
        refused(folder.path(), sql, |error| matches!(error, StoreError::Damaged { .. }), "").await;
        assert!(std::fs::read(folder.path().join("ocelli.db")).unwrap() == before, "{sql}");
    }
}

/// A store as the first schema had it: everything is there afterwards, and what the second brought works. Opened to read,
/// it is brought up to date as well.
#[tokio::test]
async fn an_older_schema_becomes_todays() {
    for access in [Access::Write, Access::Read] {
        let folder = tempfile::tempdir().unwrap();
        alter(folder.path(), include_str!("schema1.sql")).await;
        let store = SqliteStore::open(folder.path(), access).await.unwrap();
        assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
        let run = store.runs(&RunFilter::default()).await.unwrap().remove(0);
        assert_eq!((run.state, run.blobs.len()), (RunState::Unclean, 0));
        let analyzer = store.analyzers().await.unwrap()[0].id;
        let query = DetectionQuery {
            run: run.id,
            analyzer,
            label: Some("dog".to_owned()),
            confidence: 0.0,
            from: 0,
            to: 9999,
            after: None,
            limit: 10,
        };
        assert_eq!(store.detections(&query).await.unwrap().rows.len(), 1);
        store.close().await.unwrap();
        let store = SqliteStore::open(folder.path(), Access::Write).await.unwrap();
        let blob = Blob { kind: BlobKind::Media, location: "/a".to_owned(), bytes: 1, seen_ms: 1 };
        store.commit(&[Entry::Blob { run: run.id, blob: blob.clone() }]).await.unwrap();
        assert_eq!(store.runs(&RunFilter::default()).await.unwrap()[0].blobs, [blob]);
        assert_eq!(store.ledgers(None).await.unwrap()[0].tally.analysed, 2);
    }
}

/// A store as the second schema had it, written by that release: what it held is there, and streams come to it.
#[tokio::test]
async fn the_second_schema_becomes_todays() {
    let folder = tempfile::tempdir().unwrap();
    alter(folder.path(), include_str!("schema2.sql")).await;
    let store = SqliteStore::open(folder.path(), Access::Write).await.unwrap();
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
    let run = store.runs(&RunFilter::default()).await.unwrap().remove(0);
    assert_eq!(run.state, RunState::Unclean);
    let ledger = store.ledgers(Some(run.id)).await.unwrap().remove(0);
    assert_eq!((ledger.due, ledger.tally.analysed), (9, 6));
    let (series, derivation) = (ledger.series, ledger.derivation);
    let frames = FrameQuery {
        series,
        ledger: Some(ledger.id),
        derivation,
        from: 0,
        to: 9999,
        limit: 10,
        newest_first: false,
    };
    let frames = store.frames(&frames).await.unwrap().rows;
    let tracked = frames.iter().flat_map(|frame| &frame.tracks).flatten().count();
    assert_eq!((frames.len(), tracked), (6, 6));
    assert_eq!(store.streams().await.unwrap(), []);
    let stream = stream("cam");
    store.put_stream(&stream).await.unwrap();
    let anchor = WallAnchor { pts: 100, unix_ns: 1, origin: AnchorOrigin::Arrival };
    store.anchor(run.id, &[anchor]).await.unwrap();
    store.close().await.unwrap();
    let store = SqliteStore::open(folder.path(), Access::Read).await.unwrap();
    assert_eq!(
        (store.streams().await.unwrap(), store.anchors(run.id).await.unwrap()),
        (vec![stream], vec![anchor])
    );
}

/// What streams are to do holds passwords: nobody else reads the files, also not those of an older release.
#[tokio::test]
async fn files_are_for_their_owner_only() {
    let check = async |before: Option<u32>, expected: u32| {
        let folder = tempfile::tempdir().unwrap();
        if let Some(mode) = before {
            alter(folder.path(), include_str!("schema2.sql")).await;
            fs::set_permissions(folder.path().join("ocelli.db"), fs::Permissions::from_mode(mode)).unwrap();
        }
        let store = SqliteStore::open(folder.path(), Access::Write).await.unwrap();
        store.put_stream(&stream("cam")).await.unwrap();
        for name in ["ocelli.db", "ocelli.db-wal", "ocelli.db-shm"] {
            let mode = fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, expected, "{name}, {before:?}");
        }
        store.close().await.unwrap();
    };
    check(None, 0o600).await;
    check(Some(0o644), 0o600).await;
    check(Some(0o606), 0o600).await;
    // The owner let a group in.
    check(Some(0o640), 0o640).await;
}
