-- Times are microseconds since 1970-01-01 UTC. A migration that has shipped is never edited.

CREATE TABLE setting (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What was dropped at a cap, by name.
CREATE TABLE counter (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row: the last sequence of the event store whose findings are in the alerts.
CREATE TABLE applied (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    sequence INTEGER NOT NULL
) STRICT;
INSERT INTO applied (one, sequence) VALUES (1, 0);

CREATE TABLE token (
    id        INTEGER PRIMARY KEY,
    kind      TEXT    NOT NULL,
    name      TEXT    NOT NULL,
    hash      BLOB    NOT NULL,
    created   INTEGER NOT NULL,
    last_used INTEGER,
    revoked   INTEGER,
    UNIQUE (kind, hash)
) STRICT;
CREATE INDEX token_live ON token (kind) WHERE revoked IS NULL;

-- The columns repeat what queries need of the body, which is the whole alert as JSON.
CREATE TABLE alert (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    environment TEXT    NOT NULL,
    resource    TEXT    NOT NULL,
    event       TEXT    NOT NULL,
    severity    INTEGER NOT NULL,
    open        INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL,
    body        TEXT    NOT NULL,
    UNIQUE (environment, resource, event)
) STRICT;
CREATE INDEX alert_latest ON alert (last_seen, id);
CREATE INDEX alert_open_latest ON alert (open, last_seen, id);

-- No foreign key to alert: a notification outlives an alert that was dropped at the cap.
CREATE TABLE outbox (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    channel      TEXT    NOT NULL,
    outcome      TEXT    NOT NULL,
    alert        TEXT    NOT NULL,
    created      INTEGER NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    next_attempt INTEGER NOT NULL,
    dead         INTEGER NOT NULL DEFAULT 0,
    error        TEXT
) STRICT;
CREATE INDEX outbox_due ON outbox (channel, dead, next_attempt, id);

CREATE TABLE agent (
    name       TEXT PRIMARY KEY,
    host       TEXT    NOT NULL,
    version    TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    batches    INTEGER NOT NULL,
    records    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX agent_latest ON agent (last_seen);

CREATE TABLE audit (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    who    TEXT    NOT NULL,
    action TEXT    NOT NULL,
    detail TEXT    NOT NULL
) STRICT;
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
