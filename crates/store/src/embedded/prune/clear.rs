//! One transaction's worth of what lies before the marks of one run.

use sqlx::{SqliteConnection, query, query_as, query_scalar};

use super::Doomed;
use crate::{Pruned, embedded::failure::Failure};

/// Most rows of a kind that one transaction removes, but for one frame or window that has more by itself.
const ROWS: i64 = 1000;
/// Most frames.
const FRAMES: i64 = 128;

/// Removes the oldest of what is before the marks; nothing, where all of it is gone.
pub(super) async fn clear(db: &mut SqliteConnection, run: &Doomed) -> Result<Pruned, Failure> {
    let mut pruned = Pruned::default();
    // A series keeps what any of its ledgers does.
    let series: Vec<(i64, i64)> = query_as(
        "SELECT series.id, min(coalesce(kept_pts, -9223372036854775808)) FROM series
         JOIN ledgers ON ledgers.series = series.id WHERE run = ? GROUP BY series.id",
    )
    .bind(run.run)
    .fetch_all(&mut *db)
    .await?;
    for (series, kept_pts) in series {
        frames(db, series, kept_pts, &mut pruned).await?;
        if pruned != Pruned::default() {
            return Ok(pruned);
        }
    }
    let ledgers: Vec<(i64, i64, i64)> = query_as(
        "SELECT ledgers.id, kept_window, kept_pts FROM series JOIN ledgers ON ledgers.series = series.id
         WHERE run = ? AND kept_window IS NOT NULL",
    )
    .bind(run.run)
    .fetch_all(&mut *db)
    .await?;
    for (ledger, kept_window, kept_pts) in ledgers {
        pruned.lines += lines(db, ledger, kept_window).await?;
        pruned.tracks += tracks(db, ledger, kept_pts).await?;
        if pruned != Pruned::default() {
            return Ok(pruned);
        }
    }
    pruned.anchors += anchors(db, run.run, run.pts()).await?;
    Ok(pruned)
}

/// Whole frames: result, detections, and their places in tracks.
async fn frames(
    db: &mut SqliteConnection,
    series: i64,
    kept_pts: i64,
    pruned: &mut Pruned,
) -> Result<(), Failure> {
    let oldest: Vec<(i64, i64)> = query_as(
        "SELECT pts, (SELECT count(*) FROM detections AS found WHERE found.series = results.series
                      AND found.pts = results.pts)
         FROM results WHERE series = ? AND pts < ? ORDER BY pts LIMIT ?",
    )
    .bind(series)
    .bind(kept_pts)
    .bind(FRAMES)
    .fetch_all(&mut *db)
    .await?;
    let Some(first) = oldest.first() else { return Ok(()) };
    let (mut rows, mut through) = (0, first.0);
    for (pts, detections) in oldest {
        if pruned.frames > 0 && rows + detections > ROWS {
            break;
        }
        rows += detections;
        through = pts;
        pruned.frames += 1;
    }
    pruned.detections += rows as u64;
    for delete in [
        "DELETE FROM track_detections WHERE pts <= ?2 AND derivation IN
             (SELECT derivations.id FROM derivations JOIN ledgers ON ledgers.id = ledger WHERE series = ?1)",
        "DELETE FROM shared WHERE pts <= ?2 AND ledger IN (SELECT id FROM ledgers WHERE series = ?1)",
        "DELETE FROM detections WHERE series = ?1 AND pts <= ?2",
        "DELETE FROM results WHERE series = ?1 AND pts <= ?2",
    ] {
        query(delete).bind(series).bind(through).execute(&mut *db).await?;
    }
    Ok(())
}

/// Whole windows of a ledger, so that it stays in balance.
async fn lines(db: &mut SqliteConnection, ledger: i64, kept_window: i64) -> Result<u64, Failure> {
    let beyond = query_scalar(
        "SELECT time_window FROM spans WHERE ledger = ?1 AND time_window < ?2
         ORDER BY time_window LIMIT 1 OFFSET ?3",
    );
    let beyond: Option<i64> =
        beyond.bind(ledger).bind(kept_window).bind(ROWS).fetch_optional(&mut *db).await?;
    let removed = query(
        "DELETE FROM spans WHERE ledger = ?1 AND time_window < ?2 AND time_window <
             max(?3, 1 + (SELECT min(time_window) FROM spans WHERE ledger = ?1))",
    );
    let removed = removed.bind(ledger).bind(kept_window).bind(beyond.unwrap_or(kept_window));
    Ok(removed.execute(db).await?.rows_affected())
}

/// Tracks that ended before what is kept. Their numbers rise with time: the first page of which none had begun by then is the
/// last. One that goes on keeps its beginning, its count and its best.
async fn tracks(db: &mut SqliteConnection, ledger: i64, kept_pts: i64) -> Result<u64, Failure> {
    let derivations: Vec<i64> =
        query_scalar("SELECT id FROM derivations WHERE ledger = ?").bind(ledger).fetch_all(&mut *db).await?;
    for derivation in derivations {
        let mut after = i64::MIN;
        loop {
            let page: Vec<(i64, i64, i64)> = query_as(
                "SELECT track, first_pts, last_pts FROM tracks WHERE derivation = ? AND track > ?
                 ORDER BY track LIMIT ?",
            )
            .bind(derivation)
            .bind(after)
            .bind(ROWS)
            .fetch_all(&mut *db)
            .await?;
            let Some(last) = page.last() else { break };
            if page.iter().any(|(_, _, last_pts)| *last_pts < kept_pts) {
                let removed = query(
                    "DELETE FROM tracks WHERE derivation = ? AND track > ? AND track <= ? AND last_pts < ?",
                );
                let removed = removed.bind(derivation).bind(after).bind(last.0).bind(kept_pts);
                return Ok(removed.execute(db).await?.rows_affected());
            }
            if page.iter().all(|(_, first_pts, _)| *first_pts >= kept_pts) {
                break;
            }
            after = last.0;
        }
    }
    Ok(0)
}

/// Anchors but for the newest before what is kept, which the times after it are reckoned from.
async fn anchors(db: &mut SqliteConnection, run: i64, kept_pts: i64) -> Result<u64, Failure> {
    let newest: Option<i64> = if kept_pts == super::WHOLE {
        Some(super::WHOLE)
    } else {
        let newest = query_scalar("SELECT max(pts) FROM anchors WHERE run = ? AND pts <= ?");
        newest.bind(run).bind(kept_pts).fetch_one(&mut *db).await?
    };
    let Some(newest) = newest else { return Ok(0) };
    let beyond =
        query_scalar("SELECT pts FROM anchors WHERE run = ? AND pts < ? ORDER BY pts LIMIT 1 OFFSET ?");
    let beyond: Option<i64> = beyond.bind(run).bind(newest).bind(ROWS).fetch_optional(&mut *db).await?;
    let removed = query("DELETE FROM anchors WHERE run = ?1 AND pts < ?2 AND pts <= ?3");
    let removed = removed.bind(run).bind(newest).bind(beyond.unwrap_or(newest));
    Ok(removed.execute(db).await?.rows_affected())
}
