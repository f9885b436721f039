//! Files that are no stores, or no longer.

use std::{fs, path::Path};

use ocelli_store::{Access, Results as _, SqliteStore, StoreError};

use super::{filled, refused};

/// A filled store whose files `harm` changes is refused as damaged.
async fn check(what: &str, words: &str, harm: impl Fn(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    harm(folder.path());
    let damaged = |error: &StoreError| matches!(error, StoreError::Damaged { .. });
    refused(folder.path(), what, damaged, words).await;
    refused(folder.path(), what, damaged, "keep a copy, then restore a backup").await;
}

fn cut(folder: &Path, bytes: u64) {
    fs::OpenOptions::new().write(true).open(folder.join("ocelli.db")).unwrap().set_len(bytes).unwrap();
}

#[tokio::test]
async fn damaged_stores_are_refused() {
    let size = {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path()).await;
        fs::metadata(folder.path().join("ocelli.db")).unwrap().len()
    };
    check("empty", "it is empty", |folder| cut(folder, 0)).await;
    for bytes in [1, 50, 100, 4096, 5000, size / 2, size - 4096, size - 1] {
        check(&format!("cut to {bytes} of {size}"), "", |folder| cut(folder, bytes)).await;
    }
    let database = |folder: &Path| folder.join("ocelli.db");
    let noise: Vec<u8> = (0..20_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    check("noise", "not a database", |folder| fs::write(database(folder), &noise).unwrap()).await;
    check("text", "not a database", |folder| fs::write(database(folder), "hello".repeat(300)).unwrap()).await;
    check("a folder", "it is no file", |folder| {
        fs::remove_file(database(folder)).unwrap();
        fs::create_dir(database(folder)).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_log_without_its_database_is_not_put_to_another() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ocelli.db-wal"), "frames").unwrap();
    let error = SqliteStore::open(folder.path(), Access::Write).await.unwrap_err();
    assert!(error.to_string().contains("its log is there"), "{error}");
}

#[tokio::test]
async fn what_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("not/yet");
    for path in [folder.path(), &inside] {
        let error = SqliteStore::open(path, Access::Read).await.unwrap_err();
        assert!(matches!(error, StoreError::Missing { .. }), "{error:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
    SqliteStore::open(&inside, Access::Write).await.unwrap().close().await.unwrap();
    SqliteStore::open(&inside, Access::Read).await.unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "mine").unwrap();
    refused(&file, "a file", |error| matches!(error, StoreError::Damaged { .. }), "").await;
    assert_eq!(fs::read(&file).unwrap(), b"mine");
}

/// Each page in turn is overwritten in its middle: reading it all finds it, one way or the other.
#[tokio::test]
async fn check_finds_broken_pages() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let database = folder.path().join("ocelli.db");
    let sound = fs::read(&database).unwrap();
    let mut found = 0;
    for page in 1..sound.len() / 4096 {
        let mut broken = sound.clone();
        // The head of a page says what it holds, and where.
        broken[page * 4096..page * 4096 + 16].fill(0xa5);
        fs::write(&database, &broken).unwrap();
        let told = match SqliteStore::open(folder.path(), Access::Read).await {
            Ok(store) => match store.check().await {
                Ok(lines) => !lines.is_empty(),
                Err(error) => matches!(error, StoreError::Damaged { .. }),
            },
            Err(error) => matches!(error, StoreError::Damaged { .. }),
        };
        assert!(told, "page {page}");
        found += 1;
    }
    assert!(found > 10);
    fs::write(&database, &sound).unwrap();
    let store = SqliteStore::open(folder.path(), Access::Read).await.unwrap();
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new());
}
