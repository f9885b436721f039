//! Whole results, with the identities of their detections, and tracks.

use std::{sync::Arc, time::Duration};

use ocelli_model::{BoundingBox, Detection, TrackId};
use sqlx::{SqliteConnection, query_as};

use super::detections::shared;
use crate::{
    DerivationId, FrameQuery, FrameResult, Page, StoredFrame, TrackRecord, embedded::failure::Failure,
};

/// Frames that are asked for, in whichever order.
macro_rules! chosen {
    () => {
        "SELECT pts, width, height, took_us FROM results
         WHERE series = ?1 AND pts >= ?2 AND pts < ?3
           AND (?4 IS NULL OR ledger = ?4
                OR EXISTS (SELECT 1 FROM shared WHERE shared.ledger = ?4 AND shared.pts = results.pts))"
    };
}

type FoundFrame = (i64, u32, u32, i64);
type FoundDetection = (i64, String, f32, f32, f32, f32, f32, Option<i64>);

const OLDEST_FIRST: &str = concat!(chosen!(), " ORDER BY pts LIMIT ?5");
const NEWEST_FIRST: &str = concat!(chosen!(), " ORDER BY pts DESC LIMIT ?5");

pub(in crate::embedded) async fn frames(
    db: &mut SqliteConnection,
    query: &FrameQuery,
) -> Result<Page<StoredFrame, i64>, Failure> {
    let mut found: Vec<FoundFrame> = query_as(if query.newest_first { NEWEST_FIRST } else { OLDEST_FIRST })
        .bind(query.series.0)
        .bind(query.from)
        .bind(query.to)
        .bind(query.ledger.map(|ledger| ledger.0))
        .bind(query.limit + 1)
        .fetch_all(&mut *db)
        .await?;
    let next = if found.len() > query.limit as usize { found.pop().map(|(pts, ..)| pts) } else { None };
    if query.newest_first {
        found.reverse();
    }
    let (Some(first), Some(last)) = (found.first(), found.last()) else {
        return Ok(Page { rows: Vec::new(), next });
    };
    let detections: Vec<FoundDetection> = query_as(
        "SELECT detections.pts, name, confidence, x, y, width, height, track
         FROM detections JOIN labels ON labels.id = detections.label
         LEFT JOIN track_detections AS found ON found.derivation = ?4
              AND found.pts = detections.pts AND found.ordinal = detections.ordinal
         WHERE series = ?1 AND detections.pts BETWEEN ?2 AND ?3
         ORDER BY detections.pts, detections.ordinal",
    )
    .bind(query.series.0)
    .bind(first.0)
    .bind(last.0)
    .bind(query.derivation.map(|derivation| derivation.0))
    .fetch_all(db)
    .await?;
    let mut rows = assemble(found, detections, query.derivation.is_some());
    if query.newest_first {
        rows.reverse();
    }
    Ok(Page { rows, next })
}

/// Both lists ascend; detections of frames that are not wanted are passed over.
fn assemble(found: Vec<FoundFrame>, detections: Vec<FoundDetection>, tracked: bool) -> Vec<StoredFrame> {
    let mut labels = Vec::<Arc<str>>::new();
    let mut detections = detections.into_iter().peekable();
    let mut frames = Vec::with_capacity(found.len());
    for (pts, width, height, took_us) in found {
        let took = Duration::from_micros(took_us as u64);
        let mut result = FrameResult { width, height, detections: Vec::new(), took };
        let mut tracks = Vec::new();
        while let Some(next) = detections.next_if(|next| next.0 <= pts) {
            let (at, label, confidence, x, y, width, height, track) = next;
            if at < pts {
                continue;
            }
            let bbox = BoundingBox { x, y, width, height };
            result.detections.push(Detection { label: shared(&mut labels, label), confidence, bbox });
            if tracked {
                tracks.push(track.map(|track| TrackId(track as u64)));
            }
        }
        frames.push(StoredFrame { pts, result, tracks });
    }
    frames
}

type FoundTrack = (i64, String, i64, i64, i64, f32);

pub(in crate::embedded) async fn tracks(
    db: &mut SqliteConnection,
    derivation: DerivationId,
) -> Result<Vec<TrackRecord>, Failure> {
    let found: Vec<FoundTrack> = query_as(
        "SELECT track, name, first_pts, last_pts, detections, best
         FROM tracks JOIN labels ON labels.id = tracks.label
         WHERE derivation = ? ORDER BY first_pts, track",
    )
    .bind(derivation.0)
    .fetch_all(db)
    .await?;
    let track = |(track, label, first_pts, last_pts, detections, best)| TrackRecord {
        derivation,
        track: TrackId(track as u64),
        label,
        first_pts,
        last_pts,
        detections: detections as u64,
        best,
    };
    Ok(found.into_iter().map(|found: FoundTrack| track(found)).collect())
}
