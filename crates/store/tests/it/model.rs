//! Random entries against a ledger kept slot by slot.

use std::collections::{BTreeMap, BTreeSet};

use ocelli_model::{Tally, Verdict};
use ocelli_store::{Entry, OpenLedger, Settled, Span};
use proptest::{collection::vec, prelude::*, test_runner::TestCaseError};

use crate::{
    backend::{Backend as _, Store, ledger, result, stream_run},
    embedded::Sqlite,
};

/// Plans of the ledgers, by analyzer: the first three share their results.
const LEDGERS: [(&str, &str); 4] = [("m", "1"), ("m", "2"), ("m", "all"), ("n", "1")];
/// 4 s of slots are due, over the end of a window.
const SLOTS: std::ops::Range<i64> = 6..16;

#[derive(Clone, Debug)]
enum Act {
    Due(usize, i64, i64),
    Unseen(usize, i64, i64, Verdict),
    Analysed(usize, i64),
    Tracked(usize, i64),
    /// Everything before this window.
    Prune(i64),
    Reopen,
}

fn acts() -> impl Strategy<Value = Vec<Vec<Act>>> {
    let verdicts = [Verdict::Gated, Verdict::Dropped, Verdict::Failed, Verdict::Empty, Verdict::Lost];
    let act = prop_oneof![
        6 => (0..4_usize, SLOTS, 0..5_i64).prop_map(|(at, first, more)| Act::Due(at, first, first + more)),
        6 => (0..4_usize, SLOTS, 0..5_i64, prop::sample::select(verdicts.to_vec()))
            .prop_map(|(at, first, more, verdict)| Act::Unseen(at, first, first + more, verdict)),
        8 => (0..4_usize, SLOTS).prop_map(|(at, slot)| Act::Analysed(at, slot)),
        3 => (0..4_usize, SLOTS).prop_map(|(at, slot)| Act::Tracked(at, slot)),
        1 => (0..3_i64).prop_map(Act::Prune),
        1 => Just(Act::Reopen),
    ];
    vec(vec(act, 1..8), 1..16)
}

/// The PTS that a slot's frame has: those of 1 and 2 fps and of all pictures meet in part.
fn pts(at: usize, slot: i64) -> i64 {
    100 + slot * if LEDGERS[at].1 == "2" { 500 } else { 1000 }
}

#[derive(Default)]
struct Account {
    due: BTreeSet<i64>,
    verdicts: BTreeMap<i64, Verdict>,
    /// PTS of results that it counts.
    counted: BTreeSet<i64>,
    tracked_through: Option<i64>,
}

#[derive(Default)]
struct Model {
    accounts: [Account; 4],
    /// By analyzer.
    results: BTreeMap<&'static str, BTreeSet<i64>>,
    /// Windows before were removed.
    kept: i64,
}

impl Model {
    /// What to write, once per picture where pictures are due; nothing for what no caller would do.
    fn entries(&mut self, act: &Act, open: &[OpenLedger]) -> Vec<Entry> {
        match act {
            Act::Due(at, first, last) => {
                let kept = (*first..=*last).filter(|slot| window(*at, *slot) >= self.kept);
                self.accounts[*at].due.extend(kept);
                let entry = |span| Entry::Due { ledger: open[*at].ledger, span };
                spans(*at, *first, *last).into_iter().map(entry).collect()
            }
            Act::Unseen(at, first, last, verdict) => {
                (*first..=*last).for_each(|slot| self.settle(*at, slot, *verdict));
                let (ledger, verdict) = (open[*at].ledger, *verdict);
                let entry = |span| Entry::Unseen { ledger, span, verdict, reason: String::new(), pts: None };
                spans(*at, *first, *last).into_iter().map(entry).collect()
            }
            Act::Analysed(at, slot) => vec![self.analysed(*at, *slot, open[*at])],
            Act::Tracked(at, slot) => self.tracked(*at, *slot, open[*at]).into_iter().collect(),
            Act::Prune(_) | Act::Reopen => vec![],
        }
    }

    fn is_final(&self, at: usize, slot: i64) -> bool {
        let verdict = self.accounts[at].verdicts.get(&slot);
        verdict.is_some_and(|verdict| !matches!(verdict, Verdict::Dropped | Verdict::Lost))
    }

    fn settle(&mut self, at: usize, slot: i64, verdict: Verdict) {
        if window(at, slot) < self.kept {
            return;
        }
        let is_gap = matches!(verdict, Verdict::Dropped | Verdict::Lost);
        let known = self.accounts[at].verdicts.contains_key(&slot);
        if !known || (!is_gap && !self.is_final(at, slot)) {
            self.accounts[at].verdicts.insert(slot, verdict);
        }
    }

    fn analysed(&mut self, at: usize, slot: i64, open: OpenLedger) -> Entry {
        let pts = pts(at, slot);
        let held = self.results.entry(LEDGERS[at].0).or_default();
        // Whoever knows that it is there does not bring it again.
        let brings = !held.contains(&pts) || slot % 3 == 0;
        if window(at, slot) >= self.kept && !self.is_final(at, slot) {
            self.results.entry(LEDGERS[at].0).or_default().insert(pts);
            self.settle(at, slot, Verdict::Analysed);
            let account = &mut self.accounts[at];
            account.counted.insert(pts);
            if account.tracked_through.is_some_and(|through| pts <= through) {
                account.tracked_through = None;
            }
        }
        let (span, result) = (unit(at, slot), brings.then(|| result(&["cat"])));
        Entry::Analysed { ledger: open.ledger, span, pts, result }
    }

    fn prune(&mut self, before: i64) {
        let windows = self.accounts.iter().enumerate().flat_map(|(at, account)| {
            account.due.iter().chain(account.verdicts.keys()).map(move |slot| window(at, *slot))
        });
        let newest = windows.max().unwrap_or(-1);
        self.kept = self.kept.max(before.min(newest + 1));
        let mut kept_pts = BTreeMap::<_, i64>::new();
        for (at, account) in self.accounts.iter_mut().enumerate() {
            account.due.retain(|slot| window(at, *slot) >= self.kept);
            account.verdicts.retain(|slot, _| window(at, *slot) >= self.kept);
            let first = first_pts(at, self.kept);
            account.counted.retain(|pts| *pts >= first);
            let least = kept_pts.entry(LEDGERS[at].0).or_insert(first);
            *least = (*least).min(first);
        }
        for (name, held) in &mut self.results {
            held.retain(|pts| self.kept == 0 || *pts >= kept_pts[name]);
        }
    }

    fn tracked(&mut self, at: usize, slot: i64, open: OpenLedger) -> Option<Entry> {
        let (account, pts) = (&mut self.accounts[at], pts(at, slot));
        if !account.counted.contains(&pts) {
            return None;
        }
        account.tracked_through = account.tracked_through.max(Some(pts));
        let tracks = vec![(slot % 2 == 0).then_some(ocelli_model::TrackId(1))];
        Some(Entry::Tracked { derivation: open.derivation?, pts, tracks })
    }
}

/// The 10 s window of a slot.
fn window(at: usize, slot: i64) -> i64 {
    (pts(at, slot) - 100).div_euclid(10_000)
}

/// The first PTS of the first slot whose centre lies in a window.
fn first_pts(at: usize, window: i64) -> i64 {
    let half_a_slot = match LEDGERS[at].1 {
        "1" => 500,
        "2" => 250,
        _ => 0,
    };
    100 + window * 10_000 - half_a_slot
}

/// A slot, or the picture that stands for it.
fn unit(at: usize, slot: i64) -> Span {
    Span::one(if LEDGERS[at].1 == "all" { pts(at, slot) } else { slot })
}

fn spans(at: usize, first: i64, last: i64) -> Vec<Span> {
    if LEDGERS[at].1 == "all" {
        (first..=last).map(|slot| unit(at, slot)).collect()
    } else {
        vec![Span::slots(first, last)]
    }
}

/// Slots or pictures of spans, one by one.
fn singles(at: usize, spans: impl IntoIterator<Item = (Span, Verdict)>) -> BTreeMap<i64, Verdict> {
    let mut found = BTreeMap::new();
    for (span, verdict) in spans {
        for unit in span.first..=span.last {
            let slot = if LEDGERS[at].1 == "all" { (unit - 100) / 1000 } else { unit };
            assert_eq!(found.insert(slot, verdict), None, "a slot twice");
        }
    }
    found
}

async fn compare(store: &dyn Store, model: &Model, open: &[OpenLedger]) -> Result<(), TestCaseError> {
    let records = store.ledgers(None).await.unwrap();
    for (at, account) in model.accounts.iter().enumerate() {
        let Settled { due, verdicts, gaps, results, tracked_through } =
            store.settled(open[at]).await.unwrap();
        let due = singles(at, due.into_iter().map(|span| (span, Verdict::Empty)));
        prop_assert_eq!(due.into_keys().collect::<BTreeSet<_>>(), account.due.clone());
        prop_assert_eq!(singles(at, verdicts.into_iter().chain(gaps)), account.verdicts.clone());
        let held = model.results.get(LEDGERS[at].0).cloned().unwrap_or_default();
        prop_assert_eq!(results, held.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(tracked_through, account.tracked_through);
        let mut tally = Tally::default();
        account.verdicts.values().for_each(|verdict| tally.count(*verdict));
        let record = records.iter().find(|record| record.id == open[at].ledger).unwrap();
        prop_assert_eq!((record.due, record.tally), (account.due.len() as u64, tally));
    }
    // Verdicts of slots that nobody said were due are no fault of the store.
    let said = store.check().await.unwrap();
    let other: Vec<_> = said.into_iter().filter(|line| !line.contains("were due")).collect();
    prop_assert_eq!(other, Vec::<String>::new());
    Ok(())
}

async fn play(batches: Vec<Vec<Act>>) -> Result<(), TestCaseError> {
    let backend = Sqlite::new();
    let mut store = backend.open().await;
    let run = stream_run(&*store, "a", 0).await;
    let mut open = Vec::new();
    for (name, plan) in LEDGERS {
        open.push(ledger(&*store, run, name, plan).await);
    }
    let mut model = Model::default();
    for batch in batches {
        if batch.iter().any(|act| matches!(act, Act::Reopen)) {
            store = backend.open().await;
            // Open again: a closed one would go as a whole.
            stream_run(&*store, "a", 0).await;
        }
        let entries: Vec<_> = batch.iter().flat_map(|act| model.entries(act, &open)).collect();
        store.commit(&entries).await.unwrap();
        for act in &batch {
            if let Act::Prune(before) = act {
                model.prune(*before);
                store.prune(before * 10_000).await.unwrap();
            }
        }
        compare(&*store, &model, &open).await?;
    }
    let store = backend.open().await;
    compare(&*store, &model, &open).await
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_store_is_the_ledger_slot_by_slot(batches in acts()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(play(batches))?;
    }
}
