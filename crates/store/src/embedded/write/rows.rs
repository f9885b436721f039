//! Rows of one transaction, collected and then written table by table.

use std::collections::{BTreeMap, BTreeSet};

use ocelli_model::Verdict;
use sqlx::{SqliteConnection, query};

use crate::{
    DerivationId, LedgerId, SeriesId,
    embedded::{
        bulk::{Insert, Statements},
        window::{Kind, Line},
    },
};

const RESULTS: Insert = Insert {
    head: "INSERT INTO results (series, pts, ledger, width, height, took_us)",
    tail: "",
    columns: 6,
};
const DETECTIONS: Insert = Insert {
    head: "INSERT INTO detections (series, pts, ordinal, label, confidence, x, y, width, height)",
    tail: "",
    columns: 9,
};
const SHARED: Insert =
    Insert { head: "INSERT INTO shared (ledger, pts)", tail: "ON CONFLICT DO NOTHING", columns: 2 };
const SPANS: Insert = Insert {
    head: "REPLACE INTO spans (ledger, time_window, settled, first, last, count, verdict, reason, pts)",
    tail: "",
    columns: 9,
};
const TRACK_DETECTIONS: Insert =
    Insert { head: "INSERT INTO track_detections (derivation, pts, ordinal, track)", tail: "", columns: 4 };
const TRACKS: Insert = Insert {
    head: "INSERT INTO tracks (derivation, track, label, first_pts, last_pts, detections, best)",
    tail: "ON CONFLICT (derivation, track) DO UPDATE SET last_pts = excluded.last_pts,
           detections = detections + excluded.detections, best = max(best, excluded.best)",
    columns: 7,
};

#[derive(Debug)]
pub(super) struct ResultRow {
    pub(super) series: SeriesId,
    pub(super) pts: i64,
    pub(super) ledger: LedgerId,
    pub(super) size: (u32, u32),
    pub(super) took_us: i64,
}

#[derive(Debug)]
pub(super) struct DetectionRow {
    pub(super) series: SeriesId,
    pub(super) pts: i64,
    pub(super) ordinal: u32,
    pub(super) label: i64,
    /// Confidence, x, y, width, height.
    pub(super) numbers: [f32; 5],
}

#[derive(Debug)]
pub(super) struct SpanRow {
    pub(super) ledger: LedgerId,
    pub(super) window: i64,
    pub(super) kind: Kind,
    pub(super) first: i64,
    pub(super) line: Line,
}

#[derive(Clone, Debug)]
pub(super) struct TrackRow {
    pub(super) label: i64,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) detections: i64,
    pub(super) best: f32,
}

#[derive(Debug)]
pub(super) struct TrackDetectionRow {
    pub(super) derivation: DerivationId,
    pub(super) pts: i64,
    pub(super) ordinal: u32,
    pub(super) track: i64,
}

/// All of one transaction.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) results: Vec<ResultRow>,
    pub(super) detections: Vec<DetectionRow>,
    pub(super) shared: BTreeSet<(LedgerId, i64)>,
    pub(super) spans: Vec<SpanRow>,
    pub(super) void_spans: Vec<(LedgerId, i64, Kind, i64)>,
    /// Derivations whose stored tracks go.
    pub(super) void: BTreeSet<DerivationId>,
    pub(super) tracks: BTreeMap<(DerivationId, i64), TrackRow>,
    pub(super) track_detections: Vec<TrackDetectionRow>,
    pub(super) tracked: BTreeMap<DerivationId, Option<i64>>,
}

impl Rows {
    pub(super) async fn write(self, db: &mut SqliteConnection, to: &mut Statements) -> sqlx::Result<()> {
        to.insert(db, RESULTS, &self.results, |row, values| {
            values.add(row.series.0).add(row.pts).add(row.ledger.0);
            values.add(row.size.0).add(row.size.1).add(row.took_us);
        })
        .await?;
        to.insert(db, DETECTIONS, &self.detections, |row, values| {
            values.add(row.series.0).add(row.pts).add(row.ordinal).add(row.label);
            row.numbers.iter().for_each(|number| {
                values.add(*number);
            });
        })
        .await?;
        let shared: Vec<_> = self.shared.iter().copied().collect();
        to.insert(db, SHARED, &shared, |(ledger, pts), values| {
            values.add(ledger.0).add(*pts);
        })
        .await?;
        self.write_spans(db, to).await?;
        self.write_tracks(db, to).await
    }

    async fn write_spans(&self, db: &mut SqliteConnection, to: &mut Statements) -> sqlx::Result<()> {
        for (ledger, window, kind, first) in &self.void_spans {
            query("DELETE FROM spans WHERE ledger = ? AND time_window = ? AND settled = ? AND first = ?")
                .bind(ledger.0)
                .bind(*window)
                .bind(*kind == Kind::Settled)
                .bind(*first)
                .execute(&mut *db)
                .await?;
        }
        to.insert(db, SPANS, &self.spans, |row, values| {
            let line = &row.line;
            values.add(row.ledger.0).add(row.window).add(row.kind == Kind::Settled);
            values.add(row.first).add(line.last).add(line.count as i64);
            values.add(line.verdict.map(Verdict::word)).add(line.reason.clone()).add(line.pts);
        })
        .await
    }

    async fn write_tracks(&self, db: &mut SqliteConnection, to: &mut Statements) -> sqlx::Result<()> {
        for derivation in &self.void {
            for delete in [
                "DELETE FROM tracks WHERE derivation = ?",
                "DELETE FROM track_detections WHERE derivation = ?",
            ] {
                query(delete).bind(derivation.0).execute(&mut *db).await?;
            }
        }
        let tracks: Vec<_> = self.tracks.iter().collect();
        to.insert(db, TRACKS, &tracks, |((derivation, track), row), values| {
            values.add(derivation.0).add(*track).add(row.label).add(row.first).add(row.last);
            values.add(row.detections).add(row.best);
        })
        .await?;
        to.insert(db, TRACK_DETECTIONS, &self.track_detections, |row, values| {
            values.add(row.derivation.0).add(row.pts).add(row.ordinal).add(row.track);
        })
        .await?;
        for (derivation, through) in &self.tracked {
            query("UPDATE derivations SET tracked_through = ? WHERE id = ?")
                .bind(*through)
                .bind(derivation.0)
                .execute(&mut *db)
                .await?;
        }
        Ok(())
    }
}
