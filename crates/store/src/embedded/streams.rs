//! Streams and the wall time of their runs.

use sqlx::{Row as _, SqliteConnection, query, query_as, query_scalar, sqlite::SqliteRow};

use super::failure::Failure;
use crate::{
    AnchorOrigin, EndState, RunId, SourceKind, StreamEnd, StreamRecord, WallAnchor, words::Word as _,
};

pub(super) async fn put(db: &mut SqliteConnection, stream: &StreamRecord) -> Result<(), Failure> {
    let ended = stream.ended.as_ref();
    query(
        "REPLACE INTO streams (id, spec, wanted, end_state, end_error, decode, decode_cleared, frames, restarts,
             created_ms, changed_ms, started_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(stream.id.as_str())
    .bind(&stream.spec)
    .bind(stream.wanted)
    .bind(ended.map(|end| end.state.word()))
    .bind(ended.and_then(|end| end.error.as_deref()))
    .bind(stream.decode as i64)
    .bind(stream.decode_cleared as i64)
    .bind(stream.frames as i64)
    .bind(stream.restarts as i64)
    .bind(stream.created_ms)
    .bind(stream.changed_ms)
    .bind(stream.started_ms)
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn remove(db: &mut SqliteConnection, id: &str) -> Result<bool, Failure> {
    let removed = query("DELETE FROM streams WHERE id = ?").bind(id).execute(db).await?;
    Ok(removed.rows_affected() > 0)
}

pub(super) async fn all(db: &mut SqliteConnection) -> Result<Vec<StreamRecord>, Failure> {
    let rows = query("SELECT * FROM streams ORDER BY id").fetch_all(db).await?;
    rows.iter().map(stream).collect()
}

fn stream(row: &SqliteRow) -> Result<StreamRecord, Failure> {
    let id: String = row.try_get("id")?;
    let count = |column| row.try_get::<i64, _>(column).map(|count| count as u64);
    let ended = match row.try_get::<Option<String>, _>("end_state")? {
        None => None,
        Some(word) => {
            let unknown = || Failure::Damaged(format!("stream {id} ended '{word}'"));
            let state = EndState::read(&word).ok_or_else(unknown)?;
            Some(StreamEnd { state, error: row.try_get("end_error")? })
        }
    };
    Ok(StreamRecord {
        id: id.parse().map_err(|error| Failure::Damaged(format!("a stream is '{id}': {error}")))?,
        spec: row.try_get("spec")?,
        wanted: row.try_get("wanted")?,
        ended,
        decode: count("decode")?,
        decode_cleared: count("decode_cleared")?,
        frames: count("frames")?,
        restarts: count("restarts")?,
        created_ms: row.try_get("created_ms")?,
        changed_ms: row.try_get("changed_ms")?,
        started_ms: row.try_get("started_ms")?,
    })
}

pub(super) async fn next_ordinal(db: &mut SqliteConnection, key: &str) -> Result<u32, Failure> {
    let next: Option<i64> = query_scalar(
        "SELECT max(spent_ordinals, coalesce((SELECT max(ordinal) + 1 FROM runs WHERE source = sources.id), 0))
         FROM sources WHERE kind = ? AND key = ?",
    )
    .bind(SourceKind::Stream.word())
    .bind(key)
    .fetch_optional(db)
    .await?;
    u32::try_from(next.unwrap_or(0))
        .map_err(|_beyond| Failure::invalid(format!("the ordinals of stream {key} are used up")))
}

pub(super) async fn anchor(
    db: &mut SqliteConnection,
    run: RunId,
    anchors: &[WallAnchor],
) -> Result<(), Failure> {
    let known: i64 =
        query_scalar("SELECT count(*) FROM runs WHERE id = ?").bind(run.0).fetch_one(&mut *db).await?;
    if known == 0 {
        return Err(Failure::invalid(format!("there is no run {run}")));
    }
    for anchor in anchors {
        query("INSERT INTO anchors (run, pts, origin, unix_ns) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
            .bind(run.0)
            .bind(anchor.pts)
            .bind(anchor.origin.word())
            .bind(anchor.unix_ns)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

pub(super) async fn anchors(db: &mut SqliteConnection, run: RunId) -> Result<Vec<WallAnchor>, Failure> {
    let rows: Vec<(i64, i64, String)> =
        query_as("SELECT pts, unix_ns, origin FROM anchors WHERE run = ? ORDER BY pts, unix_ns")
            .bind(run.0)
            .fetch_all(db)
            .await?;
    let anchor = |(pts, unix_ns, origin): (i64, i64, String)| {
        let unknown = || Failure::Damaged(format!("an anchor of run {run} is from '{origin}'"));
        Ok(WallAnchor { pts, unix_ns, origin: AnchorOrigin::read(&origin).ok_or_else(unknown)? })
    };
    rows.into_iter().map(anchor).collect()
}
