-- The hosts that are heard of. `os_rank` says how sure their system is, `health_*` what the newest
-- status said of them, and `health_event` which event that was.
CREATE TABLE host (
    name          TEXT PRIMARY KEY,
    os_type       TEXT    NOT NULL,
    os_rank       INTEGER NOT NULL,
    heard         TEXT    NOT NULL,
    address       TEXT    NOT NULL,
    first_seen    INTEGER NOT NULL,
    last_seen     INTEGER NOT NULL,
    steady_since  INTEGER NOT NULL,
    events        INTEGER NOT NULL,
    watched       INTEGER NOT NULL,
    health_event  INTEGER,
    health_time   INTEGER,
    cpu           REAL,
    memory        REAL,
    disk          REAL,
    disk_mount    TEXT
) STRICT, WITHOUT ROWID;
