-- How many alerts were raised in a span of time, by the rule; an empty name: by no rule of this hub.
-- Alerts go soon after they are over, and what was raised is asked for two days.
CREATE TABLE raised (
    at INTEGER NOT NULL,
    rule TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (at, rule)
) STRICT, WITHOUT ROWID;
