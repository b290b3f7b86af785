//! The audit trail: who did what and when, and what was before and after. Entries are never changed or
//! deleted, and each carries a hash over itself and the hash of the one before.

pub(crate) mod chain;
mod changed;

use bergfried_event::Timestamp;
use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use serde::Serialize;
use serde_json::Value;

pub use self::chain::AuditCheck;
pub use self::changed::AuditChange;
use crate::clip;
use crate::database::Control;
use crate::error::{ControlError, loaded, stored};

const MAX_NAME: usize = 256;
const MAX_TARGET: usize = 4096;
const MAX_LISTED: usize = 10_000;

/// Something that somebody did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAudit {
    /// Who did it, cut to 256 bytes.
    pub who: String,
    /// What was done, such as `token.rotate`, cut to 256 bytes.
    pub action: String,
    /// To what, for a person; never a secret; cut to 4096 bytes.
    pub target: String,
    /// What was before and after.
    pub change: AuditChange,
}

/// One entry of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// Its number, without gaps.
    pub id: u64,
    /// When it was done.
    pub at: Timestamp,
    /// Who did it.
    pub who: String,
    /// What was done, such as `token.rotate`.
    pub action: String,
    /// To what, for a person; never a secret.
    pub target: String,
    /// What of it was before the change; none where there was nothing.
    pub before: Option<Value>,
    /// What of it is after the change; none where nothing is left.
    pub after: Option<Value>,
    /// Over all this and the hash of the entry before, as hexadecimal digits.
    pub hash: String,
}

/// Which entries are wanted.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Only those with a smaller number.
    pub before: Option<u64>,
    /// Only what this one did.
    pub who: Option<String>,
    /// Only actions that begin so, such as `user.`.
    pub action: Option<String>,
    /// At most so many; never more than 10 000.
    pub limit: usize,
}

impl Control {
    /// Appends to the audit trail what has no state before and after; see [`NewAudit`].
    ///
    /// # Errors
    /// Where it cannot be made to last, as for [`Control::append_audits`].
    pub fn append_audit(
        &self,
        who: &str,
        action: &str,
        target: &str,
        now: Timestamp,
    ) -> Result<(), ControlError> {
        let change = AuditChange::default();
        let (who, action, target) = (who.to_owned(), action.to_owned(), target.to_owned());
        self.append_audits(&[NewAudit { who, action, target, change }], now)
    }

    /// Appends to the audit trail, all or nothing.
    ///
    /// # Errors
    /// Where it cannot be made to last.
    pub fn append_audits(&self, done: &[NewAudit], now: Timestamp) -> Result<(), ControlError> {
        self.write(|transaction| done.iter().try_for_each(|done| append(transaction, done, now)))
    }

    /// Entries, newest first.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, ControlError> {
        let limit = i64::try_from(query.limit.min(MAX_LISTED)).unwrap_or(0);
        let before = query.before.map(|before| stored(before, "a number")).transpose()?;
        let connection = self.long_reader();
        let mut statement = connection.prepare_cached(
            "SELECT id, at, who, action, target, before, after, hash FROM audit \
             WHERE id < coalesce(?1, 9223372036854775807) AND (?2 IS NULL OR who = ?2) \
             AND (?3 IS NULL OR substr(action, 1, length(?3)) = ?3) \
             ORDER BY id DESC LIMIT ?4",
        )?;
        let rows = statement.query_map(params![before, query.who, query.action, limit], entry)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Appends to the audit trail within a larger change.
pub(crate) fn append(
    transaction: &Transaction<'_>,
    done: &NewAudit,
    now: Timestamp,
) -> Result<(), ControlError> {
    let last: Option<(i64, [u8; 32])> = transaction
        .prepare_cached("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (last, hash) = last.unwrap_or((0, chain::START));
    let id = last.saturating_add(1);
    let (who, action) = (clip(&done.who, MAX_NAME), clip(&done.action, MAX_NAME));
    let target = clip(&done.target, MAX_TARGET);
    let AuditChange { before, after } = &done.change;
    let texts = [Some(who), Some(action), Some(target), before.as_deref(), after.as_deref()];
    let hash = chain::next_hash(&hash, id, now.micros(), texts);
    transaction
        .prepare_cached(
            "INSERT INTO audit (id, at, who, action, target, before, after, hash) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![id, now.micros(), who, action, target, before, after, hash])?;
    Ok(())
}

fn entry(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    // What was tampered with is shown as far as it can be: the check names it.
    let state = |column: usize| -> rusqlite::Result<Option<Value>> {
        let text: Option<String> = row.get(column)?;
        Ok(text.map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text))))
    };
    let hash: Vec<u8> = row.get(7)?;
    Ok(AuditEntry {
        id: loaded(row.get(0)?),
        at: Timestamp::from_micros(row.get(1)?),
        who: row.get(2)?,
        action: row.get(3)?,
        target: row.get(4)?,
        before: state(5)?,
        after: state(6)?,
        hash: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
    })
}

#[cfg(test)]
mod tests;
