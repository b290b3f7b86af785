//! The audit trail: who did what and when. Entries are never changed or deleted.

use bergfried_event::Timestamp;
use rusqlite::params;
use serde::Serialize;

use crate::clip;
use crate::database::Control;
use crate::error::{ControlError, loaded};

const MAX_NAME: usize = 256;
const MAX_DETAIL: usize = 4096;
const MAX_LISTED: usize = 10_000;

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
    pub detail: String,
}

impl Control {
    /// Appends to the audit trail; names are cut to 256 bytes, the detail to 4096.
    pub fn append_audit(
        &self,
        who: &str,
        action: &str,
        detail: &str,
        now: Timestamp,
    ) -> Result<(), ControlError> {
        let (who, action) = (clip(who, MAX_NAME), clip(action, MAX_NAME));
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO audit (at, who, action, detail) VALUES (?1, ?2, ?3, ?4)",
                params![now.micros(), who, action, clip(detail, MAX_DETAIL)],
            )?;
            Ok(())
        })
    }

    /// The latest entries, newest first; at most 10 000.
    pub fn audit(&self, limit: usize) -> Result<Vec<AuditEntry>, ControlError> {
        let limit = i64::try_from(limit.min(MAX_LISTED)).unwrap_or(0);
        let connection = self.long_reader();
        let mut statement = connection.prepare_cached(
            "SELECT id, at, who, action, detail FROM audit ORDER BY id DESC LIMIT ?1",
        )?;
        let rows = statement.query_map([limit], |row| {
            Ok(AuditEntry {
                id: loaded(row.get(0)?),
                at: Timestamp::from_micros(row.get(1)?),
                who: row.get(2)?,
                action: row.get(3)?,
                detail: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
