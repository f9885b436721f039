//! Does everything fit together? Reads it all.

use sqlx::{AssertSqlSafe, Row as _, SqliteConnection, query_as, query_scalar, raw_sql};

use super::{failure::Failure, read};
use crate::{Account, LedgerId, RunFilter, RunState};

/// Most lines from one question: a damaged store would fill a screen with each.
const LINES: usize = 20;

/// Ledgers, with where that begins which is kept: what is before may be half gone.
const KEPT: &str =
    "WITH kept AS (SELECT id, series, coalesce(kept_window, -9223372036854775808) AS from_window,
    coalesce(kept_pts, -9223372036854775808) AS from_pts FROM ledgers)";

/// Questions that a sound store answers with nothing: each gives lines for people.
const RULES: &[&str] = &[
    // Spans: one kind of line never overlaps itself.
    "SELECT 'ledger ' || ledger || ': ' || iif(settled, 'verdicts', 'due slots') || ' ' || first || ' to ' || last
            || ' overlap the line before' FROM (
         SELECT *, max(last) OVER (PARTITION BY ledger, settled ORDER BY time_window, first
                                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reached FROM spans)
     WHERE reached >= first",
    "SELECT 'ledger ' || ledger || ': the line at ' || first || ' says nothing possible' FROM spans
     WHERE last < first OR count < 1 OR settled <> (verdict IS NOT NULL) OR count <> last - first + 1
        OR coalesce(verdict, 'due') NOT IN ('due', 'analysed', 'gated', 'dropped', 'failed', 'empty', 'lost')",
    // Analysed slots have results, and results have analysed slots.
    "SELECT 'ledger ' || id || ': ' || analysed || ' slots are analysed, ' || results || ' results are counted' FROM (
         SELECT id,
                coalesce((SELECT sum(count) FROM spans WHERE ledger = kept.id AND verdict = 'analysed'
                          AND time_window >= from_window), 0) AS analysed,
                coalesce(own, 0) + (SELECT count(*) FROM shared WHERE ledger = kept.id AND pts >= from_pts) AS results
         FROM kept LEFT JOIN (SELECT ledger, count(*) AS own FROM results JOIN kept ON kept.id = ledger
                              WHERE pts >= from_pts GROUP BY ledger) ON ledger = id)
     WHERE analysed <> results",
    "SELECT 'the result of series ' || results.series || ' at ' || pts || ' was brought by a ledger of another series'
     FROM results JOIN ledgers ON ledgers.id = results.ledger WHERE ledgers.series <> results.series",
    "SELECT 'ledger ' || shared.ledger || ' counts a result at ' || shared.pts || ' that is not there or is its own'
     FROM shared JOIN ledgers ON ledgers.id = shared.ledger
     LEFT JOIN results ON results.series = ledgers.series AND results.pts = shared.pts
     WHERE results.ledger IS NULL OR results.ledger = shared.ledger",
    // Detections.
    "SELECT 'the detections of series ' || series || ' at ' || pts || ' have no result' FROM detections
     WHERE ordinal = 0 AND NOT EXISTS (SELECT 1 FROM results
         WHERE results.series = detections.series AND results.pts = detections.pts)",
    "SELECT 'the detections of series ' || series || ' at ' || pts || ' are not counted from 0' FROM detections
     GROUP BY series, pts HAVING min(ordinal) <> 0 OR max(ordinal) <> count(*) - 1",
    "SELECT 'a detection of series ' || series || ' at ' || pts || ' has no class' FROM detections
     WHERE NOT EXISTS (SELECT 1 FROM labels WHERE id = label)",
    // Tracks.
    "SELECT 'derivation ' || id || ' is tracked to ' || tracked_through || ', where there is no result' FROM (
         SELECT derivations.*, series, from_pts FROM derivations JOIN kept ON kept.id = ledger) AS derived
     WHERE tracked_through >= from_pts AND NOT EXISTS (SELECT 1 FROM results
         WHERE results.series = derived.series AND pts = tracked_through)",
    "SELECT 'derivation ' || derivation || ': a track at ' || pts || ' lies beyond what is tracked' FROM track_detections
     LEFT JOIN derivations ON derivations.id = derivation
     WHERE tracked_through IS NULL OR pts > tracked_through",
    "SELECT 'derivation ' || derivation || ': track ' || track || ' follows a detection at ' || found.pts
            || ' that is not there'
     FROM track_detections AS found JOIN derivations ON derivations.id = derivation
     JOIN ledgers ON ledgers.id = derivations.ledger
     WHERE NOT EXISTS (SELECT 1 FROM detections
         WHERE detections.series = ledgers.series AND detections.pts = found.pts
           AND detections.ordinal = found.ordinal)",
    "SELECT 'derivation ' || coalesce(t.derivation, f.derivation) || ': track ' || coalesce(t.track, f.track)
            || ' and its detections differ'
     FROM (SELECT tracks.*, from_pts FROM tracks JOIN derivations ON derivations.id = derivation
           JOIN kept ON kept.id = ledger WHERE last_pts >= from_pts) AS t
     FULL JOIN (
         SELECT found.derivation, found.track, min(found.pts) AS first, max(found.pts) AS last,
                count(*) AS number, max(confidence) AS best
         FROM track_detections AS found JOIN derivations ON derivations.id = found.derivation
         JOIN kept ON kept.id = derivations.ledger
         JOIN detections ON detections.series = kept.series AND detections.pts = found.pts
              AND detections.ordinal = found.ordinal
         WHERE found.pts >= from_pts
         GROUP BY found.derivation, found.track) AS f ON f.derivation = t.derivation AND f.track = t.track
     WHERE t.track IS NULL OR f.track IS NULL OR t.last_pts <> f.last
        OR iif(t.first_pts >= from_pts,
               t.first_pts <> f.first OR t.detections <> f.number OR t.best <> f.best,
               t.detections <= f.number OR t.best < f.best)",
    // Recordings. Whether their media is there, the archive's own check tells.
    "SELECT 'the recording of ' || stream || ' counts ' || segments || ' segments of ' || bytes || ' bytes, it has '
            || coalesce(number, 0) || ' of ' || coalesce(size, 0)
     FROM recordings LEFT JOIN (SELECT recording, count(*) AS number, sum(bytes) AS size FROM segments
                                GROUP BY recording) ON recording = id
     WHERE segments <> coalesce(number, 0) OR bytes <> coalesce(size, 0)",
    "SELECT 'segment ' || number || ' of ' || stream || ' says nothing possible'
     FROM segments JOIN recordings ON recordings.id = recording
     WHERE number >= spent_numbers OR end_pts < first_pts OR end_pts - first_pts > longest_ticks
        OR ended_ms < began_ms OR ended_ms - began_ms > longest_ms OR init_bytes > segments.bytes
        OR base_num < 1 OR base_den < 1 OR class NOT IN ('other', 'event', 'pinned', 'pinned_event')",
    "SELECT 'segment ' || number || ' of ' || stream || ' belongs to run ' || run || ', one before it to ' || before
     FROM (SELECT *, max(run) OVER (PARTITION BY recording ORDER BY number
                                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM segments)
     JOIN recordings ON recordings.id = recording
     WHERE before > run",
];

pub(super) async fn check(db: &mut SqliteConnection) -> Result<Vec<String>, Failure> {
    let mut found = structure(db).await?;
    if !found.is_empty() {
        // What is built on broken pages says nothing.
        return Ok(found);
    }
    for rule in RULES {
        let rule = AssertSqlSafe(format!("{KEPT} {rule}"));
        let mut lines: Vec<String> = query_scalar(rule).persistent(false).fetch_all(&mut *db).await?;
        shorten(&mut lines);
        found.append(&mut lines);
    }
    found.extend(balances(db).await?);
    Ok(found)
}

/// What the engine itself can tell.
async fn structure(db: &mut SqliteConnection) -> Result<Vec<String>, Failure> {
    let said: Vec<String> =
        query_scalar("PRAGMA integrity_check(20)").persistent(false).fetch_all(&mut *db).await?;
    let mut found: Vec<String> = said.into_iter().filter(|line| line != "ok").collect();
    let mut orphans = Vec::new();
    for row in raw_sql("PRAGMA foreign_key_check").fetch_all(db).await? {
        let (table, parent): (String, String) = (row.try_get(0)?, row.try_get(2)?);
        orphans.push(format!("a row of {table} names one of {parent} that is not there"));
    }
    shorten(&mut orphans);
    found.append(&mut orphans);
    Ok(found)
}

fn shorten(lines: &mut Vec<String>) {
    let more = lines.len().saturating_sub(LINES);
    if more > 0 {
        lines.truncate(LINES);
        lines.push(format!("… and {more} more like these"));
    }
}

/// Due and verdicts, window by window. Whose process runs or died may be short by what was in hand.
async fn balances(db: &mut SqliteConnection) -> Result<Vec<String>, Failure> {
    let runs = read::runs(db, &RunFilter::default()).await?;
    let ledgers: Vec<(i64, i64, bool)> = query_as(
        "SELECT ledgers.id, run, unclean FROM ledgers JOIN series ON series.id = ledgers.series ORDER BY ledgers.id",
    )
    .fetch_all(&mut *db)
    .await?;
    let mut found = Vec::new();
    for (ledger, run, unclean) in ledgers {
        let ended = runs
            .iter()
            .any(|known| known.id.0 == run && matches!(known.state, RunState::Whole | RunState::Partial));
        let account = read::ledger_rows(db, LedgerId(ledger)).await?.iter().collect::<Account>();
        let mut lines: Vec<String> = account
            .unbalanced()
            .filter(|(_, window)| (ended && !unclean) || window.tally.due() > window.due)
            .map(|(number, window)| {
                let (due, settled) = (window.due, window.tally.due());
                format!("ledger {ledger}, window {number}: {due} were due, {settled} have a verdict")
            })
            .collect();
        shorten(&mut lines);
        found.append(&mut lines);
    }
    Ok(found)
}
