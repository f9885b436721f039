//! The ledgers that entries name, and the windows that they change.

use ocelli_model::{SamplingPlan, TimeBase};
use sqlx::{query_as, query_scalar};

use super::{apply::Commit, memory::Ledger, rows::SpanRow};
use crate::{
    DerivationId, LedgerClock, LedgerId, SeriesId,
    embedded::{
        failure::Failure,
        window::{Kind, Line, Window},
    },
};

/// Settled, first, last, count, verdict, reason, PTS.
type StoredLine = (bool, i64, i64, i64, Option<String>, String, Option<i64>);

/// Series, plan, time base, t0, first window and PTS that are kept.
type FoundLedger = (i64, String, u32, u32, i64, Option<i64>, Option<i64>);

impl Commit<'_> {
    /// What is known of a ledger.
    pub(super) async fn ledger(&mut self, id: LedgerId) -> Result<Ledger, Failure> {
        if !self.memory.ledgers.contains_key(&id) {
            let ledger = self.load_ledger(id).await?;
            for (derivation, _) in &ledger.derivations {
                self.memory.owners.insert(*derivation, id);
            }
            self.memory.ledgers.insert(id, ledger);
        }
        Ok(self.memory.ledgers[&id].clone())
    }

    async fn load_ledger(&mut self, id: LedgerId) -> Result<Ledger, Failure> {
        let found: Option<FoundLedger> = query_as(
            "SELECT ledgers.series, plan, base_num, base_den, t0, kept_window, kept_pts FROM ledgers
             JOIN series ON series.id = ledgers.series JOIN runs ON runs.id = series.run WHERE ledgers.id = ?",
        )
        .bind(id.0)
        .fetch_optional(&mut *self.db)
        .await?;
        let (series, plan, num, den, t0, kept_window, kept_pts) =
            found.ok_or_else(|| Failure::invalid(format!("there is no ledger {id}")))?;
        let plan: SamplingPlan =
            plan.parse().map_err(|_bad| Failure::Damaged(format!("ledger {id} has plan '{plan}'")))?;
        let base = TimeBase::new(num, den).map_err(|error| Failure::Damaged(error.to_string()))?;
        let newest_window = query_scalar("SELECT max(time_window) FROM spans WHERE ledger = ?");
        let newest_window = newest_window.bind(id.0).fetch_one(&mut *self.db).await?;
        let derivations: Vec<(i64, Option<i64>)> =
            query_as("SELECT id, tracked_through FROM derivations WHERE ledger = ?")
                .bind(id.0)
                .fetch_all(&mut *self.db)
                .await?;
        Ok(Ledger {
            series: SeriesId(series),
            plan,
            clock: LedgerClock::new(plan, base, t0),
            kept_window: kept_window.unwrap_or(i64::MIN),
            kept_pts: kept_pts.unwrap_or(i64::MIN),
            newest_window,
            derivations: derivations.into_iter().map(|(id, through)| (DerivationId(id), through)).collect(),
        })
    }

    /// The lines of a window, of which some will change.
    pub(super) async fn window(&mut self, ledger: LedgerId, number: i64) -> Result<&mut Window, Failure> {
        let key = (ledger, number);
        if !self.memory.windows.contains_key(&key) {
            let known = self.ledger(ledger).await?;
            let mut window = Window::empty(known.plan != SamplingPlan::All);
            if known.newest_window.is_some_and(|newest| number <= newest) {
                self.load_window(key, &mut window).await?;
            } else if let Some(known) = self.memory.ledgers.get_mut(&ledger) {
                known.newest_window = Some(number);
            }
            self.memory.windows.insert(key, window);
        }
        self.touched.insert(key);
        Ok(self.memory.windows.entry(key).or_default())
    }

    async fn load_window(&mut self, key: (LedgerId, i64), window: &mut Window) -> Result<(), Failure> {
        let lines: Vec<StoredLine> = query_as(
            "SELECT settled, first, last, count, verdict, reason, pts FROM spans
             WHERE ledger = ? AND time_window = ?",
        )
        .bind(key.0.0)
        .bind(key.1)
        .fetch_all(&mut *self.db)
        .await?;
        for (settled, first, last, count, verdict, reason, pts) in lines {
            let kind = if settled { Kind::Settled } else { Kind::Due };
            let verdict = verdict.as_deref().and_then(|word| word.parse().ok());
            window.load(kind, first, Line { last, count: count as u64, verdict, reason, pts });
        }
        Ok(())
    }

    pub(super) fn collect_spans(&mut self) {
        for (ledger, window) in std::mem::take(&mut self.touched) {
            let lines = self.memory.windows.get_mut(&(ledger, window)).map(Window::take_changes);
            for (kind, first, line) in lines.into_iter().flatten() {
                match line {
                    Some(line) => self.rows.spans.push(SpanRow { ledger, window, kind, first, line }),
                    None => self.rows.void_spans.push((ledger, window, kind, first)),
                }
            }
        }
    }
}
