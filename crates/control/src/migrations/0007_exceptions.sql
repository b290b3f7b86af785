-- Findings of which no alert is to be made: the durable form of what the hub holds in memory, as for
-- the book of alerts.
CREATE TABLE book_exception (
    number INTEGER PRIMARY KEY,
    body   TEXT NOT NULL
) STRICT;
