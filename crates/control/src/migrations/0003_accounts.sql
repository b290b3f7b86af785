-- Who may use the alert API: users, groups, keys, permissions and customers. The body is the whole
-- record as JSON; secrets are in it as hashes only.
CREATE TABLE account (
    kind TEXT NOT NULL,
    id   TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

-- How often a key was used and when last; written lightly, apart from the key.
CREATE TABLE account_use (
    id        TEXT PRIMARY KEY,
    count     INTEGER NOT NULL,
    last_used INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
