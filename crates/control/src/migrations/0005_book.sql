-- The book of alerts: the hub holds it in memory, these are its durable form. A body is the whole
-- thing as JSON; a number is given once and never again.
CREATE TABLE book_alert (
    number INTEGER PRIMARY KEY,
    body   TEXT NOT NULL
) STRICT;

-- `told` is what people were last told of the sender: ok, slow or expired; `told_at` when.
CREATE TABLE book_heartbeat (
    number  INTEGER PRIMARY KEY,
    body    TEXT    NOT NULL,
    told    TEXT    NOT NULL,
    told_at INTEGER NOT NULL
) STRICT;

CREATE TABLE book_blackout (
    number INTEGER PRIMARY KEY,
    body   TEXT NOT NULL
) STRICT;

-- One row: the highest revision and number that were ever given.
CREATE TABLE book (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    revision INTEGER NOT NULL,
    number   INTEGER NOT NULL
) STRICT;
INSERT INTO book (one, revision, number) VALUES (1, 0, 0);
