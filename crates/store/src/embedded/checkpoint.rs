//! Moves what was committed from the log into the database file, beside the commits instead of within one.

use std::sync::{
    Arc, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, query_as};
use tokio::{
    sync::{Mutex, Notify},
    task::JoinHandle,
};

use super::{open, place::Place, write::Writer};
use crate::StoreError;

/// Commits between two checkpoints.
const COMMITS: u32 = 64;
/// Pages of the log (4 KiB each) beyond which the writer is held up for a moment. The log begins anew only when all of it
/// has been moved at a time at which nobody writes, and grows until then.
const PAGES: i64 = 1 << 14;

/// The task that does it.
#[derive(Debug)]
pub(super) struct Checkpoints {
    bell: Arc<Bell>,
    task: std::sync::Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Bell {
    commits: std::sync::atomic::AtomicU32,
    ring: Notify,
    ends: AtomicBool,
}

impl Checkpoints {
    pub(super) async fn start(place: Place, writer: Arc<Mutex<Option<Writer>>>) -> Result<Self, StoreError> {
        let db = open::writing(&place, "store-checkpoint").connect().await;
        let db = db.map_err(|error| place.sql(error))?;
        let bell = Arc::new(Bell::default());
        let task = tokio::spawn(run(db, writer, Arc::clone(&bell)));
        Ok(Self { bell, task: std::sync::Mutex::new(Some(task)) })
    }

    /// One more transaction is in the log.
    pub(super) fn committed(&self) {
        if self.bell.commits.fetch_add(1, Ordering::Relaxed) + 1 >= COMMITS {
            self.bell.commits.store(0, Ordering::Relaxed);
            self.bell.ring.notify_one();
        }
    }

    /// Ends the task and waits for it.
    pub(super) async fn stop(&self) {
        self.bell.ends.store(true, Ordering::Release);
        self.bell.ring.notify_one();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task
            && let Err(error) = task.await
            && error.is_panic()
        {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.bell.ends.store(true, Ordering::Release);
        self.bell.ring.notify_one();
    }
}

async fn run(mut db: SqliteConnection, writer: Arc<Mutex<Option<Writer>>>, bell: Arc<Bell>) {
    loop {
        bell.ring.notified().await;
        if bell.ends.load(Ordering::Acquire) {
            break;
        }
        if pages_left(&mut db).await > PAGES {
            let _held = writer.lock().await;
            pages_left(&mut db).await;
        }
    }
    db.close().await.ok();
}

/// Moves what can be moved without making anyone wait. The size of the log. A failure is no loss and is met again: the log
/// stays as it is and grows, and a commit that finds no room for it says so.
async fn pages_left(db: &mut SqliteConnection) -> i64 {
    let moved = query_as("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(db).await;
    moved.map_or(0, |(_busy, pages, _moved): (i64, i64, i64)| pages)
}
