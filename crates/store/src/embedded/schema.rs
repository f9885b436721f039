//! The tables, and how older ones become today's.
//!
//! A migration is one transaction and never changes once released: what a later release needs is a new one at the end.
//! Media times are integers in the run's time base, booleans do not occur, enumerations are the words of the glossary.

use sqlx::{AssertSqlSafe, SqliteConnection, query_scalar, raw_sql};

/// "Ocel": `file` and others tell our databases from those of other programs by it.
pub(super) const APPLICATION_ID: i64 = 0x4f63_656c;

/// Schema `n` is what the first `n` of these make.
const MIGRATIONS: [&str; 4] = [FACTS, BLOBS_AND_CLASSES, STREAMS, RECORDINGS];

/// The newest schema that this release knows.
pub(super) const KNOWN: i64 = MIGRATIONS.len() as i64;

/// Detections and what hangs on them have no foreign keys: each would cost a look-up per row; `check` looks instead.
const FACTS: &str = "
CREATE TABLE sources (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,
    UNIQUE (kind, key)
) STRICT;
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES sources,
    ordinal INTEGER NOT NULL,
    base_num INTEGER NOT NULL,
    base_den INTEGER NOT NULL,
    t0 INTEGER NOT NULL,
    began_ms INTEGER NOT NULL,
    state TEXT NOT NULL,
    last_pts INTEGER,
    UNIQUE (source, ordinal)
) STRICT;
CREATE TABLE analyzers (
    id INTEGER PRIMARY KEY,
    version TEXT NOT NULL UNIQUE,
    model TEXT NOT NULL,
    ingredients TEXT NOT NULL,
    seen_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs,
    analyzer INTEGER NOT NULL REFERENCES analyzers,
    UNIQUE (run, analyzer)
) STRICT;
CREATE TABLE ledgers (
    id INTEGER PRIMARY KEY,
    series INTEGER NOT NULL REFERENCES series,
    plan TEXT NOT NULL,
    -- 1: the process that last wrote it died, and due slots may lack a verdict.
    unclean INTEGER NOT NULL DEFAULT 0,
    UNIQUE (series, plan)
) STRICT;
-- What was due (settled = 0) and what became of it (settled = 1, with a verdict). Rows of one kind never overlap.
CREATE TABLE spans (
    ledger INTEGER NOT NULL REFERENCES ledgers,
    time_window INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    count INTEGER NOT NULL,
    verdict TEXT,
    reason TEXT NOT NULL,
    pts INTEGER,
    PRIMARY KEY (ledger, time_window, settled, first)
) STRICT, WITHOUT ROWID;
-- `ledger` is the one that brought the result; others that count it too are in `shared`.
CREATE TABLE results (
    series INTEGER NOT NULL REFERENCES series,
    pts INTEGER NOT NULL,
    ledger INTEGER NOT NULL REFERENCES ledgers,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    took_us INTEGER NOT NULL,
    PRIMARY KEY (series, pts)
) STRICT, WITHOUT ROWID;
CREATE TABLE shared (
    ledger INTEGER NOT NULL REFERENCES ledgers,
    pts INTEGER NOT NULL,
    PRIMARY KEY (ledger, pts)
) STRICT, WITHOUT ROWID;
CREATE TABLE labels (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE detections (
    series INTEGER NOT NULL,
    pts INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    label INTEGER NOT NULL,
    confidence REAL NOT NULL,
    x REAL NOT NULL,
    y REAL NOT NULL,
    width REAL NOT NULL,
    height REAL NOT NULL,
    PRIMARY KEY (series, pts, ordinal)
) STRICT, WITHOUT ROWID;
CREATE TABLE derivations (
    id INTEGER PRIMARY KEY,
    ledger INTEGER NOT NULL REFERENCES ledgers,
    tracker TEXT NOT NULL,
    tracked_through INTEGER,
    UNIQUE (ledger, tracker)
) STRICT;
CREATE TABLE tracks (
    derivation INTEGER NOT NULL REFERENCES derivations,
    track INTEGER NOT NULL,
    label INTEGER NOT NULL REFERENCES labels,
    first_pts INTEGER NOT NULL,
    last_pts INTEGER NOT NULL,
    detections INTEGER NOT NULL,
    best REAL NOT NULL,
    PRIMARY KEY (derivation, track)
) STRICT, WITHOUT ROWID;
CREATE TABLE track_detections (
    derivation INTEGER NOT NULL,
    pts INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    track INTEGER NOT NULL,
    PRIMARY KEY (derivation, pts, ordinal)
) STRICT, WITHOUT ROWID;
";

const BLOBS_AND_CLASSES: &str = "
CREATE TABLE blobs (
    run INTEGER NOT NULL REFERENCES runs,
    kind TEXT NOT NULL,
    location TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,
    PRIMARY KEY (run, kind, location)
) STRICT, WITHOUT ROWID;
-- One class in a stretch of time, without reading the others.
CREATE INDEX detections_by_label ON detections (series, label, pts);
";

/// `spent_ordinals` and `spent_run` of sources lie above all that runs, also removed ones, ever had: identities are never
/// given twice. Ledgers keep windows from `kept_window` and results from `kept_pts` on; what is before was removed, or is
/// about to be.
const STREAMS: &str = "
CREATE TABLE streams (
    id TEXT NOT NULL PRIMARY KEY,
    spec TEXT NOT NULL,
    wanted INTEGER NOT NULL,
    end_state TEXT,
    end_error TEXT,
    decode INTEGER NOT NULL,
    decode_cleared INTEGER NOT NULL,
    frames INTEGER NOT NULL,
    restarts INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    started_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE anchors (
    run INTEGER NOT NULL REFERENCES runs,
    pts INTEGER NOT NULL,
    origin TEXT NOT NULL,
    unix_ns INTEGER NOT NULL,
    PRIMARY KEY (run, pts, origin, unix_ns)
) STRICT, WITHOUT ROWID;
ALTER TABLE sources ADD COLUMN spent_ordinals INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sources ADD COLUMN spent_run INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ledgers ADD COLUMN kept_window INTEGER;
ALTER TABLE ledgers ADD COLUMN kept_pts INTEGER;
";

/// A row of `recordings` stays when its segments are gone: numbers below `spent_numbers` are never given again. It counts what
/// it has, so that nobody reads all segments for it, and knows its longest segment, so that those of a stretch of time are
/// found by one range of an index.
const RECORDINGS: &str = "
CREATE TABLE recordings (
    id INTEGER PRIMARY KEY,
    stream TEXT NOT NULL UNIQUE,
    spent_numbers INTEGER NOT NULL DEFAULT 0,
    segments INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0,
    longest_ticks INTEGER NOT NULL DEFAULT 0,
    longest_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE segments (
    recording INTEGER NOT NULL REFERENCES recordings,
    number INTEGER NOT NULL,
    run INTEGER NOT NULL,
    base_num INTEGER NOT NULL,
    base_den INTEGER NOT NULL,
    first_pts INTEGER NOT NULL,
    end_pts INTEGER NOT NULL,
    keyframe INTEGER NOT NULL,
    began_ms INTEGER NOT NULL,
    ended_ms INTEGER NOT NULL,
    init TEXT NOT NULL,
    init_bytes INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    location TEXT NOT NULL,
    class TEXT NOT NULL,
    PRIMARY KEY (recording, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX segments_by_pts ON segments (recording, run, first_pts);
CREATE INDEX segments_by_wall ON segments (recording, ended_ms);
CREATE TABLE recording_gaps (
    recording INTEGER NOT NULL REFERENCES recordings,
    run INTEGER NOT NULL,
    first_pts INTEGER NOT NULL,
    end_pts INTEGER,
    began_ms INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (recording, run, first_pts)
) STRICT, WITHOUT ROWID;
";

/// What a database says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// [`APPLICATION_ID`] in ours.
    pub(super) application: i64,
    /// Schema version.
    pub(super) schema: i64,
    pub(super) page_bytes: u64,
}

/// Reads it; this is also the first look at the file, so that what is no database fails here.
pub(super) async fn stamp(db: &mut SqliteConnection) -> sqlx::Result<Stamp> {
    let application = query_scalar("PRAGMA application_id").fetch_one(&mut *db).await?;
    let schema = query_scalar("PRAGMA user_version").fetch_one(&mut *db).await?;
    // Reads the list of tables: in a truncated or foreign file it is not there.
    let _tables: i64 = query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut *db).await?;
    let page_bytes: i64 = query_scalar("PRAGMA page_size").fetch_one(db).await?;
    Ok(Stamp { application, schema, page_bytes: page_bytes as u64 })
}

/// Makes the tables of `KNOWN` out of those of schema `from`, each step in its own transaction.
pub(super) async fn migrate(db: &mut SqliteConnection, from: i64) -> sqlx::Result<()> {
    for (version, tables) in (1_i64..).zip(MIGRATIONS).filter(|(version, _)| *version > from) {
        let step = format!("BEGIN IMMEDIATE;{tables}PRAGMA user_version = {version};COMMIT;");
        if let Err(error) = raw_sql(AssertSqlSafe(step)).execute(&mut *db).await {
            // Where the engine has rolled back by itself, this says so, and nothing else is lost.
            raw_sql("ROLLBACK").execute(&mut *db).await.ok();
            return Err(error);
        }
    }
    Ok(())
}

/// What a process left open that no longer runs.
pub(super) async fn mark_unclean(db: &mut SqliteConnection) -> sqlx::Result<()> {
    let marked = "BEGIN IMMEDIATE;
        UPDATE ledgers SET unclean = 1 WHERE series IN
            (SELECT series.id FROM series JOIN runs ON runs.id = run WHERE state = 'open');
        UPDATE runs SET state = 'unclean' WHERE state = 'open';
        COMMIT;";
    raw_sql(marked).execute(db).await.map(|_| ())
}
