//! What earlier passes settled, so that it is neither decoded nor analysed again.

use std::{collections::BTreeMap, sync::Arc};

use ocelli_media::sampler::Interest;
use ocelli_model::{SamplingPlan, Verdict};
use ocelli_store::{Settled, Span};

use crate::{Demand, Place};

/// Settled slots and results of a source: per run, per analyzer of the pass.
#[derive(Clone, Debug, Default)]
pub struct Known {
    runs: BTreeMap<u32, Vec<KnownLedger>>,
}

/// The same of one ledger.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownLedger {
    /// Ascending and disjoint.
    verdicts: Vec<(Span, Verdict)>,
    /// PTS, ascending; of other plans too.
    results: Vec<i64>,
    /// It is of this plan, and not only leads to results.
    is_own: bool,
}

impl Known {
    pub(crate) fn insert(&mut self, run: u32, ledgers: Vec<KnownLedger>) {
        self.runs.insert(run, ledgers);
    }

    /// Whether any analyzer of the pass looked at the run under its plan.
    pub(crate) fn has_ledger(&self, run: u32) -> bool {
        self.runs.get(&run).is_some_and(|ledgers| ledgers.iter().any(|ledger| ledger.is_own))
    }

    /// The last slot up to which every analyzer has a verdict; where every picture is due, the last PTS that has one. `None`: nothing
    /// is known of the run.
    pub(crate) fn settled_through(&self, run: u32, plan: SamplingPlan) -> Option<i64> {
        let ledgers = self.runs.get(&run)?;
        let settled = ledgers.iter().map(|ledger| match plan {
            SamplingPlan::All => ledger.verdicts.last().map(|(span, _)| span.last),
            SamplingPlan::Rate(_) => ledger.first_slots(),
        });
        // One that has nothing holds the others back, unless none has.
        let least = settled.clone().map(|last| last.unwrap_or(i64::MIN)).min()?;
        settled.flatten().next().map(|_some| least)
    }

    pub(crate) fn ledger(&self, run: u32, analyzer: usize) -> Option<&KnownLedger> {
        self.runs.get(&run)?.get(analyzer)
    }
}

impl KnownLedger {
    pub(crate) fn new(settled: &Settled, is_own: bool) -> Self {
        Self { verdicts: settled.verdicts.clone(), results: settled.results.clone(), is_own }
    }

    /// What became of a slot, or of the picture at a PTS where every picture is due.
    pub(crate) fn verdict(&self, slot: Option<i64>, pts: i64) -> Option<Verdict> {
        let at = slot.unwrap_or(pts);
        let after = self.verdicts.partition_point(|(span, _)| span.first <= at);
        let (span, verdict) = self.verdicts[..after].last()?;
        span.contains(at).then_some(*verdict)
    }

    /// The last slot of those that have a verdict without a gap, from the first on.
    fn first_slots(&self) -> Option<i64> {
        let mut through = None;
        for (span, _) in &self.verdicts {
            if span.first > through.map_or(0, |last: i64| last + 1) {
                break;
            }
            through = through.max(Some(span.last));
        }
        through
    }

    pub(crate) fn has_result(&self, pts: i64) -> bool {
        self.results.binary_search(&pts).is_ok()
    }

    fn wants(&self, slot: Option<i64>, pts: i64) -> bool {
        self.verdict(slot, pts).is_none() && !self.has_result(pts)
    }
}

impl Interest for Known {
    fn wants(&self, run: u32, slot: Option<i64>, pts: i64) -> bool {
        self.runs.get(&run).is_none_or(|ledgers| ledgers.iter().any(|ledger| ledger.wants(slot, pts)))
    }
}

/// What is known of a source whose runs the sampler counts from 0, and the store from `first`.
#[derive(Debug)]
pub(crate) struct CountedFrom {
    pub(crate) known: Arc<Known>,
    pub(crate) first: u32,
}

impl Interest for CountedFrom {
    fn wants(&self, run: u32, slot: Option<i64>, pts: i64) -> bool {
        Interest::wants(&*self.known, self.first.saturating_add(run), slot, pts)
    }
}

impl Demand for Known {
    fn wants(&self, analyzer: usize, place: Place) -> bool {
        self.ledger(place.run, analyzer).is_none_or(|ledger| ledger.wants(place.slot, place.pts))
    }
}
