//! `ocelli results export`: stored results in the form of `analyze`, or for other tools.

use std::collections::BTreeSet;

use anyhow::Result;
use ocelli_model::{SamplingPlan, SlotClock, Verdict};
use ocelli_sinks::{FrameRecord, Outcome, Timing};
use ocelli_store::{FrameQuery, LedgerRow, StoredFrame};

use super::select::{Selected, select, ticks};
use crate::{
    cli::ExportResults,
    commands::{
        exports::{Exports, Target},
        window,
    },
    ending::{Ending, chain},
    stores::ReadStore,
};

/// Frames fetched at once.
const PAGE: u32 = 256;

pub(super) fn export(options: &ExportResults) -> Result<Ending> {
    window::check(options.span)?;
    let store = ReadStore::open(options.selection.store.as_deref())?;
    let selected = select(&store, &options.selection)?;
    let runs: BTreeSet<_> = selected.iter().map(|one| one.run.id).collect();
    let analyzers: BTreeSet<_> = selected.iter().map(|one| one.analyzer.id).collect();
    let target = Target::new(options.format, &options.out, options.overwrite)?;
    let mut exports = Exports::new(vec![target.for_sequences(runs.len(), analyzers.len())?]);
    for one in &selected {
        frames(&store, options, one, &mut exports)?;
    }
    let failed: Vec<String> = exports.finish().iter().map(chain).collect();
    Ok(if failed.is_empty() { Ending::Whole } else { Ending::Unusable(failed) })
}

/// All frames of one ledger in order of media time, failed ones at their place.
fn frames(store: &ReadStore, options: &ExportResults, one: &Selected, exports: &mut Exports) -> Result<()> {
    let (from, to) = ticks(options.span, one.base());
    let rows = store.wait(store.results.ledger_rows(one.ledger.id))?;
    let mut failed: Vec<&LedgerRow> =
        rows.iter().filter(|row| row.verdict == Some(Verdict::Failed)).collect();
    failed.retain(|row| row.pts.is_some_and(|pts| (from..to).contains(&pts)));
    failed.sort_by_key(|row| row.pts);
    let mut failed = failed.into_iter().peekable();
    let (series, derivation) = (one.ledger.series, one.ledger.derivation);
    let mut query = FrameQuery { series, ledger: Some(one.ledger.id), derivation, from, to, limit: PAGE };
    loop {
        let page = store.wait(store.results.frames(&query))?;
        for frame in &page.rows {
            while let Some(row) = failed.next_if(|row| row.pts < Some(frame.pts)) {
                exports.write(&missing(one, row))?;
            }
            exports.write(&record(one, frame))?;
        }
        let Some(next) = page.next else { break };
        query.from = next;
    }
    for row in failed {
        exports.write(&missing(one, row))?;
    }
    Ok(())
}

fn at<'a>(one: &'a Selected, pts: i64, outcome: Outcome<'a>) -> FrameRecord<'a> {
    let slot = match one.ledger.plan {
        SamplingPlan::All => None,
        SamplingPlan::Rate(rate) => Some(SlotClock::new(one.run.run.t0, one.base(), rate).slot(pts)),
    };
    FrameRecord {
        input: one.name(),
        run: u64::from(one.run.run.ordinal),
        pts,
        time_base: one.base(),
        slot,
        model: &one.analyzer.analyzer.model,
        analyzer_version: &one.analyzer.analyzer.version,
        outcome,
    }
}

fn record<'a>(one: &'a Selected, frame: &'a StoredFrame) -> FrameRecord<'a> {
    let result = &frame.result;
    let outcome = Outcome::Analysed {
        width: result.width,
        height: result.height,
        detections: &result.detections,
        tracks: &frame.tracks,
        timing: Timing { analyze: result.took },
    };
    at(one, frame.pts, outcome)
}

fn missing<'a>(one: &'a Selected, row: &'a LedgerRow) -> FrameRecord<'a> {
    at(one, row.pts.unwrap_or_default(), Outcome::Failed { reason: &row.reason })
}
