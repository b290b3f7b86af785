//! The audit trail of before it was chained: every entry gets the hash that ties it to the one before.

use rusqlite::{Transaction, params};

use crate::audit::chain::{START, next_hash};
use crate::error::ControlError;

/// The step before which it is chained.
pub(super) const STEP: i64 = 11;

/// Makes the table with hashes and takes every entry over; the old one is left to the step to drop.
pub(super) fn convert(transaction: &Transaction<'_>) -> Result<(), ControlError> {
    transaction.execute_batch(
        "ALTER TABLE audit RENAME TO unchained_audit;
         CREATE TABLE audit (
             id     INTEGER PRIMARY KEY AUTOINCREMENT,
             at     INTEGER NOT NULL,
             who    TEXT    NOT NULL,
             action TEXT    NOT NULL,
             target TEXT    NOT NULL,
             before TEXT,
             after  TEXT,
             hash   BLOB    NOT NULL
         ) STRICT;",
    )?;
    let mut old = transaction
        .prepare("SELECT id, at, who, action, detail FROM unchained_audit ORDER BY id")?;
    let mut new = transaction.prepare(
        "INSERT INTO audit (id, at, who, action, target, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let mut rows = old.query([])?;
    let mut hash = START;
    while let Some(row) = rows.next()? {
        let (id, at): (i64, i64) = (row.get(0)?, row.get(1)?);
        let texts: [String; 3] = [row.get(2)?, row.get(3)?, row.get(4)?];
        let [who, action, target] = texts.each_ref().map(String::as_str);
        hash = next_hash(&hash, id, at, [Some(who), Some(action), Some(target), None, None]);
        new.execute(params![id, at, who, action, target, hash])?;
    }
    Ok(())
}
