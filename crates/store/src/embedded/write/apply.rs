//! One transaction: entries in their order, then the rows they make.

use std::{collections::BTreeSet, sync::Arc};

use ocelli_model::Verdict;
use sqlx::{SqliteConnection, query, query_scalar};

use super::{
    memory::{Frame, Memory},
    rows::{DetectionRow, ResultRow, Rows},
};
use crate::{
    Blob, Entry, FrameResult, LedgerId, RunId, RunState, SeriesId, Span,
    embedded::{bulk::Statements, failure::Failure, values, window::Line},
};

pub(super) struct Commit<'a> {
    pub(super) db: &'a mut SqliteConnection,
    pub(super) memory: &'a mut Memory,
    pub(super) rows: Rows,
    statements: &'a mut Statements,
    /// Windows with lines to store.
    pub(super) touched: BTreeSet<(LedgerId, i64)>,
}

impl<'a> Commit<'a> {
    pub(super) fn new(
        db: &'a mut SqliteConnection,
        memory: &'a mut Memory,
        statements: &'a mut Statements,
    ) -> Self {
        Self { db, memory, rows: Rows::default(), statements, touched: BTreeSet::new() }
    }

    pub(super) async fn write(&mut self, entries: &[Entry]) -> Result<(), Failure> {
        for entry in entries {
            self.apply(entry).await?;
        }
        self.collect_spans();
        let rows = std::mem::take(&mut self.rows);
        Ok(rows.write(self.db, self.statements).await?)
    }

    async fn apply(&mut self, entry: &Entry) -> Result<(), Failure> {
        match entry {
            Entry::Due { ledger, span } => self.due(*ledger, *span).await,
            Entry::Analysed { ledger, span, pts, result } => {
                self.analysed(*ledger, *span, *pts, result.as_ref()).await
            }
            Entry::Unseen { ledger, span, verdict, reason, pts } => {
                let line =
                    Line { last: 0, count: 0, verdict: Some(*verdict), reason: reason.clone(), pts: *pts };
                self.unseen(*ledger, *span, &line).await
            }
            Entry::Tracked { derivation, pts, tracks } => self.tracked(*derivation, *pts, tracks).await,
            Entry::Untracked { derivation } => {
                let ledger = self.owner(*derivation).await?;
                self.void_tracks(ledger, |known, _| known == *derivation);
                Ok(())
            }
            Entry::Run { run, state, last_pts } => self.run(*run, *state, *last_pts).await,
            Entry::Blob { run, blob } => self.blob(*run, blob).await,
        }
    }

    async fn due(&mut self, ledger: LedgerId, span: Span) -> Result<(), Failure> {
        let known = self.ledger(ledger).await?;
        for (window, part) in values::parts(known.clock, known.plan, span)? {
            if window >= known.kept_window {
                self.window(ledger, window).await?.due(part);
            }
        }
        Ok(())
    }

    async fn unseen(&mut self, ledger: LedgerId, span: Span, line: &Line) -> Result<(), Failure> {
        let known = self.ledger(ledger).await?;
        for (window, part) in values::parts(known.clock, known.plan, span)? {
            if window >= known.kept_window {
                self.window(ledger, window).await?.settle(part, line);
            }
        }
        Ok(())
    }

    async fn analysed(
        &mut self,
        ledger: LedgerId,
        span: Span,
        pts: i64,
        result: Option<&FrameResult>,
    ) -> Result<(), Failure> {
        let known = self.ledger(ledger).await?;
        let (series, window) = (known.series, known.clock.window(span.first));
        if window < known.kept_window || pts < known.kept_pts {
            return Ok(());
        }
        if !self.window(ledger, window).await?.is_open(span.first) {
            return Ok(());
        }
        match (self.brought_by(series, pts).await?, result) {
            (None, Some(result)) => self.result(ledger, series, pts, result).await?,
            (None, None) => {
                return Err(Failure::invalid(format!("there is no result at {pts} to share")));
            }
            (Some(other), _) if other == ledger => {
                return Err(Failure::invalid(format!("the result at {pts} settles a slot already")));
            }
            (Some(_), _) => {
                self.rows.shared.insert((ledger, pts));
            }
        }
        self.void_tracks(ledger, |_, through| through >= pts);
        let line =
            Line { last: 0, count: 0, verdict: Some(Verdict::Analysed), reason: String::new(), pts: None };
        self.window(ledger, window).await?.settle(span, &line);
        Ok(())
    }

    async fn result(
        &mut self,
        ledger: LedgerId,
        series: SeriesId,
        pts: i64,
        result: &FrameResult,
    ) -> Result<(), Failure> {
        let mut detections = Vec::with_capacity(result.detections.len());
        for (ordinal, detection) in (0..).zip(&result.detections) {
            let label = self.label(&detection.label).await?;
            detections.push((label, detection.confidence));
            let bbox = detection.bbox;
            let numbers = [detection.confidence, bbox.x, bbox.y, bbox.width, bbox.height];
            self.rows.detections.push(DetectionRow { series, pts, ordinal, label, numbers });
        }
        let size = (result.width, result.height);
        let took_us = result.took.as_micros() as i64;
        self.rows.results.push(ResultRow { series, pts, ledger, size, took_us });
        self.memory.frames.insert((series, pts), Frame { ledger, detections });
        let newest = self.memory.newest.entry(series).or_default();
        *newest = (*newest).max(Some(pts));
        Ok(())
    }

    /// The ledger that brought a result, if there is one.
    pub(super) async fn brought_by(
        &mut self,
        series: SeriesId,
        pts: i64,
    ) -> Result<Option<LedgerId>, Failure> {
        if let Some(frame) = self.memory.frames.get(&(series, pts)) {
            return Ok(Some(frame.ledger));
        }
        let newest = if let Some(newest) = self.memory.newest.get(&series) {
            *newest
        } else {
            let newest = query_scalar("SELECT max(pts) FROM results WHERE series = ?").bind(series.0);
            let newest: Option<i64> = newest.fetch_one(&mut *self.db).await?;
            self.memory.newest.insert(series, newest);
            newest
        };
        if newest.is_none_or(|newest| pts > newest) {
            return Ok(None);
        }
        let owner = query_scalar("SELECT ledger FROM results WHERE series = ? AND pts = ?");
        let owner: Option<i64> = owner.bind(series.0).bind(pts).fetch_optional(&mut *self.db).await?;
        Ok(owner.map(LedgerId))
    }

    async fn label(&mut self, name: &Arc<str>) -> Result<i64, Failure> {
        if let Some(id) = self.memory.labels.get(name) {
            return Ok(*id);
        }
        let found = query_scalar(
            "INSERT INTO labels (name) VALUES (?) ON CONFLICT (name) DO UPDATE SET name = name RETURNING id",
        );
        let id = found.bind(name.as_ref()).fetch_one(&mut *self.db).await?;
        self.memory.labels.insert(Arc::clone(name), id);
        Ok(id)
    }

    async fn run(&mut self, run: RunId, state: RunState, last_pts: Option<i64>) -> Result<(), Failure> {
        let updated = query(
            "UPDATE runs SET state = ?1, last_pts =
                 CASE WHEN ?2 IS NULL THEN last_pts ELSE max(coalesce(last_pts, ?2), ?2) END
             WHERE id = ?3",
        )
        .bind(state.word())
        .bind(last_pts)
        .bind(run.0)
        .execute(&mut *self.db)
        .await?;
        if updated.rows_affected() == 0 {
            return Err(Failure::invalid(format!("there is no run {run}")));
        }
        if state == RunState::Unclean {
            query("UPDATE ledgers SET unclean = 1 WHERE series IN (SELECT id FROM series WHERE run = ?)")
                .bind(run.0)
                .execute(&mut *self.db)
                .await?;
        }
        Ok(())
    }

    async fn blob(&mut self, run: RunId, blob: &Blob) -> Result<(), Failure> {
        query("REPLACE INTO blobs (run, kind, location, bytes, seen_ms) VALUES (?, ?, ?, ?, ?)")
            .bind(run.0)
            .bind(blob.kind.word())
            .bind(&blob.location)
            .bind(blob.bytes as i64)
            .bind(blob.seen_ms)
            .execute(&mut *self.db)
            .await?;
        Ok(())
    }
}
