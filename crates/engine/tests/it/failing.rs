//! A store whose commits fail for a while.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use ocelli_store::{
    AnalyzerId, Entry, NewAnalyzer, NewLedger, NewRun, NewSource, OpenLedger, ResultLog, RunId, Settled,
    SourceId, SqliteStore, StoreError,
};

#[derive(Debug)]
pub(crate) struct Failing {
    store: Arc<SqliteStore>,
    /// Commits that go well before those that do not.
    well: AtomicU64,
    badly: AtomicU64,
}

impl Failing {
    pub(crate) fn new(store: Arc<SqliteStore>) -> Self {
        Self { store, well: AtomicU64::default(), badly: AtomicU64::default() }
    }

    /// `well` more commits go well, then so many fail, and from there on all go well again.
    pub(crate) fn fail_after(&self, well: u64, badly: u64) {
        self.well.store(well, Ordering::Relaxed);
        self.badly.store(badly, Ordering::Relaxed);
    }
}

fn take(left: &AtomicU64) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

#[async_trait]
impl ResultLog for Failing {
    async fn source(&self, source: &NewSource) -> Result<SourceId, StoreError> {
        self.store.source(source).await
    }

    async fn run(&self, run: &NewRun) -> Result<RunId, StoreError> {
        self.store.run(run).await
    }

    async fn analyzer(&self, analyzer: &NewAnalyzer) -> Result<AnalyzerId, StoreError> {
        self.store.analyzer(analyzer).await
    }

    async fn ledger(&self, ledger: &NewLedger) -> Result<OpenLedger, StoreError> {
        self.store.ledger(ledger).await
    }

    async fn settled(&self, ledger: OpenLedger) -> Result<Settled, StoreError> {
        self.store.settled(ledger).await
    }

    async fn commit(&self, entries: &[Entry]) -> Result<(), StoreError> {
        if !take(&self.well) && take(&self.badly) {
            return Err(StoreError::Full { path: "full".into() });
        }
        self.store.commit(entries).await
    }
}
