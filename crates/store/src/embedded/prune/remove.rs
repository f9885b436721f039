//! Runs that nothing is left of but their names.

use sqlx::{SqliteConnection, query, query_scalar};

use crate::{RunState, embedded::failure::Failure};

/// What is removed of a run, whatever hangs on something else first. Much of it is gone by now.
const TABLES: [&str; 12] = [
    "DELETE FROM track_detections WHERE derivation IN (SELECT derivations.id FROM derivations
         JOIN ledgers ON ledgers.id = ledger JOIN series ON series.id = ledgers.series WHERE run = ?)",
    "DELETE FROM tracks WHERE derivation IN (SELECT derivations.id FROM derivations
         JOIN ledgers ON ledgers.id = ledger JOIN series ON series.id = ledgers.series WHERE run = ?)",
    "DELETE FROM derivations WHERE ledger IN
         (SELECT ledgers.id FROM ledgers JOIN series ON series.id = ledgers.series WHERE run = ?)",
    "DELETE FROM detections WHERE series IN (SELECT id FROM series WHERE run = ?)",
    "DELETE FROM shared WHERE ledger IN
         (SELECT ledgers.id FROM ledgers JOIN series ON series.id = ledgers.series WHERE run = ?)",
    "DELETE FROM results WHERE series IN (SELECT id FROM series WHERE run = ?)",
    "DELETE FROM spans WHERE ledger IN
         (SELECT ledgers.id FROM ledgers JOIN series ON series.id = ledgers.series WHERE run = ?)",
    "DELETE FROM ledgers WHERE series IN (SELECT id FROM series WHERE run = ?)",
    "DELETE FROM series WHERE run = ?",
    "DELETE FROM blobs WHERE run = ?",
    "DELETE FROM anchors WHERE run = ?",
    "DELETE FROM runs WHERE id = ?",
];

/// How many were removed: those that somebody opened meanwhile stay. Without checks of foreign keys: for each ledger SQLite
/// would look through all results of all runs.
pub(super) async fn remove(db: &mut SqliteConnection, runs: &[i64]) -> Result<u64, Failure> {
    let mut removed = 0;
    for run in runs {
        let state: Option<String> =
            query_scalar("SELECT state FROM runs WHERE id = ?").bind(run).fetch_optional(&mut *db).await?;
        if state.is_none_or(|state| state == RunState::Open.word()) {
            continue;
        }
        query(
            "UPDATE sources SET (spent_ordinals, spent_run) =
                 (SELECT max(spent_ordinals, ordinal + 1), max(spent_run, runs.id) FROM runs WHERE id = ?1)
             WHERE id = (SELECT source FROM runs WHERE id = ?1)",
        )
        .bind(run)
        .execute(&mut *db)
        .await?;
        for delete in TABLES {
            query(delete).bind(run).execute(&mut *db).await?;
        }
        removed += 1;
    }
    Ok(removed)
}
