//! The chain of the audit trail: the hash of an entry is over the entry and the hash before.

use rusqlite::Connection;
use serde::Serialize;

use crate::database::Control;
use crate::error::{ControlError, loaded};

/// What stands in the place of the hash before the first entry.
pub(crate) const START: [u8; 32] = [0; 32];
const CONTEXT: &str = "bergfried 2026-11 entry of the audit trail";

/// What is said of the whole trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditCheck {
    /// How many entries there are.
    pub entries: u64,
    /// The first entry that is not as it was written, or is missing; none: all are.
    pub broken: Option<u64>,
}

/// The hash of an entry with these numbers and texts, after one with the hash `before`.
pub(crate) fn next_hash(before: &[u8; 32], id: i64, at: i64, texts: [Option<&str>; 5]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
    hasher.update(before).update(&id.to_le_bytes()).update(&at.to_le_bytes());
    for text in texts {
        // A length before each, so that no two entries read the same.
        let length = text.map_or(u64::MAX, |text| text.len() as u64);
        hasher.update(&length.to_le_bytes()).update(text.unwrap_or_default().as_bytes());
    }
    *hasher.finalize().as_bytes()
}

impl Control {
    /// Looks whether every entry of the audit trail is there as it was written.
    ///
    /// Somebody who can write the database can also write a whole new chain: the trail is proof
    /// against them where the hash of its newest entry is also kept elsewhere.
    pub fn verify_audit(&self) -> Result<AuditCheck, ControlError> {
        verify(&self.long_reader())
    }
}

pub(super) fn verify(connection: &Connection) -> Result<AuditCheck, ControlError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, at, who, action, target, before, after, hash FROM audit ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let (mut hash, mut last, mut entries, mut broken) = (START, 0_i64, 0_u64, None);
    while let Some(row) = rows.next()? {
        let (id, at): (i64, i64) = (row.get(0)?, row.get(1)?);
        let mut texts = [const { None }; 5];
        for (column, text) in (2_usize..).zip(&mut texts) {
            *text = row.get_ref(column)?.as_str_or_null().unwrap_or(Some("\u{fffd}"));
        }
        entries = entries.saturating_add(1);
        let expected = next_hash(&hash, id, at, texts);
        let kept: Option<[u8; 32]> = row.get(7).ok();
        let follows = id == last.saturating_add(1);
        if broken.is_none() && !(follows && kept == Some(expected)) {
            broken = Some(loaded(if follows { id } else { last.saturating_add(1) }));
        }
        (hash, last) = (kept.unwrap_or(START), id);
    }
    // SQLite keeps the highest number that it gave: entries cut off at the end are missed by it.
    let given: i64 = connection.query_row(
        "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'audit'",
        [],
        |row| row.get(0),
    )?;
    if broken.is_none() && given != last {
        broken = Some(loaded(last.saturating_add(1)));
    }
    Ok(AuditCheck { entries, broken })
}
