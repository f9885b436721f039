//! Tracks follow results; results that come in between void them.

use ocelli_model::TrackId;
use sqlx::{query_as, query_scalar};

use super::{
    apply::Commit,
    rows::{TrackDetectionRow, TrackRow},
};
use crate::{DerivationId, LedgerId, SeriesId, embedded::failure::Failure};

impl Commit<'_> {
    /// The ledger whose objects a derivation follows.
    pub(super) async fn owner(&mut self, derivation: DerivationId) -> Result<LedgerId, Failure> {
        let owner = if let Some(owner) = self.memory.owners.get(&derivation) {
            *owner
        } else {
            let found = query_scalar("SELECT ledger FROM derivations WHERE id = ?").bind(derivation.0);
            let unknown = || Failure::invalid(format!("there is no derivation {derivation}"));
            LedgerId(found.fetch_optional(&mut *self.db).await?.ok_or_else(unknown)?)
        };
        self.ledger(owner).await?;
        Ok(owner)
    }

    /// Voids those derivations of a ledger that have tracks and for which `is_void` says so, by how far they came.
    pub(super) fn void_tracks(&mut self, ledger: LedgerId, is_void: impl Fn(DerivationId, i64) -> bool) {
        let Some(known) = self.memory.ledgers.get_mut(&ledger) else { return };
        for (derivation, through) in &mut known.derivations {
            if through.is_some_and(|through| is_void(*derivation, through)) {
                *through = None;
                let of_it = *derivation;
                self.rows.void.insert(of_it);
                self.rows.tracked.insert(of_it, None);
                self.rows.tracks.retain(|(derivation, _), _| *derivation != of_it);
                self.rows.track_detections.retain(|row| row.derivation != of_it);
            }
        }
    }

    pub(super) async fn tracked(
        &mut self,
        derivation: DerivationId,
        pts: i64,
        tracks: &[Option<TrackId>],
    ) -> Result<(), Failure> {
        let ledger = self.owner(derivation).await?;
        let known = self.ledger(ledger).await?;
        let through =
            known.derivations.iter().find(|(id, _)| *id == derivation).and_then(|(_, through)| *through);
        if pts < known.kept_pts || through.is_some_and(|through| pts <= through) {
            return Ok(());
        }
        let seen = self.counted(ledger, known.series, pts).await?;
        if seen.len() != tracks.len() {
            let (tracks, seen) = (tracks.len(), seen.len());
            return Err(Failure::invalid(format!("{tracks} identities for the {seen} detections at {pts}")));
        }
        for (ordinal, (track, (label, confidence))) in (0..).zip(tracks.iter().zip(seen)) {
            let Some(track) = track else { continue };
            let track = track.0 as i64;
            self.rows.track_detections.push(TrackDetectionRow { derivation, pts, ordinal, track });
            let row = TrackRow { label, first: pts, last: pts, detections: 0, best: confidence };
            let row = self.rows.tracks.entry((derivation, track)).or_insert(row);
            row.last = pts;
            row.detections += 1;
            row.best = row.best.max(confidence);
        }
        self.rows.tracked.insert(derivation, Some(pts));
        let derivations = self.memory.ledgers.get_mut(&ledger).map(|known| &mut known.derivations);
        for (_, through) in derivations.into_iter().flatten().filter(|(id, _)| *id == derivation) {
            *through = Some(pts);
        }
        Ok(())
    }

    /// Label and confidence of each detection at `pts`, where the ledger counts that result.
    async fn counted(
        &mut self,
        ledger: LedgerId,
        series: SeriesId,
        pts: i64,
    ) -> Result<Vec<(i64, f32)>, Failure> {
        let owner = self.brought_by(series, pts).await?;
        if owner != Some(ledger) && !self.shares(ledger, pts).await? {
            return Err(Failure::invalid(format!("ledger {ledger} has no result at {pts} to track in")));
        }
        if let Some(frame) = self.memory.frames.get(&(series, pts)) {
            return Ok(frame.detections.clone());
        }
        let seen = query_as(
            "SELECT label, confidence FROM detections WHERE series = ? AND pts = ? ORDER BY ordinal",
        );
        Ok(seen.bind(series.0).bind(pts).fetch_all(&mut *self.db).await?)
    }

    async fn shares(&mut self, ledger: LedgerId, pts: i64) -> Result<bool, Failure> {
        if self.rows.shared.contains(&(ledger, pts)) {
            return Ok(true);
        }
        let shared = query_scalar("SELECT count(*) FROM shared WHERE ledger = ? AND pts = ?");
        let shared: i64 = shared.bind(ledger.0).bind(pts).fetch_one(&mut *self.db).await?;
        Ok(shared > 0)
    }
}
