//! Databases of other releases and other programs.

use std::path::Path;

use ocelli_store::{
    Access, Blob, BlobKind, DetectionQuery, Entry, ResultLog as _, Results as _, RunFilter, RunState,
    SqliteStore, StoreError,
};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, raw_sql, sqlite::SqliteConnectOptions};

use super::{filled, refused};

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
    let newer = |error: &StoreError| matches!(error, StoreError::Newer { found: 99, known: 2, .. });
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
