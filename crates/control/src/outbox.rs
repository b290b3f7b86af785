//! Notifications waiting to be sent: one row for each channel and change, until it is delivered.
//!
//! A notification is either due at some time or dead. Only a person brings a dead one back.

use bergfried_alert::{Alert, Outcome};
use bergfried_event::{Severity, Timestamp};
use rusqlite::{Row, Transaction, params};
use serde::Serialize;

use crate::alerts::ChannelFilter;
use crate::clip;
use crate::counters::{DEAD_LETTERS_DROPPED, OUTBOX_OVERFLOWED, count};
use crate::database::Control;
use crate::error::{ControlError, loaded, stored};

/// The most notifications that wait on one channel; past that the oldest become dead letters.
pub const MAX_QUEUED: usize = 10_000;
/// The most dead letters that are kept of one channel; the oldest go first.
pub const MAX_DEAD: usize = 10_000;
const MAX_LISTED: usize = 1000;
const MAX_ERROR: usize = 1024;

/// A notification to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxItem {
    /// Its number.
    pub id: u64,
    /// The channel to send it on.
    pub channel: String,
    /// The alert as it was when it changed.
    pub alert: Alert,
    /// What had changed.
    pub outcome: Outcome,
    /// When it was queued.
    pub created: Timestamp,
    /// How often it was tried in vain.
    pub attempts: u32,
}

/// A notification that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    /// Its number.
    pub id: u64,
    /// The channel that it was for.
    pub channel: String,
    /// The id of the alert.
    pub alert_id: u64,
    /// What the alert said.
    pub text: String,
    /// When it was queued.
    pub created: Timestamp,
    /// How often it was tried in vain.
    pub attempts: u32,
    /// The last error.
    pub error: String,
}

/// How much waits on a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChannelBacklog {
    /// The channel's name.
    pub channel: String,
    /// Notifications to send.
    pub queued: u64,
    /// Notifications given up.
    pub dead: u64,
}

impl Control {
    /// What is due on a channel at `now`, earliest first; at most `limit` and 1000.
    pub fn outbox_due(
        &self,
        channel: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxItem>, ControlError> {
        let connection = self.reader();
        let mut statement = connection.prepare_cached(
            "SELECT id, channel, created, attempts, outcome, alert FROM outbox \
             WHERE channel = ?1 AND dead = 0 AND next_attempt <= ?2 \
             ORDER BY next_attempt, id LIMIT ?3",
        )?;
        let mut rows = statement.query(params![channel, now.micros(), rows_of(limit)])?;
        let mut items = Vec::new();
        while let Some(row) = rows.next()? {
            items.push(outbox_item(row)?);
        }
        Ok(items)
    }

    /// When the next notification of a channel is due; nothing where none waits.
    pub fn outbox_next(&self, channel: &str) -> Result<Option<Timestamp>, ControlError> {
        let connection = self.reader();
        let mut statement = connection.prepare_cached(
            "SELECT min(next_attempt) FROM outbox WHERE channel = ?1 AND dead = 0",
        )?;
        let next: Option<i64> = statement.query_row([channel], |row| row.get(0))?;
        Ok(next.map(Timestamp::from_micros))
    }

    /// Forgets a notification that was delivered; false where it was forgotten before.
    pub fn outbox_delivered(&self, id: u64) -> Result<bool, ControlError> {
        self.change("DELETE FROM outbox WHERE id = ?1", params![stored(id, "an id")?])
    }

    /// Puts a notification off until `next_attempt` and counts the attempt.
    pub fn outbox_retry(
        &self,
        id: u64,
        next_attempt: Timestamp,
        error: &str,
    ) -> Result<bool, ControlError> {
        self.change(
            "UPDATE outbox SET attempts = attempts + 1, next_attempt = ?2, error = ?3 \
             WHERE id = ?1 AND dead = 0",
            params![stored(id, "an id")?, next_attempt.micros(), clip(error, MAX_ERROR)],
        )
    }

    /// Gives a notification up, counting the last attempt; it becomes a dead letter.
    pub fn outbox_dead(&self, id: u64, error: &str) -> Result<bool, ControlError> {
        let id = stored(id, "an id")?;
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached(
                "UPDATE outbox SET attempts = attempts + 1, dead = 1, error = ?2 \
                 WHERE id = ?1 AND dead = 0 RETURNING channel",
            )?;
            let mut rows = statement.query(params![id, clip(error, MAX_ERROR)])?;
            let Some(row) = rows.next()? else { return Ok(false) };
            let channel: String = row.get(0)?;
            drop(rows);
            drop_old_dead_letters(transaction, &channel)?;
            Ok(true)
        })
    }

    /// The latest dead letters of all channels, newest first; at most `limit` and 1000.
    pub fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter>, ControlError> {
        let connection = self.long_reader();
        let mut statement = connection.prepare_cached(
            "SELECT id, channel, created, attempts, outcome, alert, coalesce(error, '') \
             FROM outbox WHERE dead = 1 ORDER BY id DESC LIMIT ?1",
        )?;
        let mut rows = statement.query([rows_of(limit)])?;
        let mut letters = Vec::new();
        while let Some(row) = rows.next()? {
            let OutboxItem { id, channel, alert, created, attempts, .. } = outbox_item(row)?;
            let (alert_id, text, error) = (alert.id, alert.text, row.get(6)?);
            letters.push(DeadLetter { id, channel, alert_id, text, created, attempts, error });
        }
        Ok(letters)
    }

    /// Queues a dead letter anew, as if it had never been tried; false where there is none.
    pub fn resend_dead(&self, id: u64, now: Timestamp) -> Result<bool, ControlError> {
        self.change(
            "UPDATE outbox SET dead = 0, attempts = 0, created = ?2, next_attempt = ?2, \
             error = NULL WHERE id = ?1 AND dead = 1",
            params![stored(id, "an id")?, now.micros()],
        )
    }

    /// How much waits on each channel that has anything waiting or dead.
    pub fn outbox_backlog(&self) -> Result<Vec<ChannelBacklog>, ControlError> {
        let connection = self.long_reader();
        let mut statement = connection.prepare_cached(
            "SELECT channel, sum(dead = 0), sum(dead) FROM outbox GROUP BY channel",
        )?;
        let rows = statement.query_map([], |row| {
            let (queued, dead) = (loaded(row.get(1)?), loaded(row.get(2)?));
            Ok(ChannelBacklog { channel: row.get(0)?, queued, dead })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn change(&self, sql: &str, values: impl rusqlite::Params) -> Result<bool, ControlError> {
        let connection = self.writer();
        let changed = connection.prepare_cached(sql)?.execute(values)?;
        Ok(changed > 0)
    }
}

impl Control {
    /// Queues a message on one channel about an alert that is not kept, such as a single login.
    pub fn tell(&self, channel: &str, alert: &Alert, now: Timestamp) -> Result<(), ControlError> {
        let channels =
            [ChannelFilter { name: channel.to_owned(), min_severity: Severity::Informational }];
        self.write(|transaction| {
            enqueue(transaction, &channels, alert, Outcome::New, now)?;
            enforce_caps(transaction, &channels)
        })
    }
}

/// Queues a notification on each channel for which the alert is severe enough; true where there is one.
pub(crate) fn enqueue(
    transaction: &Transaction<'_>,
    channels: &[ChannelFilter],
    alert: &Alert,
    outcome: Outcome,
    now: Timestamp,
) -> Result<bool, ControlError> {
    let mut bodies = None;
    for channel in channels {
        if alert.severity < channel.min_severity {
            continue;
        }
        let (outcome, alert) = match &bodies {
            Some(bodies) => bodies,
            None => {
                bodies.insert((serde_json::to_string(&outcome)?, serde_json::to_string(alert)?))
            }
        };
        transaction
            .prepare_cached(
                "INSERT INTO outbox (channel, outcome, alert, created, next_attempt) \
                 VALUES (?1, ?2, ?3, ?4, ?4)",
            )?
            .execute(params![channel.name, outcome, alert, now.micros()])?;
    }
    Ok(bodies.is_some())
}

/// Makes the oldest notifications of a channel with more than [`MAX_QUEUED`] dead letters.
pub(crate) fn enforce_caps(
    transaction: &Transaction<'_>,
    channels: &[ChannelFilter],
) -> Result<(), ControlError> {
    for channel in channels {
        let overflowed = transaction
            .prepare_cached(
                "UPDATE outbox SET dead = 1, error = 'the queue was full' WHERE id IN \
                 (SELECT id FROM outbox WHERE channel = ?1 AND dead = 0 \
                  ORDER BY id DESC LIMIT -1 OFFSET ?2)",
            )?
            .execute(params![channel.name, i64::try_from(MAX_QUEUED).unwrap_or(i64::MAX)])?;
        if overflowed > 0 {
            count(transaction, OUTBOX_OVERFLOWED, overflowed)?;
            drop_old_dead_letters(transaction, &channel.name)?;
        }
    }
    Ok(())
}

fn drop_old_dead_letters(transaction: &Transaction<'_>, channel: &str) -> Result<(), ControlError> {
    let dropped = transaction
        .prepare_cached(
            "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox \
             WHERE channel = ?1 AND dead = 1 ORDER BY id DESC LIMIT -1 OFFSET ?2)",
        )?
        .execute(params![channel, i64::try_from(MAX_DEAD).unwrap_or(i64::MAX)])?;
    count(transaction, DEAD_LETTERS_DROPPED, dropped)
}

fn outbox_item(row: &Row<'_>) -> Result<OutboxItem, ControlError> {
    let outcome: String = row.get(4)?;
    let alert: String = row.get(5)?;
    Ok(OutboxItem {
        id: loaded(row.get(0)?),
        channel: row.get(1)?,
        created: Timestamp::from_micros(row.get(2)?),
        attempts: row.get(3)?,
        outcome: serde_json::from_str(&outcome)?,
        alert: serde_json::from_str(&alert)?,
    })
}

fn rows_of(limit: usize) -> i64 {
    i64::try_from(limit.min(MAX_LISTED)).unwrap_or(0)
}
