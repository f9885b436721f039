//! Identities: found, or made.

use std::sync::Arc;

use ocelli_model::AnalyzerVersion;
use sqlx::{SqliteConnection, query, query_as, query_scalar};

use super::failure::Failure;
use crate::{
    AnalyzerId, DerivationId, LedgerId, NewAnalyzer, NewLedger, NewRun, NewSource, OpenLedger, RunId,
    RunState, SeriesId, SourceId, StoreError,
};

pub(super) async fn source(db: &mut SqliteConnection, source: &NewSource) -> Result<SourceId, Failure> {
    let id = query_scalar(
        "INSERT INTO sources (kind, key, name, bytes, seen_ms) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (kind, key) DO UPDATE
             SET name = excluded.name, bytes = excluded.bytes, seen_ms = excluded.seen_ms
         RETURNING id",
    )
    .bind(source.kind.word())
    .bind(&source.key)
    .bind(&source.name)
    .bind(source.bytes as i64)
    .bind(source.seen_ms)
    .fetch_one(db)
    .await?;
    Ok(SourceId(id))
}

pub(super) async fn run(db: &mut SqliteConnection, run: &NewRun) -> Result<RunId, Failure> {
    let base = format!("{}/{}", run.time_base.num(), run.time_base.den());
    let (id, num, den, t0): (i64, u32, u32, i64) = query_as(
        "INSERT INTO runs (id, source, ordinal, base_num, base_den, t0, began_ms, state)
         VALUES (1 + max(coalesce((SELECT max(id) FROM runs), 0), coalesce((SELECT max(spent_run) FROM sources), 0)),
                 ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (source, ordinal) DO UPDATE SET state = excluded.state
         RETURNING id, base_num, base_den, t0",
    )
    .bind(run.source.0)
    .bind(run.ordinal)
    .bind(run.time_base.num())
    .bind(run.time_base.den())
    .bind(run.t0)
    .bind(run.began_ms)
    .bind(RunState::Open.word())
    .fetch_one(db)
    .await?;
    let stored = format!("{num}/{den}");
    if stored != base {
        return Err(StoreError::Conflict { what: "time base", stored, given: base }.into());
    }
    if t0 != run.t0 {
        return Err(
            StoreError::Conflict { what: "t0", stored: t0.to_string(), given: run.t0.to_string() }.into()
        );
    }
    Ok(RunId(id))
}

pub(super) async fn analyzer(
    db: &mut SqliteConnection,
    analyzer: &NewAnalyzer,
) -> Result<AnalyzerId, Failure> {
    let ingredients =
        serde_json::to_string(&analyzer.ingredients).map_err(|error| StoreError::Backend(Arc::new(error)))?;
    query(
        "INSERT INTO analyzers (version, model, ingredients, seen_ms) VALUES (?, ?, ?, ?)
         ON CONFLICT (version) DO NOTHING",
    )
    .bind(analyzer.version.as_str())
    .bind(&analyzer.model)
    .bind(ingredients)
    .bind(analyzer.seen_ms)
    .execute(&mut *db)
    .await?;
    let id = query_scalar("SELECT id FROM analyzers WHERE version = ?").bind(analyzer.version.as_str());
    Ok(AnalyzerId(id.fetch_one(db).await?))
}

pub(super) async fn ledger(db: &mut SqliteConnection, ledger: &NewLedger) -> Result<OpenLedger, Failure> {
    query("INSERT INTO series (run, analyzer) VALUES (?, ?) ON CONFLICT (run, analyzer) DO NOTHING")
        .bind(ledger.run.0)
        .bind(ledger.analyzer.0)
        .execute(&mut *db)
        .await?;
    let series: i64 = query_scalar("SELECT id FROM series WHERE run = ? AND analyzer = ?")
        .bind(ledger.run.0)
        .bind(ledger.analyzer.0)
        .fetch_one(&mut *db)
        .await?;
    let id: i64 = query_scalar(
        "INSERT INTO ledgers (series, plan) VALUES (?, ?)
         ON CONFLICT (series, plan) DO UPDATE SET unclean = 0 RETURNING id",
    )
    .bind(series)
    .bind(ledger.plan.to_string())
    .fetch_one(&mut *db)
    .await?;
    let derivation = match &ledger.tracker {
        Some(tracker) => Some(derivation(db, id, tracker).await?),
        None => None,
    };
    Ok(OpenLedger { ledger: LedgerId(id), series: SeriesId(series), derivation })
}

async fn derivation(
    db: &mut SqliteConnection,
    ledger: i64,
    tracker: &AnalyzerVersion,
) -> sqlx::Result<DerivationId> {
    query("INSERT INTO derivations (ledger, tracker) VALUES (?, ?) ON CONFLICT (ledger, tracker) DO NOTHING")
        .bind(ledger)
        .bind(tracker.as_str())
        .execute(&mut *db)
        .await?;
    let id = query_scalar("SELECT id FROM derivations WHERE ledger = ? AND tracker = ?");
    id.bind(ledger).bind(tracker.as_str()).fetch_one(db).await.map(DerivationId)
}
