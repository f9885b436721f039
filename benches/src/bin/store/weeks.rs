//! A server that has run for weeks: does an append cost what it did in the first hour, what do streams cost, how long does
//! the removal of old results hold up others.

use std::{path::Path, sync::Arc};

use anyhow::{Result, ensure};
use ocelli_model::Verdict;
use ocelli_store::{
    Access, Entry, OpenLedger, Pruned, ResultLog as _, Results as _, Span, SqliteStore, StreamRecord,
    Streams as _,
};
use serde::Serialize;
use tokio::time::Instant;

use crate::fill::{self, Classes, FPS, cpu_seconds, pts, quantile};

/// Streams that are entered and listed.
const STREAMS: usize = 1_000;
/// Slots of one transaction while the past is written.
const AT_ONCE: i64 = 1_000;

#[derive(Serialize)]
pub(crate) struct Weeks {
    /// Slots before those measured as old.
    slots: i64,
    young: Appends,
    old: Appends,
    streams: usize,
    put_ms: f64,
    list_ms: f64,
    pruned_frames: u64,
    pruned_lines: u64,
    prune_s: f64,
    /// Commits of a live stream meanwhile.
    beside_p50_ms: f64,
    beside_worst_ms: f64,
}

#[derive(Serialize)]
struct Appends {
    p50_ms: f64,
    p99_ms: f64,
    cpu_us: f64,
}

/// One slot as a live stream has it: most are gated, one of four is looked at, some are dropped under load.
fn entries(classes: &Classes, open: OpenLedger, slot: i64) -> Vec<Entry> {
    let (ledger, span) = (open.ledger, Span::one(slot));
    let unseen = |verdict, reason: &str, pts| {
        vec![Entry::Due { ledger, span }, Entry::Unseen { ledger, span, verdict, reason: reason.into(), pts }]
    };
    match slot % 16 {
        0..4 => classes.entries(open, slot),
        4 => unseen(Verdict::Dropped, "overload", Some(pts(slot))),
        5 => unseen(Verdict::Lost, "", None),
        _ => unseen(Verdict::Gated, "", None),
    }
}

async fn appends(store: &SqliteStore, open: OpenLedger, first: i64, count: i64) -> Result<Appends> {
    let classes = Classes::new();
    let (mut waits, cpu) = (Vec::new(), cpu_seconds()?);
    for slot in first..first + count {
        let entries = entries(&classes, open, slot);
        let began = Instant::now();
        store.commit(&entries).await?;
        waits.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    let cpu = cpu_seconds()? - cpu;
    waits.sort_by(f64::total_cmp);
    Ok(Appends {
        p50_ms: quantile(&waits, 0.5),
        p99_ms: quantile(&waits, 0.99),
        cpu_us: cpu * 1e6 / count as f64,
    })
}

async fn streams(store: &SqliteStore) -> Result<(f64, f64)> {
    let began = Instant::now();
    for number in 0..STREAMS {
        let id = format!("camera-{number}").parse()?;
        let spec = format!(r#"{{"source":{{"url":"rtsp://user:secret@10.0.0.1/{number}"}},"fps":"5"}}"#);
        let stream = StreamRecord {
            id,
            spec,
            wanted: true,
            ended: None,
            decode: 1,
            decode_cleared: 1,
            frames: 0,
            restarts: 0,
            created_ms: 0,
            changed_ms: 0,
            started_ms: Some(0),
        };
        store.put_stream(&stream).await?;
    }
    let put = began.elapsed();
    let began = Instant::now();
    ensure!(store.streams().await?.len() == STREAMS, "not all streams are there");
    Ok((put.as_secs_f64() * 1000.0 / STREAMS as f64, began.elapsed().as_secs_f64() * 1000.0))
}

/// Removes the older half while another slot is committed again and again.
async fn prune(store: &Arc<SqliteStore>, open: OpenLedger, slots: i64) -> Result<(Pruned, f64, Vec<f64>)> {
    let before_ms = slots / 2 / FPS * 1000;
    let pruning = tokio::spawn({
        let store = Arc::clone(store);
        async move {
            let began = Instant::now();
            store.prune(before_ms).await.map(|pruned| (pruned, began.elapsed().as_secs_f64()))
        }
    });
    let classes = Classes::new();
    let mut waits = Vec::new();
    for slot in slots.. {
        if pruning.is_finished() {
            break;
        }
        let entries = entries(&classes, open, slot);
        let began = Instant::now();
        store.commit(&entries).await?;
        waits.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    let (pruned, took) = pruning.await??;
    waits.sort_by(f64::total_cmp);
    Ok((pruned, took, waits))
}

pub(crate) async fn measure(folder: &Path, slots: i64, count: i64) -> Result<Weeks> {
    let store = Arc::new(SqliteStore::open(folder, Access::Write).await?);
    let analyzer = fill::analyzer(&*store).await?;
    let (_, open) = fill::ledger(&*store, analyzer, 0).await?;
    let young = appends(&store, open, 0, count).await?;
    let classes = Classes::new();
    for first in (count..slots).step_by(AT_ONCE as usize) {
        let last = (first + AT_ONCE).min(slots);
        let some: Vec<_> = (first..last).flat_map(|slot| entries(&classes, open, slot)).collect();
        store.commit(&some).await?;
    }
    let old = appends(&store, open, slots, count).await?;
    let (put_ms, list_ms) = streams(&store).await?;
    let (pruned, prune_s, beside) = prune(&store, open, slots + count).await?;
    let record = store.ledgers(None).await?.remove(0);
    ensure!(record.due == record.tally.due(), "the ledger is out of balance");
    store.close().await?;
    Ok(Weeks {
        slots,
        young,
        old,
        streams: STREAMS,
        put_ms,
        list_ms,
        pruned_frames: pruned.frames,
        pruned_lines: pruned.lines,
        prune_s,
        beside_p50_ms: quantile(&beside, 0.5),
        beside_worst_ms: quantile(&beside, 1.0),
    })
}
