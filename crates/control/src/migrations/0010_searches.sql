-- Searches that people keep by a name.
CREATE TABLE search (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    owner    TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    query    TEXT    NOT NULL,
    last     TEXT    NOT NULL,
    shared   INTEGER NOT NULL,
    changed  INTEGER NOT NULL,
    UNIQUE (owner, name)
) STRICT;
