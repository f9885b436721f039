//! The store as a pass uses it: from a thread outside its runtime.

use std::{collections::BTreeSet, future::Future, sync::Arc};

use ocelli_analyze::TrackerConfig;
use ocelli_model::{TimeBase, Verdict};
use ocelli_store::{
    AnalyzerId, Appender, Blob, Entry, FrameQuery, NewAnalyzer, NewLedger, NewRun, NewSource, OpenLedger,
    ResultLog, Results, RunFilter, RunId, RunState, SeriesId, SourceId, StoreError, StoredFrame,
};
use tokio::runtime::Handle;

use super::{Known, Pass, book::KeptBook, known::KnownLedger};

/// Where results are kept.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Writes identities.
    pub log: Arc<dyn ResultLog>,
    /// Reads.
    pub results: Arc<dyn Results>,
    /// Writes facts, in groups.
    pub appender: Appender,
    /// Runs them. A pass blocks on it from a thread that is not one of its own.
    pub runtime: Handle,
}

impl Kept {
    pub(super) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// The result of a series at `pts`.
    pub(super) fn frame(&self, series: SeriesId, pts: i64) -> Result<Option<StoredFrame>, StoreError> {
        let to = pts.saturating_add(1);
        let query = FrameQuery {
            series,
            ledger: None,
            derivation: None,
            from: pts,
            to,
            limit: 1,
            newest_first: false,
        };
        Ok(self.wait(self.results.frames(&query))?.rows.pop())
    }
}

/// A source in the store, with what is known of it under one pass.
#[derive(Debug)]
pub struct Media {
    pub(super) kept: Kept,
    pub(super) known: Arc<Known>,
    /// Runs that an earlier pass read to their end.
    pub(super) whole: BTreeSet<u32>,
    source: SourceId,
    blob: Option<Blob>,
    /// Wall time now, where runs of one pass begin long after it.
    clock: Option<fn() -> i64>,
    analyzers: Vec<AnalyzerId>,
    /// What is read may end before what was seen of it: the last slot may then be won by another picture than before.
    pub(super) cut: bool,
}

impl Media {
    /// Finds or enters the source and the pass's analyzers, and reads what earlier passes settled.
    pub fn open(kept: Kept, pass: &Pass, source: &NewSource, blob: Blob) -> Result<Self, StoreError> {
        let mut media = Self::live(kept, pass, source)?;
        media.blob = Some(blob);
        media.recall(pass, &source.key, 0)?;
        Ok(media)
    }

    /// The same of a stream whose source is read again from its start: of runs from `first` on, all is known.
    pub(crate) fn again(kept: Kept, pass: &Pass, source: &NewSource, first: u32) -> Result<Self, StoreError> {
        let mut media = Self::live(kept, pass, source)?;
        media.recall(pass, &source.key, first)?;
        Ok(media)
    }

    fn recall(&mut self, pass: &Pass, key: &str, first: u32) -> Result<(), StoreError> {
        let filter = RunFilter { source_key: Some(key.to_owned()), ..RunFilter::default() };
        let mut known = Known::default();
        for run in self.kept.wait(self.kept.results.runs(&filter))? {
            if run.run.source == self.source && run.run.ordinal >= first {
                self.whole.extend((run.state == RunState::Whole).then_some(run.run.ordinal));
                known.insert(run.run.ordinal, self.known(pass, run.id)?);
            }
        }
        self.known = Arc::new(known);
        Ok(())
    }

    /// Runs begin when they begin, by this clock in ms since 1970, not all with the pass.
    #[must_use]
    pub(crate) fn with_clock(self, now_ms: fn() -> i64) -> Self {
        Self { clock: Some(now_ms), ..self }
    }

    /// A recording, which lacks the last part of what was looked at where the process was killed.
    #[must_use]
    pub(crate) fn cut(self) -> Self {
        Self { cut: true, ..self }
    }

    /// A source whose runs are all new: nothing of them can be known.
    pub(crate) fn live(kept: Kept, pass: &Pass, source: &NewSource) -> Result<Self, StoreError> {
        let source = kept.wait(kept.log.source(source))?;
        let analyzers = pass.analyzers.iter().map(|facts| {
            let analyzer = NewAnalyzer {
                version: facts.version.clone(),
                model: facts.model.clone(),
                ingredients: facts.ingredients.clone(),
                seen_ms: pass.now_ms,
            };
            kept.wait(kept.log.analyzer(&analyzer))
        });
        let analyzers = analyzers.collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            known: Arc::default(),
            whole: BTreeSet::new(),
            source,
            blob: None,
            clock: None,
            analyzers,
            cut: false,
            kept,
        })
    }

    /// What the store has for each analyzer of the pass. Only looks: the pass may not come to this run.
    fn known(&self, pass: &Pass, run: RunId) -> Result<Vec<KnownLedger>, StoreError> {
        let ledgers = self.kept.wait(self.kept.results.ledgers(Some(run)))?;
        let known = |analyzer: &AnalyzerId| {
            let of_it = || ledgers.iter().filter(|ledger| ledger.analyzer == *analyzer);
            let own = of_it().find(|ledger| ledger.plan == pass.plan);
            // Of another plan, it still leads to the results.
            let Some(found) = own.or_else(|| of_it().next()) else { return Ok(KnownLedger::default()) };
            let open = OpenLedger { ledger: found.id, series: found.series, derivation: None };
            let mut settled = self.kept.wait(self.kept.log.settled(open))?;
            if own.is_none() {
                settled.verdicts.clear();
            }
            Ok(KnownLedger::new(&settled, own.is_some()))
        };
        self.analyzers.iter().map(known).collect()
    }

    /// The ledger of each analyzer of the pass.
    fn books(&self, pass: &Pass, run: RunId) -> Result<Vec<KeptBook>, StoreError> {
        let tracker = pass.tracker.as_ref().map(TrackerConfig::version);
        let book = |analyzer: &AnalyzerId| {
            let ledger = NewLedger { run, analyzer: *analyzer, plan: pass.plan, tracker: tracker.clone() };
            let open = self.kept.wait(self.kept.log.ledger(&ledger))?;
            let settled = self.kept.wait(self.kept.log.settled(open))?;
            let failed = |verdict: Option<Verdict>| verdict == Some(Verdict::Failed);
            let reasons = if settled.verdicts.iter().any(|(_, verdict)| failed(Some(*verdict))) {
                let rows = self.kept.wait(self.kept.results.ledger_rows(open.ledger))?;
                rows.into_iter().filter(|row| failed(row.verdict)).map(|row| (row.span, row.reason)).collect()
            } else {
                Vec::new()
            };
            Ok(KeptBook::new(open, &settled, reasons))
        };
        self.analyzers.iter().map(book).collect()
    }

    /// Enters the run, which is then open, with the ledger of each analyzer.
    pub(super) fn begin_run(
        &self,
        pass: &Pass,
        ordinal: u32,
        t0: i64,
        time_base: TimeBase,
    ) -> Result<(RunId, Vec<KeptBook>), StoreError> {
        let began_ms = self.clock.map_or(pass.now_ms, |now_ms| now_ms());
        let run = NewRun { source: self.source, ordinal, time_base, t0, began_ms };
        let run = self.kept.wait(self.kept.log.run(&run))?;
        if let Some(blob) = &self.blob {
            let blob = Entry::Blob { run, blob: blob.clone() };
            self.kept.appender.append_blocking(vec![blob]).wait_blocking()?;
        }
        Ok((run, self.books(pass, run)?))
    }
}
