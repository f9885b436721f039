//! Retention: what streams brought before a wall time goes, a little at a time, so that commits get in between.
//!
//! First the ledgers are marked: they are kept from a window and a PTS on, and entries for what is before change nothing from
//! then on. Then whole frames and whole windows before the marks go, oldest first; each transaction leaves a store in which
//! everything fits together, so that a kill in between does no harm and the next call goes on.

mod clear;
mod remove;

use ocelli_model::{SamplingPlan, SlotClock, TimeBase};
use sqlx::{Row as _, SqliteConnection, query, query_as, sqlite::SqliteRow};

use super::{SqliteStore, change, failure::Failure, identify};
use crate::{LedgerClock, Pruned, RunState, SourceKind, StoreError, WINDOW_SECONDS};

/// Runs that one transaction marks.
const MARKS: usize = 200;
/// Runs without anything in them that one transaction removes.
const REMOVALS: usize = 50;
/// The mark of ledgers that go as a whole.
const WHOLE: i64 = i64::MAX;

/// A run of which something may go.
#[derive(Clone, Debug)]
pub(super) struct Doomed {
    run: i64,
    base: TimeBase,
    t0: i64,
    /// The first window to keep; [`WHOLE`]: nothing is kept, the run neither.
    window: i64,
}

impl SqliteStore {
    pub(super) async fn prune_before(&self, before_ms: i64) -> Result<Pruned, StoreError> {
        let doomed = self.doomed(before_ms).await?;
        for some in doomed.chunks(MARKS) {
            identify!(self, mark, some)?;
        }
        let mut pruned = Pruned::default();
        for run in &doomed {
            loop {
                let step = change!(self, begin, clear::clear, run)?;
                if step == Pruned::default() {
                    break;
                }
                pruned.add(step);
            }
        }
        let whole: Vec<_> = doomed.iter().filter(|run| run.window == WHOLE).map(|run| run.run).collect();
        for some in whole.chunks(REMOVALS) {
            pruned.runs += change!(self, begin_unchecked, remove::remove, some)?;
        }
        Ok(pruned)
    }

    async fn doomed(&self, before_ms: i64) -> Result<Vec<Doomed>, StoreError> {
        let mut reader = self.readers.take().await?;
        let doomed = doomed(reader.db(), before_ms).await;
        reader.give_back(doomed).await
    }
}

impl Doomed {
    /// The first PTS that is kept.
    fn pts(&self) -> i64 {
        if self.window == WHOLE { WHOLE } else { self.pts_under(SamplingPlan::All) }
    }

    /// The first PTS that a ledger of this plan keeps: that of the first slot whose centre lies in the first window.
    fn pts_under(&self, plan: SamplingPlan) -> i64 {
        let first = LedgerClock::new(plan, self.base, self.t0).first(self.window);
        match plan {
            _ if self.window == WHOLE => WHOLE,
            SamplingPlan::All => first,
            SamplingPlan::Rate(rate) => SlotClock::new(self.t0, self.base, rate).first_pts(first),
        }
    }
}

/// Runs of streams that began before, and those of which an earlier call left something to do.
async fn doomed(db: &mut SqliteConnection, before_ms: i64) -> Result<Vec<Doomed>, Failure> {
    let rows = query(
        "SELECT runs.id, base_num, base_den, t0, began_ms, state, last_pts,
                (SELECT max(coalesce((SELECT max(time_window) FROM spans WHERE ledger = ledgers.id), -1))
                 FROM series JOIN ledgers ON ledgers.series = series.id WHERE run = runs.id) AS newest,
                (SELECT max(kept_window) FROM series JOIN ledgers ON ledgers.series = series.id
                 WHERE run = runs.id) AS kept
         FROM runs JOIN sources ON sources.id = runs.source WHERE kind = ?1 AND (began_ms < ?2 OR kept IS NOT NULL)
         ORDER BY began_ms",
    )
    .bind(SourceKind::Stream.word())
    .bind(before_ms)
    .fetch_all(db)
    .await?;
    rows.iter().map(|row| judge(row, before_ms)).collect()
}

fn judge(row: &SqliteRow, before_ms: i64) -> Result<Doomed, Failure> {
    let run = row.try_get("id")?;
    let base = TimeBase::new(row.try_get("base_num")?, row.try_get("base_den")?)
        .map_err(|error| Failure::Damaged(format!("run {run}: {error}")))?;
    let (t0, began_ms): (i64, i64) = (row.try_get("t0")?, row.try_get("began_ms")?);
    let (newest, kept): (Option<i64>, Option<i64>) = (row.try_get("newest")?, row.try_get("kept")?);
    let window_ms = WINDOW_SECONDS * 1000;
    let ended_ms = match row.try_get::<Option<i64>, _>("last_pts")? {
        Some(last) => {
            let ticks = i128::from(last) - i128::from(t0);
            ticks.max(0) * i128::from(base.num()) * 1000 / i128::from(base.den())
        }
        // Its process died: it ends with the last window that has a line.
        None => (i128::from(newest.unwrap_or(-1)) + 1) * i128::from(window_ms),
    } + i128::from(began_ms);
    let closed = row.try_get::<String, _>("state")? != RunState::Open.word();
    let window = if closed && (kept == Some(WHOLE) || ended_ms < i128::from(before_ms)) {
        WHOLE
    } else {
        let before = before_ms.saturating_sub(began_ms).div_euclid(window_ms);
        // Never beyond what is there, whatever the clock says: entries of an open run would be lost. What was marked stays so
        // when less is asked for now.
        newest.map_or(before, |newest| before.min(newest.saturating_add(1))).max(kept.unwrap_or(0))
    };
    Ok(Doomed { run, base, t0, window })
}

async fn mark(db: &mut SqliteConnection, runs: &[Doomed]) -> Result<(), Failure> {
    for run in runs {
        let ledgers: Vec<(i64, String)> = query_as(
            "SELECT ledgers.id, plan FROM series JOIN ledgers ON ledgers.series = series.id WHERE run = ?1
             AND (?2 < 9223372036854775807 OR (SELECT state FROM runs WHERE id = ?1) <> ?3)",
        )
        .bind(run.run)
        .bind(run.window)
        .bind(RunState::Open.word())
        .fetch_all(&mut *db)
        .await?;
        for (ledger, plan) in ledgers {
            let plan = plan.parse();
            let plan =
                plan.map_err(|_bad| Failure::Damaged(format!("the plan of ledger {ledger} is none")))?;
            query("UPDATE ledgers SET kept_window = ?1, kept_pts = ?2 WHERE id = ?3 AND coalesce(kept_window, 0) < ?1")
                .bind(run.window)
                .bind(run.pts_under(plan))
                .bind(ledger)
                .execute(&mut *db)
                .await?;
        }
    }
    Ok(())
}
