-- A store of schema 1, with one run of which two slots of three were analysed when its process died.
PRAGMA application_id = 1331914092;
PRAGMA journal_mode = WAL;
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
INSERT INTO sources VALUES (1, 'file', 'a', '/videos/a.mp4', 1000, 1);
INSERT INTO runs VALUES (1, 1, 0, 1, 1000, 100, 10, 'open', NULL);
INSERT INTO analyzers VALUES (1, '0123456789abcdef', 'm', '{"model":"m"}', 5);
INSERT INTO series VALUES (1, 1, 1);
INSERT INTO ledgers (id, series, plan) VALUES (1, 1, '1');
INSERT INTO spans VALUES (1, 0, 0, 0, 2, 3, NULL, '', NULL), (1, 0, 1, 0, 1, 2, 'analysed', '', NULL);
INSERT INTO results VALUES (1, 100, 1, 640, 360, 1234), (1, 1100, 1, 640, 360, 1234);
INSERT INTO labels VALUES (1, 'cat'), (2, 'dog');
INSERT INTO detections VALUES
    (1, 100, 0, 1, 0.5, 0.1, 0.2, 0.3, 0.4), (1, 100, 1, 2, 0.5, 0.1, 0.2, 0.3, 0.4), (1, 1100, 0, 1, 0.5, 0, 0, 1, 1);
INSERT INTO derivations VALUES (1, 1, 'fedcba9876543210', 1100);
INSERT INTO tracks VALUES (1, 1, 1, 100, 1100, 2, 0.5);
INSERT INTO track_detections VALUES (1, 100, 0, 1), (1, 1100, 0, 1);
PRAGMA user_version = 1;
