//! Opening: what may be wrong with a store is found here as far as a look without reading it all can tell.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
    time::Duration,
};

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection, raw_sql,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{
    lock::Lock,
    place::Place,
    readers::Readers,
    schema::{self, APPLICATION_ID, KNOWN},
    write::Writer,
};
use crate::StoreError;

/// Another program may hold the database for a moment, such as one that makes a backup.
const PATIENCE: Duration = Duration::from_secs(5);

/// For its owner only: what streams are to do holds passwords.
const FILE_MODE: u32 = 0o600;

fn connecting(thread: &'static str) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .busy_timeout(PATIENCE)
        .foreign_keys(true)
        .pragma("temp_store", "memory")
        .statement_cache_capacity(200)
        .thread_name(move |_| thread.to_owned())
        .disable_statement_logging()
}

pub(super) fn reading(place: &Place) -> SqliteConnectOptions {
    connecting("store-read").filename(place.database()).read_only(true).create_if_missing(false)
}

/// A connection that writes. What it commits stays in the log until [`super::checkpoint`] moves it on.
pub(super) fn writing(place: &Place, thread: &'static str) -> SqliteConnectOptions {
    connecting(thread)
        .filename(place.database())
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", "0")
        .pragma("cache_size", "-16384")
}

pub(super) async fn to_read(place: &Place) -> Result<Readers, StoreError> {
    if !is_there(place)? {
        return Err(StoreError::Missing { path: place.database() });
    }
    let mut options = reading(place);
    let mut stamped = stamp(&options).await;
    if stamped.as_ref().is_err_and(cannot_open) && log_is_empty(place) {
        // Without the right to make the log's index beside it, SQLite reads a database only where it is told that nobody
        // writes. Nobody can: a writer would have left its log.
        options = options.immutable(true);
        stamped = stamp(&options).await;
    }
    let stamp = stamped.map_err(|error| place.sql(error))?;
    if known(place, stamp)? < KNOWN {
        let (_lock, writer) = to_write(place).await?;
        writer.close().await?;
    }
    Ok(Readers::new(options, place.clone()))
}

pub(super) async fn to_write(place: &Place) -> Result<(Lock, Writer), StoreError> {
    fs::create_dir_all(place.folder()).map_err(|error| place.io(error))?;
    let lock = Lock::take(place)?;
    if !is_there(place)? {
        create(place).await?;
    }
    let failed = |error| place.sql(error);
    // Looked at before it is opened for writing, which changes even a database of another program.
    let stamp = stamp(&reading(place)).await.map_err(failed)?;
    let schema = known(place, stamp)?;
    for path in [place.database(), place.wal(), place.shm()] {
        close_to_others(&path);
    }
    let mut db = writing(place, "store-write").connect().await.map_err(failed)?;
    schema::migrate(&mut db, schema).await.map_err(failed)?;
    schema::mark_unclean(&mut db).await.map_err(failed)?;
    Ok((lock, Writer::new(db, place.clone())))
}

/// Whether there is a database, as far as the file system knows.
fn is_there(place: &Place) -> Result<bool, StoreError> {
    match fs::metadata(place.database()) {
        Ok(found) if !found.is_file() => Err(place.damaged("it is no file")),
        Ok(found) if found.len() == 0 => Err(place.damaged("it is empty")),
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(place.io(error)),
    }
}

async fn stamp(options: &SqliteConnectOptions) -> sqlx::Result<schema::Stamp> {
    let mut db = options.connect().await?;
    let stamp = schema::stamp(&mut db).await?;
    db.close().await?;
    Ok(stamp)
}

/// The schema version, where it is one of ours.
fn known(place: &Place, stamp: schema::Stamp) -> Result<i64, StoreError> {
    let path = place.database();
    if stamp.application != APPLICATION_ID {
        return Err(place.damaged("it is a database of another program"));
    }
    // SQLite takes half a page at the end for a whole one. A checkpoint without room may leave one: then all of it is in the
    // log.
    let bytes = fs::metadata(&path).map_err(|error| place.io(error))?.len();
    if log_is_empty(place) && bytes % stamp.page_bytes.max(1) != 0 {
        return Err(place.damaged("its end is missing"));
    }
    match stamp.schema {
        found if found > KNOWN => Err(StoreError::Newer { path, found, known: KNOWN }),
        found if found < 1 => Err(place.damaged(format!("it has schema {found}"))),
        found => Ok(found),
    }
}

/// Whether SQLite could not open one of the files, or not for writing.
fn cannot_open(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
    matches!(code.map(|code| code & 0xff), Some(8 | 14))
}

fn log_is_empty(place: &Place) -> bool {
    match fs::metadata(place.wal()) {
        Ok(log) => log.len() == 0,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Takes the file from the eyes of others: earlier releases left it open to them. Whoever gave a group the right to read it
/// and nobody else keeps it so. Where the file or its system does not allow it, it stays as it is.
fn close_to_others(path: &Path) {
    if fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o007 != 0) {
        fs::set_permissions(path, Permissions::from_mode(FILE_MODE)).ok();
    }
}

/// Makes an empty store under another name first: killed meanwhile, nothing is there.
async fn create(place: &Place) -> Result<(), StoreError> {
    if !log_is_empty(place) {
        return Err(place.damaged("it is gone, but its log is there"));
    }
    let unborn = place.unborn();
    for rest in [unborn.clone(), unborn.with_extension("new-journal"), unborn.with_extension("new-wal")] {
        match fs::remove_file(rest) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(place.io(error)),
            _ => {}
        }
    }
    // Its log and whatever else lies beside it later get the same mode.
    let mut made = OpenOptions::new();
    let made = made.write(true).create_new(true).mode(FILE_MODE).open(&unborn);
    made.map_err(|error| place.io(error))?;
    let options = connecting("store-create").filename(&unborn).create_if_missing(false);
    let failed = |error| place.sql(error);
    let mut db = options.connect().await.map_err(failed)?;
    make_tables(&mut db).await.map_err(failed)?;
    db.close().await.map_err(failed)?;
    let placed = || -> io::Result<()> {
        fs::rename(&unborn, place.database())?;
        File::open(place.folder())?.sync_all()
    };
    placed().map_err(|error| place.io(error))
}

async fn make_tables(db: &mut SqliteConnection) -> sqlx::Result<()> {
    let mark = format!("PRAGMA synchronous = FULL; PRAGMA application_id = {APPLICATION_ID};");
    raw_sql(AssertSqlSafe(mark)).execute(&mut *db).await?;
    schema::migrate(&mut *db, 0).await?;
    // Stays with the database, for whoever opens it.
    raw_sql("PRAGMA journal_mode = WAL").execute(db).await.map(|_| ())
}
