//! One class in one hour out of many rows.

use std::path::Path;

use anyhow::{Result, ensure};
use ocelli_model::BoundingBox;
use ocelli_store::{Access, AnalyzerId, DetectionQuery, ResultLog as _, Results as _, RunId, SqliteStore};
use serde::Serialize;
use tokio::time::Instant;

use crate::fill::{self, Classes, DETECTIONS, FPS, TICKS, pts, quantile};

const RUNS: i64 = 50;
/// Results per transaction while filling.
const BATCH: i64 = 2_000;
const QUERIES: i64 = 100;
const PAGE: u32 = 100;

#[derive(Serialize)]
pub(crate) struct Queried {
    detections: i64,
    filled_per_second: f64,
    bytes_per_million_detections: f64,
    /// A new connection for each.
    cold_p50_ms: f64,
    cold_p95_ms: f64,
    warm_p50_ms: f64,
    warm_p95_ms: f64,
    /// Rows on a page, on average.
    rows: f64,
    /// Everything read and compared, as `ocelli store check` does.
    check_s: f64,
}

pub(crate) async fn measure(folder: &Path, results: i64) -> Result<Queried> {
    let began = Instant::now();
    let (analyzer, runs) = fill(folder, results / RUNS).await?;
    let filled = began.elapsed().as_secs_f64();
    let bytes = std::fs::metadata(folder.join("ocelli.db"))?.len() as f64;
    let hours: Vec<_> = (0..QUERIES).map(|at| hour(at, results / RUNS, analyzer, &runs)).collect();
    let (mut cold, mut warm, mut rows) = (Vec::new(), Vec::new(), 0);
    for query in &hours {
        let store = SqliteStore::open(folder, Access::Read).await?;
        let (took, found) = ask(&store, query).await?;
        cold.push(took);
        rows += found;
        store.close().await?;
    }
    let store = SqliteStore::open(folder, Access::Read).await?;
    ask(&store, &hours[0]).await?;
    for query in &hours {
        warm.push(ask(&store, query).await?.0);
    }
    let began = Instant::now();
    let said = store.check().await?;
    ensure!(said.is_empty(), "the store does not fit together: {said:?}");
    let check_s = began.elapsed().as_secs_f64();
    store.close().await?;
    for waits in [&mut cold, &mut warm] {
        waits.sort_by(f64::total_cmp);
    }
    let detections = results * DETECTIONS as i64;
    Ok(Queried {
        detections,
        filled_per_second: results as f64 / filled,
        bytes_per_million_detections: bytes * 1e6 / detections as f64,
        cold_p50_ms: quantile(&cold, 0.5),
        cold_p95_ms: quantile(&cold, 0.95),
        warm_p50_ms: quantile(&warm, 0.5),
        warm_p95_ms: quantile(&warm, 0.95),
        rows: rows as f64 / QUERIES as f64,
        check_s,
    })
}

async fn fill(folder: &Path, slots: i64) -> Result<(AnalyzerId, Vec<RunId>)> {
    let store = SqliteStore::open(folder, Access::Write).await?;
    let analyzer = fill::analyzer(&store).await?;
    let (classes, mut runs) = (Classes::new(), Vec::new());
    for number in 0..RUNS {
        let (run, open) = fill::ledger(&store, analyzer, number).await?;
        runs.push(run);
        for first in (0..slots).step_by(BATCH as usize) {
            let slots = first..(first + BATCH).min(slots);
            let entries: Vec<_> = slots.flat_map(|slot| classes.entries(open, slot)).collect();
            store.commit(&entries).await?;
        }
    }
    store.close().await?;
    Ok((analyzer, runs))
}

/// An hour (as much of it as a run has) of some run, for a class that is seen often, or seldom.
fn hour(at: i64, slots: i64, analyzer: AnalyzerId, runs: &[RunId]) -> DetectionQuery {
    let hour = (3600 * FPS).min(slots);
    let first = at * 7_919 % (slots - hour + 1);
    DetectionQuery {
        run: runs[at as usize * 17 % runs.len()],
        analyzer,
        label: Some(format!("class-{}", at % 40)),
        confidence: 0.3,
        from: pts(first),
        to: pts(first) + 3600 * TICKS,
        after: None,
        limit: PAGE,
    }
}

/// Milliseconds and rows of the first page.
async fn ask(store: &SqliteStore, query: &DetectionQuery) -> Result<(f64, usize)> {
    let began = Instant::now();
    let page = store.detections(query).await?;
    let took = began.elapsed().as_secs_f64() * 1000.0;
    let is_box = |bbox: BoundingBox| bbox.width.is_finite();
    ensure!(
        page.rows
            .iter()
            .all(|row| row.detection.label.as_ref() == query.label.as_deref().unwrap_or_default())
    );
    ensure!(page.rows.iter().all(|row| row.detection.confidence >= 0.3 && is_box(row.detection.bbox)));
    Ok((took, page.rows.len()))
}
