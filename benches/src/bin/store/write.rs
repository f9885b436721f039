//! Through the appender, as every path of the product writes.

use std::{collections::VecDeque, path::Path, sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use ocelli_store::{Access, Appender, OpenLedger, Pending, ResultLog, Results as _, SqliteStore};
use serde::Serialize;
use tokio::{
    runtime::Handle,
    time::{Instant, MissedTickBehavior, interval},
};

use crate::fill::{self, Classes, DETECTIONS, cpu_seconds, quantile};

/// Tasks that append, each to its own run.
const TASKS: i64 = 8;
/// Appends that a task has under way at most, flat out.
const UNDER_WAY: usize = 64;
/// Results a second, paced.
pub(crate) const PACE: u64 = 2_500;

#[derive(Serialize)]
pub(crate) struct Sustained {
    results: i64,
    per_second: f64,
    cpu_s_per_1000: f64,
    /// Of the database file, closed.
    bytes_per_million_detections: f64,
}

#[derive(Serialize)]
pub(crate) struct Paced {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    worst_ms: f64,
    cpu_s_per_1000: f64,
}

struct Opened {
    store: Arc<SqliteStore>,
    appender: Appender,
    ledgers: Vec<OpenLedger>,
}

async fn open(folder: &Path) -> Result<Opened> {
    let store = Arc::new(SqliteStore::open(folder, Access::Write).await?);
    let analyzer = fill::analyzer(&*store).await?;
    let mut ledgers = Vec::new();
    for task in 0..TASKS {
        ledgers.push(fill::ledger(&*store, analyzer, task).await?.1);
    }
    let log: Arc<dyn ResultLog> = Arc::<SqliteStore>::clone(&store);
    let appender = Appender::start(log, &Handle::current());
    Ok(Opened { store, appender, ledgers })
}

impl Opened {
    /// Ends it all; what was stored is what was appended.
    async fn close(self, results: i64) -> Result<()> {
        self.appender.close().await?;
        let stored: u64 = self.store.ledgers(None).await?.iter().map(|ledger| ledger.tally.analysed).sum();
        ensure!(stored == results as u64, "{stored} of {results} results are there");
        Ok(self.store.close().await?)
    }
}

pub(crate) async fn sustained(folder: &Path, results: i64) -> Result<Sustained> {
    let opened = open(folder).await?;
    let (began, cpu) = (Instant::now(), cpu_seconds()?);
    let tasks = opened
        .ledgers
        .iter()
        .map(|ledger| tokio::spawn(flat_out(opened.appender.clone(), *ledger, results / TASKS)));
    for task in tasks.collect::<Vec<_>>() {
        task.await??;
    }
    let (took, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    opened.close(results).await?;
    let bytes = std::fs::metadata(folder.join("ocelli.db"))?.len() as f64;
    Ok(Sustained {
        results,
        per_second: results as f64 / took,
        cpu_s_per_1000: cpu * 1000.0 / results as f64,
        bytes_per_million_detections: bytes * 1e6 / (results as f64 * DETECTIONS as f64),
    })
}

async fn flat_out(appender: Appender, ledger: OpenLedger, slots: i64) -> Result<()> {
    let classes = Classes::new();
    let mut under_way = VecDeque::<Pending>::new();
    for slot in 0..slots {
        if under_way.len() == UNDER_WAY
            && let Some(oldest) = under_way.pop_front()
        {
            oldest.await?;
        }
        under_way.push_back(appender.append(classes.entries(ledger, slot)).await);
    }
    for pending in under_way {
        pending.await?;
    }
    Ok(())
}

pub(crate) async fn paced(folder: &Path, seconds: u64) -> Result<Paced> {
    let opened = open(folder).await?;
    let slots = (PACE * seconds) as i64 / TASKS;
    let (began, cpu) = (Instant::now(), cpu_seconds()?);
    let tasks =
        opened.ledgers.iter().map(|ledger| tokio::spawn(at_pace(opened.appender.clone(), *ledger, slots)));
    let mut waits = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        waits.extend(task.await??);
    }
    let (took, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    opened.close(waits.len() as i64).await?;
    waits.sort_by(f64::total_cmp);
    Ok(Paced {
        per_second: waits.len() as f64 / took,
        p50_ms: quantile(&waits, 0.5),
        p99_ms: quantile(&waits, 0.99),
        worst_ms: quantile(&waits, 1.0),
        cpu_s_per_1000: cpu * 1000.0 / waits.len() as f64,
    })
}

/// Milliseconds that each result waited, counted from when it was to be appended, so that a stall counts for all it held up.
async fn at_pace(appender: Appender, ledger: OpenLedger, slots: i64) -> Result<Vec<f64>> {
    let classes = Classes::new();
    let mut ticks = interval(Duration::from_secs(1) * TASKS as u32 / PACE as u32);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut waits = tokio::task::JoinSet::new();
    for slot in 0..slots {
        let due = ticks.tick().await;
        let pending = appender.append(classes.entries(ledger, slot)).await;
        waits.spawn(async move { pending.await.map(|()| due.elapsed().as_secs_f64() * 1000.0) });
    }
    let mut found = Vec::new();
    while let Some(wait) = waits.join_next().await {
        found.push(wait??);
    }
    Ok(found)
}
