//! What an earlier pass settled.

use ocelli_model::{SamplingPlan, Verdict};
use sqlx::{SqliteConnection, query_as, query_scalar};

use super::failure::Failure;
use crate::{OpenLedger, Settled, Span};

/// First, last, count and verdict of a line.
pub(super) type StoredSpan = (i64, i64, i64, Option<String>);

pub(super) async fn settled(db: &mut SqliteConnection, ledger: OpenLedger) -> Result<Settled, Failure> {
    let plan: Option<String> = query_scalar("SELECT plan FROM ledgers WHERE id = ?")
        .bind(ledger.ledger.0)
        .fetch_optional(&mut *db)
        .await?;
    let pictures = plan.is_some_and(|plan| plan == SamplingPlan::All.to_string());
    let spans: Vec<StoredSpan> = query_as(
        "SELECT first, last, count, verdict FROM spans WHERE ledger = ? ORDER BY time_window, settled, first",
    )
    .bind(ledger.ledger.0)
    .fetch_all(&mut *db)
    .await?;
    let results = query_scalar("SELECT pts FROM results WHERE series = ? ORDER BY pts");
    let results = results.bind(ledger.series.0).fetch_all(&mut *db).await?;
    let tracked_through = match ledger.derivation {
        Some(derivation) => {
            let through = query_scalar("SELECT tracked_through FROM derivations WHERE id = ?");
            through.bind(derivation.0).fetch_optional(&mut *db).await?.flatten()
        }
        None => None,
    };
    let mut settled = Settled { results, tracked_through, ..Settled::default() };
    let mut due = Vec::new();
    for (first, last, count, verdict) in spans {
        let span = Span { first, last, count: count as u64 };
        let Some(verdict) = verdict else {
            push(&mut due, span, (), pictures);
            continue;
        };
        let verdict: Verdict = verdict
            .parse()
            .map_err(|error| Failure::Damaged(format!("a slot of ledger {}: {error}", ledger.ledger)))?;
        let list = match verdict {
            Verdict::Dropped | Verdict::Lost => &mut settled.gaps,
            _ => &mut settled.verdicts,
        };
        push(list, span, verdict, pictures);
    }
    settled.due = due.into_iter().map(|(span, ())| span).collect();
    Ok(settled)
}

/// Adds slots to those before them where they go on; pictures never: there may be some in between.
fn push<T: PartialEq>(list: &mut Vec<(Span, T)>, span: Span, what: T, pictures: bool) {
    match list.last_mut() {
        Some((before, same))
            if !pictures && *same == what && before.last.checked_add(1) == Some(span.first) =>
        {
            *before = Span::slots(before.first, span.last);
        }
        _ => list.push((span, what)),
    }
}
