//! Connections that read. Each answer comes from one snapshot.

use std::sync::{Mutex, PoisonError};

use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, raw_sql, sqlite::SqliteConnectOptions};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{failure::Failure, place::Place};
use crate::StoreError;

/// Queries at once; further ones wait.
const READERS: usize = 4;

/// Opens connections as they are needed.
#[derive(Debug)]
pub(super) struct Readers {
    options: SqliteConnectOptions,
    place: Place,
    idle: Mutex<Vec<SqliteConnection>>,
    permits: Semaphore,
}

/// A connection with a snapshot. Dropped without [`Reader::give_back`], the connection is closed.
pub(super) struct Reader<'a> {
    from: &'a Readers,
    db: Option<SqliteConnection>,
    _permit: SemaphorePermit<'a>,
}

impl Readers {
    pub(super) fn new(options: SqliteConnectOptions, place: Place) -> Self {
        Self { options, place, idle: Mutex::default(), permits: Semaphore::new(READERS) }
    }

    pub(super) async fn take(&self) -> Result<Reader<'_>, StoreError> {
        let permit = self.permits.acquire().await.map_err(|_closed| StoreError::Closed)?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut db = match idle {
            Some(db) => db,
            None => self.options.connect().await.map_err(|error| self.place.sql(error))?,
        };
        raw_sql("BEGIN").execute(&mut db).await.map_err(|error| self.place.sql(error))?;
        Ok(Reader { from: self, db: Some(db), _permit: permit })
    }

    /// Waits for queries under way; later ones are refused.
    pub(super) async fn close(&self) {
        let all = self.permits.acquire_many(READERS as u32).await;
        self.permits.close();
        drop(all);
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for db in idle {
            // Nothing was written through it.
            db.close().await.ok();
        }
    }
}

impl Reader<'_> {
    pub(super) fn db(&mut self) -> &mut SqliteConnection {
        self.db.as_mut().expect("there until it is given back, which ends its use")
    }

    /// Ends the snapshot and passes the answer on.
    pub(super) async fn give_back<T>(mut self, answer: Result<T, Failure>) -> Result<T, StoreError> {
        let answer = answer.map_err(|failure| self.from.place.error(failure));
        if let Some(mut db) = self.db.take() {
            // One whose snapshot does not end is not used again.
            if raw_sql("ROLLBACK").execute(&mut db).await.is_ok() {
                self.from.idle.lock().unwrap_or_else(PoisonError::into_inner).push(db);
            }
        }
        answer
    }
}
