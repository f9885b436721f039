//! `ocelli ledger`: what was due, and what became of it.

use std::{collections::BTreeMap, io::Write};

use anyhow::Result;
use ocelli_model::{SamplingPlan, SlotClock, Verdict};
use ocelli_store::{Account, LedgerRow, Span, WINDOW_SECONDS, WindowAccount};
use serde_json::{Value, json};

use super::results::select::{Selected, select};
use crate::{cli::Ledger, ending::Ending, stores::ReadStore};

pub(crate) fn ledger(options: &Ledger) -> Result<Ending> {
    let store = ReadStore::open(options.selection.store.as_deref())?;
    let mut out = std::io::stdout().lock();
    let mut unbalanced = Vec::new();
    for one in select(&store, &options.selection)? {
        let rows = store.wait(store.results.ledger_rows(one.ledger.id))?;
        let account = rows.iter().collect::<Account>();
        if options.json {
            writeln!(out, "{}", object(&one, &rows, &account))?;
        } else {
            print(&one, &rows, &account, &mut out)?;
        }
        unbalanced
            .extend(account.unbalanced().next().map(|_| format!("{} does not balance", one.title(true))));
    }
    Ok(if unbalanced.is_empty() { Ending::Whole } else { Ending::Partial(unbalanced) })
}

fn print(one: &Selected, rows: &[LedgerRow], account: &Account, out: &mut impl Write) -> Result<()> {
    writeln!(out, "{}", one.title(true))?;
    writeln!(
        out,
        "{:>16} {:>7} {:>9} {:>7} {:>8} {:>7} {:>7} {:>7}",
        "seconds", "due", "analysed", "gated", "dropped", "failed", "empty", "lost"
    )?;
    let start = one.base().seconds(one.run.run.t0);
    for (window, sums) in &account.windows {
        let from = start + (window * WINDOW_SECONDS) as f64;
        line(&format!("{from:.1}-{:.1}", from + WINDOW_SECONDS as f64), sums, out)?;
    }
    let total = account.total();
    line("all", &total, out)?;
    for (reason, (count, first, last)) in gaps(one, rows) {
        writeln!(out, "{count:>8} {reason}, between {first:.3} and {last:.3} s")?;
    }
    match total.unsettled() {
        0 if account.unbalanced().next().is_none() => {
            writeln!(out, "balanced: every frame that was due has a verdict")?;
        }
        0 => {
            writeln!(
                out,
                "NOT BALANCED: not the same number of verdicts and of frames that were due; run `ocelli store check`"
            )?;
        }
        left => writeln!(out, "{left} frames that were due have no verdict: run the same command again")?,
    }
    writeln!(out)?;
    Ok(())
}

fn line(name: &str, sums: &WindowAccount, out: &mut impl Write) -> Result<()> {
    let tally = &sums.tally;
    writeln!(
        out,
        "{name:>16} {:>7} {:>9} {:>7} {:>8} {:>7} {:>7} {:>7}",
        sums.due, tally.analysed, tally.gated, tally.dropped, tally.failed, tally.empty, tally.lost
    )?;
    Ok(())
}

/// Verdicts without a result, by what they say: how many, and the media time they lie between.
fn gaps(one: &Selected, rows: &[LedgerRow]) -> BTreeMap<String, (u64, f64, f64)> {
    let mut gaps: BTreeMap<String, (u64, f64, f64)> = BTreeMap::new();
    for row in rows {
        let Some(verdict) = row.verdict.filter(|verdict| *verdict != Verdict::Analysed) else { continue };
        let word = verdict.word();
        let reason = if row.reason.is_empty() { word.to_owned() } else { format!("{word}: {}", row.reason) };
        let (first, last) = seconds(one, row.span);
        let gap = gaps.entry(reason).or_insert((0, first, last));
        *gap = (gap.0 + row.span.count, gap.1.min(first), gap.2.max(last));
    }
    gaps
}

/// Media time of a span: of the centres of its slots, or of its pictures.
fn seconds(one: &Selected, span: Span) -> (f64, f64) {
    let (base, t0) = (one.base(), one.run.run.t0);
    let at = |at: i64| match one.ledger.plan {
        SamplingPlan::All => base.seconds(at),
        SamplingPlan::Rate(rate) => base.seconds(t0) + at as f64 / rate.per_second(),
    };
    (at(span.first), at(span.last))
}

fn object(one: &Selected, rows: &[LedgerRow], account: &Account) -> Value {
    let clock = match one.ledger.plan {
        SamplingPlan::All => None,
        SamplingPlan::Rate(rate) => Some(SlotClock::new(one.run.run.t0, one.base(), rate)),
    };
    let windows = account
        .windows
        .iter()
        .map(|(window, sums)| json!({ "window": window, "due": sums.due, "verdicts": sums.tally }));
    let missing = rows.iter().filter(|row| row.verdict.is_some_and(|verdict| verdict != Verdict::Analysed));
    let gaps = missing.map(|row| {
        let pts = |at: i64| clock.map_or(at, |clock| clock.first_pts(at));
        json!({
            "verdict": row.verdict,
            "reason": row.reason,
            "count": row.span.count,
            "first": row.span.first,
            "last": row.span.last,
            "from_pts": pts(row.span.first),
            "pts": row.pts,
        })
    });
    json!({
        "run": one.run.id.0,
        "input": one.name(),
        "model": one.analyzer.analyzer.model,
        "analyzer_version": one.analyzer.analyzer.version,
        "fps": one.ledger.plan,
        "time_base": one.base(),
        "t0": one.run.run.t0,
        "windows": windows.collect::<Vec<_>>(),
        "gaps": gaps.collect::<Vec<_>>(),
        "balanced": account.unbalanced().next().is_none(),
    })
}
