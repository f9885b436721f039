//! Which segments: one range of one index, whatever is asked for.

use std::ops::Range;

use ocelli_model::{StreamId, TimeBase};
use sqlx::{QueryBuilder, Row as _, Sqlite, SqliteConnection, sqlite::SqliteRow};

use crate::{
    SegmentClass, SegmentQuery, SegmentRecord, StoreError, embedded::failure::Failure, words::Word as _,
};

pub(in crate::embedded) async fn found(
    db: &mut SqliteConnection,
    asked: &SegmentQuery,
) -> Result<Vec<SegmentRecord>, Failure> {
    if asked.pts.is_some() && asked.run.is_none() {
        return Err(StoreError::Invalid("a range of media time needs its run".to_owned()).into());
    }
    let mut query = statement(asked);
    let rows = query.build().fetch_all(db).await?;
    rows.iter().map(segment).collect()
}

pub(super) async fn one(
    db: &mut SqliteConnection,
    stream: &StreamId,
    number: u64,
) -> Result<Option<SegmentRecord>, Failure> {
    let numbers = Some(number..number.saturating_add(1));
    let asked = SegmentQuery { stream: Some(stream.clone()), numbers, limit: 1, ..SegmentQuery::default() };
    Ok(found(db, &asked).await?.pop())
}

/// Numbers as SQLite has them. None lies beyond.
pub(super) fn signed(numbers: &Range<u64>) -> Range<i64> {
    let signed = |number| i64::try_from(number).unwrap_or(i64::MAX);
    signed(numbers.start)..signed(numbers.end)
}

/// The index is named: the planner, which knows no sizes, might walk all segments in the order that is asked for. The longest
/// segment bounds the range on the side that the index does not hold.
fn statement(asked: &SegmentQuery) -> QueryBuilder<Sqlite> {
    let index = match (&asked.stream, &asked.pts, &asked.wall_ms) {
        (Some(_), Some(_), _) => " INDEXED BY segments_by_pts",
        (Some(_), None, Some(_)) if asked.numbers.is_none() => " INDEXED BY segments_by_wall",
        _ => "",
    };
    let mut query = QueryBuilder::new("SELECT segments.*, stream FROM recordings CROSS JOIN segments");
    query.push(index).push(" ON recording = id WHERE true");
    if let Some(stream) = &asked.stream {
        query.push(" AND stream = ").push_bind(stream.as_str().to_owned());
    }
    if let Some(run) = asked.run {
        query.push(" AND run = ").push_bind(run);
    }
    if let Some(numbers) = &asked.numbers {
        let numbers = signed(numbers);
        query.push(" AND number >= ").push_bind(numbers.start).push(" AND number < ").push_bind(numbers.end);
    }
    if let Some(pts) = &asked.pts {
        query.push(" AND first_pts < ").push_bind(pts.end).push(" AND end_pts > ").push_bind(pts.start);
        // Where it goes beyond the smallest integer it bounds nothing, as a real number.
        query.push(" AND first_pts >= ").push_bind(pts.start).push(" - longest_ticks");
    }
    if let Some(wall) = &asked.wall_ms {
        query.push(" AND ended_ms >= ").push_bind(wall.start).push(" AND began_ms < ").push_bind(wall.end);
        query.push(" AND ended_ms < ").push_bind(wall.end).push(" + longest_ms");
    }
    query.push(if asked.newest_first { " ORDER BY stream, number DESC" } else { " ORDER BY stream, number" });
    query.push(" LIMIT ").push_bind(asked.limit);
    query
}

/// One that is pinned remembers that something was seen in it.
fn read_class(word: &str) -> Option<SegmentClass> {
    if word == "pinned_event" { Some(SegmentClass::Pinned) } else { SegmentClass::read(word) }
}

pub(super) fn stream(id: &str) -> Result<StreamId, Failure> {
    id.parse().map_err(|error| Failure::Damaged(format!("a recording is of '{id}': {error}")))
}

fn segment(row: &SqliteRow) -> Result<SegmentRecord, Failure> {
    let (id, class): (&str, &str) = (row.try_get("stream")?, row.try_get("class")?);
    let number = row.try_get::<i64, _>("number")? as u64;
    let damaged = |what: String| Failure::Damaged(format!("segment {number} of {id}: {what}"));
    Ok(SegmentRecord {
        stream: stream(id)?,
        number,
        run: row.try_get("run")?,
        time_base: TimeBase::new(row.try_get("base_num")?, row.try_get("base_den")?)
            .map_err(|error| damaged(error.to_string()))?,
        first_pts: row.try_get("first_pts")?,
        end_pts: row.try_get("end_pts")?,
        keyframe: row.try_get("keyframe")?,
        began_ms: row.try_get("began_ms")?,
        ended_ms: row.try_get("ended_ms")?,
        init: row.try_get("init")?,
        init_bytes: row.try_get("init_bytes")?,
        bytes: row.try_get::<i64, _>("bytes")? as u64,
        location: row.try_get("location")?,
        class: read_class(class).ok_or_else(|| damaged(format!("it is classed '{class}'")))?,
    })
}
