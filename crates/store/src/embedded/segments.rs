//! Segments of recordings, and what is missing between them.

mod found;

use std::ops::Range;

use ocelli_model::StreamId;
use sqlx::{Row as _, SqliteConnection, query, query_as, query_scalar};

pub(super) use self::found::found;
use super::failure::Failure;
use crate::{RecordingGap, RecordingUse, SegmentClass, SegmentRecord};

pub(super) async fn put(db: &mut SqliteConnection, segment: &SegmentRecord) -> Result<(), Failure> {
    let recording = recording(db, &segment.stream).await?;
    if let Some(known) = found::one(db, &segment.stream, segment.number).await? {
        // What it was classed as since then is no other segment.
        return if (SegmentRecord { class: segment.class, ..known }) == *segment {
            Ok(())
        } else {
            Err(Failure::invalid(format!(
                "segment {} of stream {} is there with other properties",
                segment.number, segment.stream
            )))
        };
    }
    query(
        "INSERT INTO segments (recording, number, run, base_num, base_den, first_pts, end_pts, keyframe, began_ms,
             ended_ms, init, init_bytes, bytes, location, class) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(recording)
    .bind(segment.number as i64)
    .bind(segment.run)
    .bind(segment.time_base.num())
    .bind(segment.time_base.den())
    .bind(segment.first_pts)
    .bind(segment.end_pts)
    .bind(segment.keyframe)
    .bind(segment.began_ms)
    .bind(segment.ended_ms)
    .bind(&segment.init)
    .bind(segment.init_bytes)
    .bind(segment.bytes as i64)
    .bind(&segment.location)
    .bind(segment.class.word())
    .execute(&mut *db)
    .await?;
    query(
        "UPDATE recordings SET spent_numbers = max(spent_numbers, ?), segments = segments + 1, bytes = bytes + ?,
             longest_ticks = max(longest_ticks, ?), longest_ms = max(longest_ms, ?) WHERE id = ?",
    )
    .bind(segment.number as i64 + 1)
    .bind(segment.bytes as i64)
    .bind(segment.end_pts - segment.first_pts)
    .bind(segment.ended_ms - segment.began_ms)
    .bind(recording)
    .execute(db)
    .await?;
    Ok(())
}

/// The row of a stream's recording, made where there is none.
async fn recording(db: &mut SqliteConnection, stream: &StreamId) -> Result<i64, Failure> {
    if let Some(known) = known(db, stream).await? {
        return Ok(known);
    }
    let made = query("INSERT INTO recordings (stream) VALUES (?)").bind(stream.as_str()).execute(db).await?;
    Ok(made.last_insert_rowid())
}

async fn known(db: &mut SqliteConnection, stream: &StreamId) -> sqlx::Result<Option<i64>> {
    query_scalar("SELECT id FROM recordings WHERE stream = ?").bind(stream.as_str()).fetch_optional(db).await
}

pub(super) async fn next(db: &mut SqliteConnection, stream: &StreamId) -> Result<u64, Failure> {
    let spent: Option<i64> = query_scalar("SELECT spent_numbers FROM recordings WHERE stream = ?")
        .bind(stream.as_str())
        .fetch_optional(db)
        .await?;
    Ok(spent.unwrap_or(0) as u64)
}

pub(super) async fn remove(
    db: &mut SqliteConnection,
    stream: &StreamId,
    numbers: &[u64],
) -> Result<(), Failure> {
    let Some(recording) = known(db, stream).await? else { return Ok(()) };
    let (mut segments, mut bytes, mut last) = (0_i64, 0_i64, (i64::MIN, i64::MIN));
    for number in numbers.iter().filter_map(|number| i64::try_from(*number).ok()) {
        let removed: Option<(i64, i64, i64)> =
            query_as("DELETE FROM segments WHERE recording = ? AND number = ? RETURNING bytes, run, end_pts")
                .bind(recording)
                .bind(number)
                .fetch_optional(&mut *db)
                .await?;
        if let Some((size, run, end_pts)) = removed {
            segments += 1;
            bytes += size;
            last = last.max((run, end_pts));
        }
    }
    if segments == 0 {
        return Ok(());
    }
    query("UPDATE recordings SET segments = segments - ?, bytes = bytes - ? WHERE id = ?")
        .bind(segments)
        .bind(bytes)
        .bind(recording)
        .execute(&mut *db)
        .await?;
    // In the order of media, not of wall time: a clock that was set back tells nothing of what is left.
    let oldest: Option<(i64, i64)> =
        query_as("SELECT run, first_pts FROM segments WHERE recording = ? ORDER BY number LIMIT 1")
            .bind(recording)
            .fetch_optional(&mut *db)
            .await?;
    let (run, pts) = oldest.unwrap_or(last);
    query("DELETE FROM recording_gaps WHERE recording = ?1 AND (run < ?2 OR run = ?2 AND first_pts < ?3)")
        .bind(recording)
        .bind(run)
        .bind(pts)
        .execute(db)
        .await?;
    Ok(())
}

pub(super) async fn classify(
    db: &mut SqliteConnection,
    stream: &StreamId,
    numbers: &Range<u64>,
    class: SegmentClass,
    unpin: bool,
) -> Result<u64, Failure> {
    let Some(recording) = known(db, stream).await? else { return Ok(0) };
    let within = found::signed(numbers);
    query(
        "UPDATE segments SET class = CASE
             WHEN class IN ('pinned', 'pinned_event') AND NOT ?2 THEN iif(?1 = 'event', 'pinned_event', class)
             WHEN class IN ('event', 'pinned_event') AND ?1 = 'pinned' THEN 'pinned_event'
             WHEN class IN ('event', 'pinned_event') AND ?2 THEN 'event'
             ELSE ?1 END
         WHERE recording = ?3 AND number >= ?4 AND number < ?5",
    )
    .bind(class.word())
    .bind(unpin)
    .bind(recording)
    .bind(within.start)
    .bind(within.end)
    .execute(&mut *db)
    .await?;
    let there: i64 =
        query_scalar("SELECT count(*) FROM segments WHERE recording = ? AND number >= ? AND number < ?")
            .bind(recording)
            .bind(within.start)
            .bind(within.end)
            .fetch_one(db)
            .await?;
    Ok(there as u64)
}

pub(super) async fn put_gap(db: &mut SqliteConnection, gap: &RecordingGap) -> Result<(), Failure> {
    let recording = recording(db, &gap.stream).await?;
    // When and why it began is told once.
    query(
        "INSERT INTO recording_gaps (recording, run, first_pts, end_pts, began_ms, reason) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET end_pts = coalesce(excluded.end_pts, end_pts)",
    )
    .bind(recording)
    .bind(gap.run)
    .bind(gap.first_pts)
    .bind(gap.end_pts)
    .bind(gap.began_ms)
    .bind(&gap.reason)
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn gaps(db: &mut SqliteConnection, stream: &StreamId) -> Result<Vec<RecordingGap>, Failure> {
    let rows = query(
        "SELECT run, first_pts, end_pts, began_ms, reason FROM recording_gaps
         JOIN recordings ON recordings.id = recording WHERE stream = ? ORDER BY run, first_pts",
    )
    .bind(stream.as_str())
    .fetch_all(db)
    .await?;
    let gap = |row: &sqlx::sqlite::SqliteRow| {
        Ok(RecordingGap {
            stream: stream.clone(),
            run: row.try_get("run")?,
            first_pts: row.try_get("first_pts")?,
            end_pts: row.try_get("end_pts")?,
            began_ms: row.try_get("began_ms")?,
            reason: row.try_get("reason")?,
        })
    };
    rows.iter().map(gap).collect()
}

pub(super) async fn recordings(db: &mut SqliteConnection) -> Result<Vec<RecordingUse>, Failure> {
    let rows: Vec<(String, i64, i64, i64, i64)> = query_as(
        "SELECT stream, segments, bytes,
             (SELECT began_ms FROM segments WHERE recording = id ORDER BY number LIMIT 1),
             (SELECT ended_ms FROM segments WHERE recording = id ORDER BY number DESC LIMIT 1)
         FROM recordings WHERE segments > 0 ORDER BY stream",
    )
    .fetch_all(db)
    .await?;
    let used = |(stream, segments, bytes, oldest_ms, newest_ms): (String, i64, i64, i64, i64)| {
        let stream = found::stream(&stream)?;
        Ok(RecordingUse { stream, segments: segments as u64, bytes: bytes as u64, oldest_ms, newest_ms })
    };
    rows.into_iter().map(used).collect()
}
