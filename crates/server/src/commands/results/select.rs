//! From options to the ledgers they mean.

use anyhow::{Result, bail};
use ocelli_model::{SamplingPlan, TimeBase};
use ocelli_store::{AnalyzerRecord, LedgerRecord, RunFilter, RunId, RunRecord};

use crate::{
    cli::{Selection, Span},
    commands::window,
    stores::ReadStore,
};

/// One analyzer version over one run under one plan.
#[derive(Clone, Debug)]
pub(crate) struct Selected {
    pub(crate) run: RunRecord,
    pub(crate) analyzer: AnalyzerRecord,
    pub(crate) ledger: LedgerRecord,
}

impl Selected {
    pub(crate) fn base(&self) -> TimeBase {
        self.run.run.time_base
    }

    pub(crate) fn name(&self) -> &str {
        &self.run.source.source.name
    }

    /// For people: which input, run, model, version and, where it is `counted` by plan, which plan.
    pub(crate) fn title(&self, counted: bool) -> String {
        let Self { run, analyzer, ledger, .. } = self;
        let (name, analyzer) = (self.name(), &analyzer.analyzer);
        let part = if run.run.ordinal > 0 { format!(" part {}", run.run.ordinal) } else { String::new() };
        let plan = if counted { format!(", {}", fps(ledger.plan)) } else { String::new() };
        format!("run {} ({name}{part}), {} {}{plan}", run.id, analyzer.model, analyzer.version)
    }
}

/// A plan as people say it.
pub(crate) fn fps(plan: SamplingPlan) -> String {
    match plan {
        SamplingPlan::All => "every picture".to_owned(),
        SamplingPlan::Rate(_) => format!("{plan} fps"),
    }
}

/// Ledgers that match, by run, then in the order in which they began. None at all is an error that says what there is.
pub(crate) fn select(store: &ReadStore, selection: &Selection) -> Result<Vec<Selected>> {
    let analyzers = store.wait(store.results.analyzers())?;
    let wanted = match &selection.model {
        Some(word) => Some(matching(&analyzers, word)?),
        None => None,
    };
    let mut selected = Vec::new();
    for run in runs(store, selection)? {
        for ledger in store.wait(store.results.ledgers(Some(run.id)))? {
            let Some(analyzer) = analyzers.iter().find(|analyzer| analyzer.id == ledger.analyzer) else {
                continue;
            };
            let meant = wanted.as_ref().is_none_or(|wanted| wanted.contains(&analyzer.id))
                && selection.fps.is_none_or(|plan| plan == ledger.plan);
            if meant {
                let (run, analyzer) = (run.clone(), analyzer.clone());
                selected.push(Selected { run, analyzer, ledger });
            }
        }
    }
    if selected.is_empty() {
        bail!("the store has nothing that matches; `ocelli runs` shows what it has");
    }
    Ok(selected)
}

/// Runs that match.
pub(crate) fn runs(store: &ReadStore, selection: &Selection) -> Result<Vec<RunRecord>> {
    let filter =
        RunFilter { run: selection.run.map(RunId), source_key: None, source_name: selection.input.clone() };
    let runs = store.wait(store.results.runs(&filter))?;
    match (runs.is_empty(), selection.run, &selection.input) {
        (false, ..) | (true, None, None) => Ok(runs),
        (true, Some(run), _) => bail!("the store has no such run {run}; `ocelli runs` lists them"),
        (true, None, Some(input)) => bail!("the store has no run of {input:?}; `ocelli runs` lists them"),
    }
}

/// Analyzers that a word means: a version, the beginning of one, or the id of a model.
pub(crate) fn matching(analyzers: &[AnalyzerRecord], word: &str) -> Result<Vec<ocelli_store::AnalyzerId>> {
    let hit = |record: &&AnalyzerRecord| {
        let analyzer = &record.analyzer;
        analyzer.model == word || (word.len() >= 4 && analyzer.version.as_str().starts_with(word))
    };
    let found: Vec<_> = analyzers.iter().filter(hit).map(|record| record.id).collect();
    if found.is_empty() {
        let known =
            |record: &AnalyzerRecord| format!("{} {}", record.analyzer.model, record.analyzer.version);
        let known: Vec<String> = analyzers.iter().map(known).collect();
        let known = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
        bail!("the store has no results of {word:?}; it has {known}");
    }
    Ok(found)
}

/// `--start` and `--end` in ticks: from, to before.
pub(crate) fn ticks(span: Span, base: TimeBase) -> (i64, i64) {
    let window = window::window(span, base, 0);
    (window.start, window.end)
}
