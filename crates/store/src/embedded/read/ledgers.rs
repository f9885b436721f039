//! Ledgers, summed up and line by line.

use ocelli_model::{SamplingPlan, Tally, Verdict};
use sqlx::{SqliteConnection, query_as};

use super::damaged;
use crate::{
    AnalyzerId, DerivationId, LedgerId, LedgerRecord, LedgerRow, RunId, SeriesId, Span,
    embedded::failure::Failure,
};

type Found = (i64, i64, i64, i64, String, Option<i64>, Option<i64>);

pub(in crate::embedded) async fn ledgers(
    db: &mut SqliteConnection,
    run: Option<RunId>,
) -> Result<Vec<LedgerRecord>, Failure> {
    let found: Vec<Found> = query_as(
        "SELECT ledgers.id, series.id, run, analyzer, plan,
                (SELECT max(id) FROM derivations WHERE ledger = ledgers.id), kept_pts
         FROM ledgers JOIN series ON series.id = ledgers.series
         WHERE ?1 IS NULL OR run = ?1 ORDER BY run, ledgers.id",
    )
    .bind(run.map(|run| run.0))
    .fetch_all(&mut *db)
    .await?;
    let mut ledgers = Vec::with_capacity(found.len());
    for (id, series, run, analyzer, plan, derivation, kept_pts) in found {
        let plan = plan.parse().map_err(|_bad| damaged(format!("ledger {id} has plan '{plan}'")))?;
        let (due, tally) = sums(db, LedgerId(id)).await?;
        ledgers.push(LedgerRecord {
            id: LedgerId(id),
            series: SeriesId(series),
            run: RunId(run),
            analyzer: AnalyzerId(analyzer),
            plan,
            derivation: derivation.map(DerivationId),
            due,
            tally,
            kept_pts,
        });
    }
    Ok(ledgers)
}

async fn sums(db: &mut SqliteConnection, ledger: LedgerId) -> Result<(u64, Tally), Failure> {
    let counts: Vec<(Option<String>, i64)> =
        query_as("SELECT verdict, sum(count) FROM spans WHERE ledger = ? GROUP BY verdict")
            .bind(ledger.0)
            .fetch_all(db)
            .await?;
    let (mut due, mut tally) = (0, Tally::default());
    for (verdict, count) in counts {
        match verdict {
            None => due += count as u64,
            Some(word) => tally.add(verdict_of(ledger, &word)?, count as u64),
        }
    }
    Ok((due, tally))
}

fn verdict_of(ledger: LedgerId, word: &str) -> Result<Verdict, Failure> {
    word.parse().map_err(|error| damaged(format!("a slot of ledger {ledger}: {error}")))
}

type Line = (i64, i64, i64, i64, Option<String>, String, Option<i64>);

pub(in crate::embedded) async fn ledger_rows(
    db: &mut SqliteConnection,
    ledger: LedgerId,
) -> Result<Vec<LedgerRow>, Failure> {
    let plan: Option<(String,)> =
        query_as("SELECT plan FROM ledgers WHERE id = ?").bind(ledger.0).fetch_optional(&mut *db).await?;
    let pictures = plan.is_some_and(|(plan,)| plan == SamplingPlan::All.to_string());
    let lines: Vec<Line> = query_as(
        "SELECT time_window, first, last, count, verdict, reason, pts FROM spans
         WHERE ledger = ? ORDER BY time_window, first, settled",
    )
    .bind(ledger.0)
    .fetch_all(db)
    .await?;
    let mut merged = Merged { pictures, rows: Vec::new(), due: None, settled: None };
    for (window, first, last, count, verdict, reason, pts) in lines {
        let verdict = verdict.map(|word| verdict_of(ledger, &word)).transpose()?;
        let span = Span { first, last, count: count as u64 };
        merged.push(LedgerRow { window, span, verdict, reason, pts });
    }
    merged.rows.sort_by_key(|row| (row.window, row.span.first, row.verdict.is_some()));
    Ok(merged.rows)
}

/// Puts lines of single pictures together for people: those that no other line of their kind stands between.
struct Merged {
    pictures: bool,
    rows: Vec<LedgerRow>,
    /// Where the newest line of each kind is.
    due: Option<usize>,
    settled: Option<usize>,
}

impl Merged {
    fn push(&mut self, row: LedgerRow) {
        let newest = if row.verdict.is_some() { &mut self.settled } else { &mut self.due };
        if let Some(before) = newest.filter(|_| self.pictures).and_then(|at| self.rows.get_mut(at))
            && before.window == row.window
            && before.verdict == row.verdict
            && before.reason == row.reason
            && before.pts.is_none()
            && row.pts.is_none()
        {
            before.span.last = row.span.last;
            before.span.count += row.span.count;
            return;
        }
        *newest = Some(self.rows.len());
        self.rows.push(row);
    }
}
