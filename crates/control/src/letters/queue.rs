//! Queues letters, as part of the transaction of what they tell of.

use bergfried_event::Timestamp;
use rusqlite::{Transaction, params};

use super::dead::drop_old_dead_letters;
use crate::counters::{OUTBOX_OVERFLOWED, count};
use crate::error::ControlError;
use crate::telling::Letter;

/// The most letters that wait on one channel; past that the oldest become dead.
pub const MAX_QUEUED: usize = 10_000;

/// Queues a letter; where others of its bundle wait that were not tried yet, it goes with them.
pub(crate) fn queue(
    transaction: &Transaction<'_>,
    letter: &Letter,
    now: Timestamp,
) -> Result<(), ControlError> {
    let mut due = letter.due.micros();
    if let Some(bundle) = &letter.bundle {
        let waiting: Option<i64> = transaction
            .prepare_cached(
                "SELECT min(due) FROM letter WHERE channel = ?1 AND bundle = ?2 AND dead = 0 \
                 AND attempts = 0",
            )?
            .query_row(params![letter.channel, bundle.key], |row| row.get(0))?;
        due = waiting.map_or(due, |waiting| waiting.min(due));
    }
    let bundle = letter.bundle.as_ref();
    transaction
        .prepare_cached(
            "INSERT INTO letter (channel, route, bundle, title, held, alert, refresh, body, \
             created, due) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9)",
        )?
        .execute(params![
            letter.channel,
            letter.route,
            bundle.map(|bundle| &bundle.key),
            bundle.map_or("", |bundle| &bundle.title),
            bundle.is_some_and(|bundle| bundle.held),
            letter.alert,
            letter.body,
            now.micros(),
            due
        ])?;
    Ok(())
}

/// Queues the state of an alert for each channel that shows it and can change what it shows. One that
/// waits already is overtaken, so that a channel has at most one of each alert.
pub(crate) fn refresh(
    transaction: &Transaction<'_>,
    alert: &str,
    body: &str,
    but: &[String],
    now: Timestamp,
) -> Result<Vec<String>, ControlError> {
    let channels: Vec<String> = transaction
        .prepare_cached("SELECT channel FROM shown WHERE alert = ?1 AND live = 1")?
        .query_map([alert], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut added = Vec::new();
    for channel in channels.into_iter().filter(|channel| !but.contains(channel)) {
        // Not changed in place: the one that waits may be under way.
        let overtaken = transaction
            .prepare_cached(
                "DELETE FROM letter WHERE channel = ?1 AND alert = ?2 AND refresh = 1 AND dead = 0",
            )?
            .execute(params![channel, alert])?;
        transaction
            .prepare_cached(
                "INSERT INTO letter (channel, route, title, held, alert, refresh, body, created, \
                 due) VALUES (?1, '', '', 0, ?2, 1, ?3, ?4, ?4)",
            )?
            .execute(params![channel, alert, body, now.micros()])?;
        if overtaken == 0 {
            added.push(channel);
        }
    }
    Ok(added)
}

/// Makes the oldest letters of a channel with more than [`MAX_QUEUED`] dead.
pub(crate) fn enforce_caps(
    transaction: &Transaction<'_>,
    channels: &[String],
) -> Result<(), ControlError> {
    for channel in channels {
        let overflowed = transaction
            .prepare_cached(
                "UPDATE letter SET dead = 1, error = 'the queue was full' WHERE id IN \
                 (SELECT id FROM letter WHERE channel = ?1 AND dead = 0 \
                  ORDER BY id DESC LIMIT -1 OFFSET ?2)",
            )?
            .execute(params![channel, i64::try_from(MAX_QUEUED).unwrap_or(i64::MAX)])?;
        if overflowed > 0 {
            count(transaction, OUTBOX_OVERFLOWED, overflowed)?;
            drop_old_dead_letters(transaction, channel)?;
        }
    }
    Ok(())
}
