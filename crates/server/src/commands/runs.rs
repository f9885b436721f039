//! `ocelli runs`: what the store holds.

use std::io::Write;

use anyhow::Result;
use ocelli_store::{AnalyzerRecord, LedgerRecord, RunRecord};
use serde_json::{Value, json};

use super::results::select::{fps, runs as matching};
use crate::{cli::Runs, ending::Ending, stores::ReadStore};

pub(crate) fn runs(options: &Runs) -> Result<Ending> {
    let store = ReadStore::open(options.selection.store.as_deref())?;
    let analyzers = store.wait(store.results.analyzers())?;
    let mut out = std::io::stdout().lock();
    let runs = matching(&store, &options.selection)?;
    if runs.is_empty() && !options.json {
        writeln!(out, "nothing yet; `ocelli analyze INPUT --store DIR` adds to it")?;
    }
    for run in runs {
        let ledgers = store.wait(store.results.ledgers(Some(run.id)))?;
        if options.json {
            writeln!(out, "{}", object(&run, &ledgers, &analyzers))?;
        } else {
            print(&run, &ledgers, &analyzers, &mut out)?;
        }
    }
    Ok(Ending::Whole)
}

/// As on the command line and in JSON.
fn analyzer_of<'a>(ledger: &LedgerRecord, analyzers: &'a [AnalyzerRecord]) -> Option<&'a AnalyzerRecord> {
    analyzers.iter().find(|analyzer| analyzer.id == ledger.analyzer)
}

fn print(
    run: &RunRecord,
    ledgers: &[LedgerRecord],
    analyzers: &[AnalyzerRecord],
    out: &mut impl Write,
) -> Result<()> {
    let (base, source) = (run.run.time_base, &run.source.source);
    let span = run.last_pts.map_or_else(
        || format!("from {:.3} s", base.seconds(run.run.t0)),
        |last| format!("{:.3} to {:.3} s", base.seconds(run.run.t0), base.seconds(last)),
    );
    let part = if run.run.ordinal > 0 { format!(", part {}", run.run.ordinal) } else { String::new() };
    writeln!(out, "run {}  {}{part}  {span}  {}", run.id, source.name, run.state.word())?;
    for blob in &run.blobs {
        writeln!(out, "    {} {} ({:.1} MB)", blob.kind.word(), blob.location, blob.bytes as f64 / 1e6)?;
    }
    for ledger in ledgers {
        let Some(analyzer) = analyzer_of(ledger, analyzers) else { continue };
        let (analyzer, tally) = (&analyzer.analyzer, &ledger.tally);
        let others = [
            ("gated", tally.gated),
            ("dropped", tally.dropped),
            ("failed", tally.failed),
            ("empty", tally.empty),
            ("lost", tally.lost),
            ("unsettled", ledger.due.saturating_sub(tally.due())),
        ];
        let others =
            others.iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!(", {count} {name}"));
        let (model, version) = (&analyzer.model, &analyzer.version);
        let (plan, due, analysed) = (fps(ledger.plan), ledger.due, tally.analysed);
        let others: String = others.collect();
        writeln!(out, "    {model:24} {version}  {plan:14} {due} due, {analysed} analysed{others}")?;
    }
    Ok(())
}

fn object(run: &RunRecord, ledgers: &[LedgerRecord], analyzers: &[AnalyzerRecord]) -> Value {
    let (base, source) = (run.run.time_base, &run.source.source);
    let ledgers = ledgers.iter().filter_map(|ledger| {
        let analyzer = &analyzer_of(ledger, analyzers)?.analyzer;
        Some(json!({
            "model": analyzer.model,
            "analyzer_version": analyzer.version,
            "ingredients": analyzer.ingredients,
            "fps": ledger.plan,
            "due": ledger.due,
            "verdicts": ledger.tally,
        }))
    });
    let blobs = run
        .blobs
        .iter()
        .map(|blob| json!({ "kind": blob.kind.word(), "location": blob.location, "bytes": blob.bytes }));
    json!({
        "run": run.id.0,
        "input": source.name,
        "sha256": source.key,
        "part": run.run.ordinal,
        "state": run.state.word(),
        "time_base": base,
        "t0": run.run.t0,
        "last_pts": run.last_pts,
        "began_ms": run.run.began_ms,
        "blobs": blobs.collect::<Vec<_>>(),
        "ledgers": ledgers.collect::<Vec<_>>(),
    })
}
