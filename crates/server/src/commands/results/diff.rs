//! `ocelli results diff`: what one analyzer version sees that another does not, frame by frame.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, VecDeque},
    io::Write,
};

use anyhow::{Result, bail};
use ocelli_model::Detection;
use ocelli_store::{AnalyzerId, AnalyzerRecord, FrameQuery, LedgerRecord, RunRecord, StoredFrame, compare};
use serde_json::{Value, json};

use super::select::{matching, runs, ticks};
use crate::{cli::DiffResults, commands::window, ending::Ending, stores::ReadStore};

/// Frames fetched at once.
const PAGE: u32 = 256;

/// Counts of one class.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    kept: u64,
    moved: u64,
    gone: u64,
    appeared: u64,
}

/// All that was compared.
#[derive(Debug, Default)]
struct Totals {
    classes: BTreeMap<String, Count>,
    both: u64,
    only_first: u64,
    only_second: u64,
}

pub(super) fn diff(options: &DiffResults) -> Result<Ending> {
    window::check(options.span)?;
    let store = ReadStore::open(options.selection.store.as_deref())?;
    let analyzers = store.wait(store.results.analyzers())?;
    let (first, second) = (one_of(&analyzers, &options.first)?, one_of(&analyzers, &options.second)?);
    if first == second {
        bail!("{:?} and {:?} are one analyzer version", options.first, options.second);
    }
    let (mut totals, mut pairs) = (Totals::default(), 0_u64);
    let mut out = std::io::stdout().lock();
    for run in runs(&store, &options.selection)? {
        for (one, other) in pairs_of(&store, &run, first, second)? {
            if options.selection.fps.is_none_or(|plan| plan == one.plan) {
                pairs += 1;
                let sides = (Side::new(options, &run, &one), Side::new(options, &run, &other));
                go_through(&store, options, &run, sides, &mut totals, &mut out)?;
            }
        }
    }
    if pairs == 0 {
        let (first, second) = (&options.first, &options.second);
        bail!(
            "no run has results of both {first:?} and {second:?} at the same fps; `ocelli runs` shows what there is"
        );
    }
    if !options.json {
        totals.print(&mut out)?;
    }
    Ok(Ending::Whole)
}

/// The one analyzer version that a word means.
fn one_of(analyzers: &[AnalyzerRecord], word: &str) -> Result<AnalyzerId> {
    let ids = matching(analyzers, word)?;
    let [one] = ids[..] else {
        let versions = analyzers.iter().filter(|record| ids.contains(&record.id));
        let versions: Vec<&str> = versions.map(|record| record.analyzer.version.as_str()).collect();
        bail!("{word:?} means several versions: {}; name one of them", versions.join(", "));
    };
    Ok(one)
}

/// Ledgers of both over one run that follow the same plan.
fn pairs_of(
    store: &ReadStore,
    run: &RunRecord,
    first: AnalyzerId,
    second: AnalyzerId,
) -> Result<Vec<(LedgerRecord, LedgerRecord)>> {
    let ledgers = store.wait(store.results.ledgers(Some(run.id)))?;
    let of = |analyzer| ledgers.iter().filter(move |ledger: &&LedgerRecord| ledger.analyzer == analyzer);
    let pair = |one: &LedgerRecord| {
        let other = of(second).find(|other| other.plan == one.plan)?;
        Some((one.clone(), other.clone()))
    };
    Ok(of(first).filter_map(pair).collect())
}

/// The frames of one side, a page at a time.
#[derive(Debug)]
struct Side {
    query: FrameQuery,
    page: VecDeque<StoredFrame>,
    exhausted: bool,
}

impl Side {
    fn new(options: &DiffResults, run: &RunRecord, ledger: &LedgerRecord) -> Self {
        let (from, to) = ticks(options.span, run.run.time_base);
        let (series, ledger) = (ledger.series, Some(ledger.id));
        let query =
            FrameQuery { series, ledger, derivation: None, from, to, limit: PAGE, newest_first: false };
        Self { query, page: VecDeque::new(), exhausted: false }
    }

    /// PTS of the next frame.
    fn peek(&mut self, store: &ReadStore) -> Result<Option<i64>> {
        if self.page.is_empty() && !self.exhausted {
            let page = store.wait(store.results.frames(&self.query))?;
            self.page = page.rows.into();
            self.exhausted = page.next.is_none();
            self.query.from = page.next.unwrap_or(self.query.to);
        }
        Ok(self.page.front().map(|frame| frame.pts))
    }

    fn next(&mut self) -> Vec<Detection> {
        self.page.pop_front().map(|frame| frame.result.detections).unwrap_or_default()
    }
}

/// Frames of both sides in step. A frame that only one side looked at says nothing about the other.
fn go_through(
    store: &ReadStore,
    options: &DiffResults,
    run: &RunRecord,
    (mut first, mut second): (Side, Side),
    totals: &mut Totals,
    out: &mut impl Write,
) -> Result<()> {
    loop {
        let order = match (first.peek(store)?, second.peek(store)?) {
            (None, None) => return Ok(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(one), Some(other)) => one.cmp(&other),
        };
        match order {
            Ordering::Less => {
                first.next();
                totals.only_first += 1;
            }
            Ordering::Greater => {
                second.next();
                totals.only_second += 1;
            }
            Ordering::Equal => {
                let pts = first.peek(store)?.unwrap_or_default();
                let changes = Changes { run, pts, first: first.next(), second: second.next() };
                totals.both += 1;
                changes.tell(options, totals, out)?;
            }
        }
    }
}

/// One frame as both see it.
struct Changes<'a> {
    run: &'a RunRecord,
    pts: i64,
    first: Vec<Detection>,
    second: Vec<Detection>,
}

impl Changes<'_> {
    fn tell(&self, options: &DiffResults, totals: &mut Totals, out: &mut impl Write) -> Result<()> {
        let found = compare(&self.first, &self.second);
        let moved = found.moved.iter().map(|(a, b)| ("moved", Some(&self.first[*a]), Some(&self.second[*b])));
        let gone = found.gone.iter().map(|a| ("gone", Some(&self.first[*a]), None));
        let appeared = found.appeared.iter().map(|b| ("appeared", None, Some(&self.second[*b])));
        for (a, _) in &found.kept {
            totals.class(&self.first[*a]).kept += 1;
        }
        for (change, one, other) in gone.chain(appeared).chain(moved) {
            let Some(detection) = one.or(other) else { continue };
            let count = totals.class(detection);
            match change {
                "moved" => count.moved += 1,
                "gone" => count.gone += 1,
                _ => count.appeared += 1,
            }
            if options.json {
                writeln!(out, "{}", self.json(change, one, other))?;
            } else if !options.summary {
                self.line(change, one, other, out)?;
            }
        }
        Ok(())
    }

    fn line(
        &self,
        change: &str,
        one: Option<&Detection>,
        other: Option<&Detection>,
        out: &mut impl Write,
    ) -> Result<()> {
        let seconds = self.run.run.time_base.seconds(self.pts);
        let shown = |detection: &Detection| {
            let bbox = &detection.bbox;
            let place = [bbox.x, bbox.y, bbox.width, bbox.height].map(|side| format!("{side:.3}")).join(" ");
            format!("{:.1} % [{place}]", detection.confidence * 100.0)
        };
        let label = one.or(other).map_or("", |detection| &detection.label);
        let sides: Vec<String> = one.into_iter().chain(other).map(shown).collect();
        let run = self.run.id;
        writeln!(out, "run {run} {seconds:>10.3} s  {change:8}  {label:20} {}", sides.join(" -> "))?;
        Ok(())
    }

    fn json(&self, change: &str, one: Option<&Detection>, other: Option<&Detection>) -> Value {
        let side = |detection: &Detection| {
            let bbox = &detection.bbox;
            json!({
                "confidence": detection.confidence,
                "box": { "x": bbox.x, "y": bbox.y, "width": bbox.width, "height": bbox.height },
            })
        };
        let base = self.run.run.time_base;
        json!({
            "run": self.run.id.0,
            "input": self.run.source.source.name,
            "pts": self.pts,
            "time_base": base,
            "seconds": base.seconds(self.pts),
            "change": change,
            "label": one.or(other).map(|detection| &*detection.label),
            "first": one.map(side),
            "second": other.map(side),
        })
    }
}

impl Totals {
    fn class(&mut self, detection: &Detection) -> &mut Count {
        self.classes.entry(detection.label.to_string()).or_default()
    }

    fn print(&self, out: &mut impl Write) -> Result<()> {
        writeln!(out, "{:20} {:>8} {:>8} {:>8} {:>8}", "class", "same", "moved", "gone", "appeared")?;
        for (label, Count { kept, moved, gone, appeared }) in &self.classes {
            writeln!(out, "{label:20} {kept:>8} {moved:>8} {gone:>8} {appeared:>8}")?;
        }
        let Self { both, only_first, only_second, .. } = self;
        writeln!(
            out,
            "{both} frames compared; {only_first} only in the first, {only_second} only in the second"
        )?;
        Ok(())
    }
}
