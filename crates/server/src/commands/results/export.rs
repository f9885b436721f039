//! `ocelli results export`: stored results in the form of `analyze`, or for other tools.

use std::collections::VecDeque;

use anyhow::Result;
use ocelli_model::{SamplingPlan, SlotClock, Verdict};
use ocelli_sinks::{FrameRecord, Outcome, Timing};
use ocelli_store::{FrameQuery, LedgerRow, StoredFrame};

use super::select::{Selected, select, ticks};
use crate::{
    cli::ExportResults,
    commands::{
        exports::{Exports, Sequence, Target},
        window,
    },
    ending::{Ending, chain},
    stores::{DATABASE, ReadStore, folder},
};

/// Frames fetched at once.
const PAGE: u32 = 256;

pub(super) fn export(options: &ExportResults) -> Result<Ending> {
    window::check(options.span)?;
    let store = ReadStore::open(options.selection.store.as_deref())?;
    let selected = select(&store, &options.selection)?;
    let database = folder(options.selection.store.as_deref()).join(DATABASE);
    let sequences: Vec<Sequence> = selected.iter().map(sequence).collect();
    let target = Target::new(options.format, &options.out, options.overwrite, &[database])?;
    let target =
        target.for_sequences(&sequences, "choose one with --model VERSION, --fps, --input or --run")?;
    let mut exports = Exports::new(vec![target]);
    for group in in_step(&selected) {
        if let Err(error) = frames(&store, options, &group, &mut exports) {
            exports.abandon();
            return Err(error);
        }
    }
    let failed: Vec<String> = exports.finish().iter().map(chain).collect();
    Ok(if failed.is_empty() { Ending::Whole } else { Ending::Unusable(failed) })
}

fn sequence(one: &Selected) -> Sequence {
    Sequence {
        input: one.name().to_owned(),
        model: one.analyzer.analyzer.model.clone(),
        run: u64::from(one.run.run.ordinal),
        title: one.title(true),
    }
}

/// Those that looked at the same frames, which go frame by frame as `analyze` prints them.
fn in_step(selected: &[Selected]) -> Vec<Vec<&Selected>> {
    let mut groups: Vec<Vec<&Selected>> = Vec::new();
    for one in selected {
        let key = |one: &Selected| (one.run.id, one.ledger.plan);
        match groups.iter_mut().find(|group| group.iter().all(|other| key(other) == key(one))) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    groups
}

/// All frames of some ledgers in order of media time, failed ones at their place.
fn frames(
    store: &ReadStore,
    options: &ExportResults,
    group: &[&Selected],
    exports: &mut Exports,
) -> Result<()> {
    let ledgers = group.iter().map(|one| Frames::of(store, options, one));
    let mut ledgers: Vec<Frames<'_>> = ledgers.collect::<Result<_>>()?;
    loop {
        let mut next: Option<(i64, usize)> = None;
        for (index, frames) in ledgers.iter_mut().enumerate() {
            let place = frames.peek(store)?.map(|pts| (pts, index));
            next = next.into_iter().chain(place).min();
        }
        let Some((_, index)) = next else { return Ok(()) };
        ledgers[index].write(exports)?;
    }
}

/// The frames of one ledger, a page at a time.
struct Frames<'a> {
    one: &'a Selected,
    query: FrameQuery,
    page: VecDeque<StoredFrame>,
    exhausted: bool,
    failed: VecDeque<LedgerRow>,
}

impl<'a> Frames<'a> {
    fn of(store: &ReadStore, options: &ExportResults, one: &'a Selected) -> Result<Self> {
        let (from, to) = ticks(options.span, one.base());
        let mut failed = store.wait(store.results.ledger_rows(one.ledger.id))?;
        failed.retain(|row| {
            row.verdict == Some(Verdict::Failed) && row.pts.is_some_and(|pts| (from..to).contains(&pts))
        });
        failed.sort_by_key(|row| row.pts);
        let (series, derivation) = (one.ledger.series, one.ledger.derivation);
        let query = FrameQuery {
            series,
            ledger: Some(one.ledger.id),
            derivation,
            from,
            to,
            limit: PAGE,
            newest_first: false,
        };
        Ok(Self { one, query, page: VecDeque::new(), exhausted: false, failed: failed.into() })
    }

    /// PTS of the next frame.
    fn peek(&mut self, store: &ReadStore) -> Result<Option<i64>> {
        while self.page.is_empty() && !self.exhausted {
            let page = store.wait(store.results.frames(&self.query))?;
            self.page = page.rows.into();
            self.exhausted = page.next.is_none();
            self.query.from = page.next.unwrap_or(self.query.to);
        }
        let failed = self.failed.front().and_then(|row| row.pts);
        Ok(self.page.front().map(|frame| frame.pts).into_iter().chain(failed).min())
    }

    /// Writes the frame that was peeked at.
    fn write(&mut self, exports: &mut Exports) -> Result<()> {
        let next = self.page.front().map_or(i64::MAX, |frame| frame.pts);
        if self.failed.front().is_some_and(|row| row.pts < Some(next))
            && let Some(row) = self.failed.pop_front()
        {
            return exports.write(&missing(self.one, &row));
        }
        match self.page.pop_front() {
            Some(frame) => exports.write(&record(self.one, &frame)),
            None => Ok(()),
        }
    }
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
