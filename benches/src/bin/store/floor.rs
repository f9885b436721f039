//! What the same work costs without the store around it.

use std::{fs::File, io::Write as _, path::Path};

use anyhow::Result;
use serde::Serialize;
use sqlx::{ConnectOptions as _, Connection as _, query, raw_sql, sqlite::SqliteConnectOptions};
use tokio::time::Instant;

use crate::{
    fill::{Classes, DETECTIONS, cpu_seconds, pts, quantile},
    write::PACE,
};

/// One transaction of prepared inserts, a row each.
#[derive(Serialize)]
pub(crate) struct Plain {
    per_second: f64,
    cpu_s_per_1000: f64,
}

pub(crate) async fn plain(folder: &Path, results: i64) -> Result<Plain> {
    let options = SqliteConnectOptions::new().filename(folder.join("floor.db")).create_if_missing(true);
    let mut db = options.disable_statement_logging().connect().await?;
    let tables = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
        CREATE TABLE results (series INTEGER, pts INTEGER, ledger INTEGER, width INTEGER, height INTEGER,
            took_us INTEGER, PRIMARY KEY (series, pts)) WITHOUT ROWID;
        CREATE TABLE detections (series INTEGER, pts INTEGER, ordinal INTEGER, label INTEGER, confidence REAL, x REAL,
            y REAL, width REAL, height REAL, PRIMARY KEY (series, pts, ordinal)) WITHOUT ROWID;
        CREATE INDEX detections_by_label ON detections (series, label, pts);
        BEGIN;";
    raw_sql(tables).execute(&mut db).await?;
    let classes = Classes::new();
    let (began, cpu) = (Instant::now(), cpu_seconds()?);
    for at in 0..results {
        let (series, slot) = (at % 8 + 1, at / 8);
        let result = classes.result(series, slot);
        query("INSERT INTO results VALUES (?, ?, ?, ?, ?, ?)")
            .bind(series)
            .bind(pts(slot))
            .bind(series)
            .bind(result.width)
            .bind(result.height)
            .bind(result.took.as_micros() as i64)
            .execute(&mut db)
            .await?;
        for (ordinal, detection) in (0_i64..).zip(&result.detections) {
            let label: i64 = detection.label.trim_start_matches("class-").parse()?;
            let bbox = detection.bbox;
            let mut insert = query("INSERT INTO detections VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
                .bind(series)
                .bind(pts(slot))
                .bind(ordinal)
                .bind(label);
            for number in [detection.confidence, bbox.x, bbox.y, bbox.width, bbox.height] {
                insert = insert.bind(number);
            }
            insert.execute(&mut db).await?;
        }
    }
    raw_sql("COMMIT").execute(&mut db).await?;
    let (took, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    db.close().await?;
    Ok(Plain { per_second: results as f64 / took, cpu_s_per_1000: cpu * 1000.0 / results as f64 })
}

/// Bare appending, synced each time.
#[derive(Serialize)]
pub(crate) struct Synced {
    p50_ms: f64,
    p99_ms: f64,
}

/// As many bytes as a batch of 5 ms has at that pace, as often as there are batches in those seconds.
pub(crate) fn synced(folder: &Path, seconds: u64) -> Result<Synced> {
    let bytes = vec![7; PACE as usize / 200 * DETECTIONS * 90];
    let mut file = File::create(folder.join("bytes"))?;
    let mut waits = Vec::new();
    for _ in 0..seconds * 100 {
        let began = Instant::now();
        file.write_all(&bytes)?;
        file.sync_data()?;
        waits.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    waits.sort_by(f64::total_cmp);
    Ok(Synced { p50_ms: quantile(&waits, 0.5), p99_ms: quantile(&waits, 0.99) })
}
