//! Queries. Each runs within one snapshot.

mod detections;
mod frames;
mod ledgers;

use std::collections::BTreeMap;

use ocelli_model::TimeBase;
use sqlx::{FromRow as _, Row as _, SqliteConnection, query, query_as, sqlite::SqliteRow};

pub(super) use self::{
    detections::detections,
    frames::{frames, tracks},
    ledgers::{ledger_rows, ledgers},
};
use super::failure::Failure;
use crate::{
    AnalyzerId, AnalyzerRecord, Blob, BlobKind, NewAnalyzer, NewRun, NewSource, RunFilter, RunId, RunRecord,
    RunState, SourceId, SourceKind, SourceRecord, StoreError, words::Word as _,
};

/// Most rows on a page.
const PAGE: u32 = 100_000;

/// Whether a page may have this many rows.
pub(super) fn limit(limit: u32) -> Result<(), StoreError> {
    if (1..=PAGE).contains(&limit) {
        return Ok(());
    }
    Err(StoreError::Invalid(format!("a page has 1 to {PAGE} rows, not {limit}")))
}

fn damaged(what: impl Into<String>) -> Failure {
    Failure::Damaged(what.into())
}

pub(super) async fn runs(db: &mut SqliteConnection, filter: &RunFilter) -> Result<Vec<RunRecord>, Failure> {
    let rows = query(
        "SELECT runs.id, ordinal, base_num, base_den, t0, began_ms, state, last_pts,
                sources.id AS source, kind, key, name, bytes, seen_ms
         FROM runs JOIN sources ON sources.id = runs.source
         WHERE (?1 IS NULL OR runs.id = ?1) AND (?2 IS NULL OR key = ?2)
           AND (?3 IS NULL OR name = ?3 OR substr(name, -length(?3) - 1) = '/' || ?3)
         ORDER BY began_ms, runs.id",
    )
    .bind(filter.run.map(|run| run.0))
    .bind(&filter.source_key)
    .bind(&filter.source_name)
    .fetch_all(&mut *db)
    .await?;
    let mut runs = rows.iter().map(run).collect::<Result<Vec<_>, _>>()?;
    let mut blobs = blobs(db).await?;
    for run in &mut runs {
        run.blobs = blobs.remove(&run.id).unwrap_or_default();
    }
    Ok(runs)
}

fn run(row: &SqliteRow) -> Result<RunRecord, Failure> {
    let id: i64 = row.try_get("id")?;
    let (state, kind): (String, String) = (row.try_get("state")?, row.try_get("kind")?);
    let time_base = TimeBase::new(row.try_get("base_num")?, row.try_get("base_den")?)
        .map_err(|error| damaged(format!("run {id}: {error}")))?;
    let source_id = SourceId(row.try_get("source")?);
    let source = NewSource {
        kind: SourceKind::read(&kind).ok_or_else(|| damaged(format!("a source is a '{kind}'")))?,
        key: row.try_get("key")?,
        name: row.try_get("name")?,
        bytes: row.try_get::<i64, _>("bytes")? as u64,
        seen_ms: row.try_get("seen_ms")?,
    };
    let run = NewRun {
        source: source_id,
        ordinal: row.try_get("ordinal")?,
        time_base,
        t0: row.try_get("t0")?,
        began_ms: row.try_get("began_ms")?,
    };
    Ok(RunRecord {
        id: RunId(id),
        run,
        source: SourceRecord { id: source_id, source },
        state: RunState::read(&state).ok_or_else(|| damaged(format!("run {id} is '{state}'")))?,
        last_pts: row.try_get("last_pts")?,
        blobs: Vec::new(),
    })
}

async fn blobs(db: &mut SqliteConnection) -> Result<BTreeMap<RunId, Vec<Blob>>, Failure> {
    let rows: Vec<(i64, String, String, i64, i64)> =
        query_as("SELECT run, kind, location, bytes, seen_ms FROM blobs ORDER BY run, kind DESC, location")
            .fetch_all(db)
            .await?;
    let mut blobs = BTreeMap::<_, Vec<_>>::new();
    for (run, kind, location, bytes, seen_ms) in rows {
        let kind = BlobKind::read(&kind).ok_or_else(|| damaged(format!("a blob is '{kind}'")))?;
        blobs.entry(RunId(run)).or_default().push(Blob { kind, location, bytes: bytes as u64, seen_ms });
    }
    Ok(blobs)
}

pub(super) async fn analyzers(db: &mut SqliteConnection) -> Result<Vec<AnalyzerRecord>, Failure> {
    let rows = query("SELECT id, version, model, ingredients, seen_ms FROM analyzers ORDER BY seen_ms, id")
        .fetch_all(db)
        .await?;
    rows.iter().map(analyzer).collect()
}

fn analyzer(row: &SqliteRow) -> Result<AnalyzerRecord, Failure> {
    let (id, version, model, ingredients, seen_ms) = <(i64, String, String, String, i64)>::from_row(row)?;
    let analyzer = NewAnalyzer {
        version: version.parse().map_err(|error| damaged(format!("analyzer {id}: {error}")))?,
        model,
        ingredients: serde_json::from_str(&ingredients)
            .map_err(|error| damaged(format!("the ingredients of analyzer {id}: {error}")))?,
        seen_ms,
    };
    Ok(AnalyzerRecord { id: AnalyzerId(id), analyzer })
}
