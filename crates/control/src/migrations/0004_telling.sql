-- Messages that wait, one row for each channel and change, until they are delivered. Rows of one
-- channel and bundle that are due become one message.
CREATE TABLE letter (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    channel  TEXT    NOT NULL,
    route    TEXT    NOT NULL,
    bundle   TEXT,
    title    TEXT    NOT NULL,
    held     INTEGER NOT NULL,
    alert    TEXT,
    -- Only for a channel that shows the alert already.
    refresh  INTEGER NOT NULL,
    body     TEXT    NOT NULL,
    created  INTEGER NOT NULL,
    due      INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    dead     INTEGER NOT NULL DEFAULT 0,
    error    TEXT
) STRICT;
CREATE INDEX letter_due ON letter (channel, dead, due, id);
CREATE INDEX letter_bundle ON letter (channel, bundle, due) WHERE dead = 0;
CREATE INDEX letter_refresh ON letter (channel, alert) WHERE refresh = 1;

-- When the messages of the last hour were sent.
CREATE TABLE letter_sent (
    channel TEXT    NOT NULL,
    route   TEXT    NOT NULL,
    at      INTEGER NOT NULL
) STRICT;
CREATE INDEX letter_sent_latest ON letter_sent (channel, route, at);

-- What a channel wants to be reminded of when it is told of the alert again. A row that is written
-- again gets a new number, so the lowest numbers are the oldest.
CREATE TABLE shown (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT    NOT NULL,
    alert   TEXT    NOT NULL,
    memory  TEXT    NOT NULL,
    -- Whether what it shows can be changed.
    live    INTEGER NOT NULL,
    UNIQUE (channel, alert)
) STRICT;
CREATE INDEX shown_alert ON shown (alert);

-- Escalations and reminders to come.
CREATE TABLE timer (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    alert  TEXT    NOT NULL,
    route  TEXT    NOT NULL,
    kind   TEXT    NOT NULL,
    since  INTEGER NOT NULL,
    due    INTEGER NOT NULL,
    UNIQUE (alert, route, kind)
) STRICT;
CREATE INDEX timer_due ON timer (due, number);

-- The last day that each route told of.
CREATE TABLE reported (
    route TEXT PRIMARY KEY,
    day   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
