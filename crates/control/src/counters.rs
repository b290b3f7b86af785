//! Counts what was dropped at a cap, so that nothing disappears unseen.

use std::collections::BTreeMap;

use rusqlite::{Transaction, params};

use crate::database::Control;
use crate::error::{ControlError, loaded, stored};

/// Alerts dropped because there were too many.
pub(crate) const ALERTS_DROPPED: &str = "alerts.dropped";
/// Agents forgotten because there were too many.
pub(crate) const AGENTS_DROPPED: &str = "agents.dropped";
/// Hosts forgotten because there were too many.
pub(crate) const HOSTS_DROPPED: &str = "hosts.dropped";
/// Notifications that became dead letters because their channel's queue was full.
pub(crate) const OUTBOX_OVERFLOWED: &str = "outbox.overflowed";
/// Dead letters deleted because there were too many.
pub(crate) const DEAD_LETTERS_DROPPED: &str = "outbox.dead_letters_dropped";

/// Escalations and reminders dropped because there were too many.
pub(crate) const TIMERS_DROPPED: &str = "telling.timers_dropped";

impl Control {
    /// What was dropped at a cap since the database was made, by name; absent where nothing was.
    pub fn counters(&self) -> Result<BTreeMap<String, u64>, ControlError> {
        let connection = self.reader();
        let mut statement = connection.prepare_cached("SELECT name, value FROM counter")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, loaded(row.get(1)?))))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Adds to a counter.
pub(crate) fn count(
    transaction: &Transaction<'_>,
    name: &str,
    more: usize,
) -> Result<(), ControlError> {
    if more == 0 {
        return Ok(());
    }
    let more = stored(u64::try_from(more).unwrap_or(u64::MAX), "a counter")?;
    transaction
        .prepare_cached(
            "INSERT INTO counter (name, value) VALUES (?1, ?2) \
             ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
        )?
        .execute(params![name, more])?;
    Ok(())
}
