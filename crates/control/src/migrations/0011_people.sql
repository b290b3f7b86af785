-- Who is signed in to the console. `hash` is that of the cookie's secret; `stamp` says what the user
-- was when they signed in: a session of somebody who has changed since is over.
CREATE TABLE session (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    hash      BLOB    NOT NULL UNIQUE,
    user      TEXT    NOT NULL,
    stamp     BLOB    NOT NULL,
    created   INTEGER NOT NULL,
    last_used INTEGER NOT NULL,
    address   TEXT    NOT NULL,
    browser   TEXT    NOT NULL
) STRICT;

-- The audit trail was chained before this ran, see `audit_chain.rs`; its triggers went with the table
-- that they were on.
DROP TABLE unchained_audit;
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
