//! Dead letters: given up, listed, sent again.

use bergfried_event::Timestamp;
use rusqlite::{Row, Transaction, params};
use serde::Serialize;

use super::MAX_ERROR;
use crate::clip;
use crate::counters::{DEAD_LETTERS_DROPPED, count};
use crate::database::Control;
use crate::error::{ControlError, loaded, stored};

/// The most dead letters that are kept of one channel; the oldest go first.
pub const MAX_DEAD: usize = 10_000;
const MAX_LISTED: usize = 1000;

/// A letter that was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GivenUp {
    /// Its number.
    pub id: u64,
    /// The channel that it was for.
    pub channel: String,
    /// The route that wanted it.
    pub route: String,
    /// The id of the alert that it is about.
    pub alert_id: Option<String>,
    /// The message.
    pub message: serde_json::Value,
    /// When it was queued.
    pub created: Timestamp,
    /// How often it was tried in vain.
    pub attempts: u32,
    /// The last error.
    pub error: String,
}

impl Control {
    /// Gives letters up, counting the last attempt; they become dead letters.
    pub fn letters_dead(
        &self,
        channel: &str,
        ids: &[u64],
        error: &str,
    ) -> Result<(), ControlError> {
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached(
                "UPDATE letter SET attempts = attempts + 1, dead = 1, error = ?2 \
                 WHERE id = ?1 AND dead = 0",
            )?;
            for id in ids {
                statement.execute(params![stored(*id, "an id")?, clip(error, MAX_ERROR)])?;
            }
            drop_old_dead_letters(transaction, channel)
        })
    }

    /// The latest dead letters of all channels, newest first; at most `limit` and 1000.
    pub fn letters_given_up(&self, limit: usize) -> Result<Vec<GivenUp>, ControlError> {
        let connection = self.long_reader();
        let mut statement = connection.prepare_cached(
            "SELECT id, channel, route, alert, body, created, attempts, coalesce(error, '') \
             FROM letter WHERE dead = 1 ORDER BY id DESC LIMIT ?1",
        )?;
        let limit = i64::try_from(limit.min(MAX_LISTED)).unwrap_or(0);
        let mut rows = statement.query([limit])?;
        let mut letters = Vec::new();
        while let Some(row) = rows.next()? {
            letters.push(read(row)?);
        }
        Ok(letters)
    }

    /// Queues a dead letter anew, as if it had never been tried; gives what it was until then,
    /// none where there is none.
    pub fn resend_letter(&self, id: u64, now: Timestamp) -> Result<Option<GivenUp>, ControlError> {
        let id = stored(id, "an id")?;
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT id, channel, route, alert, body, created, attempts, coalesce(error, '') \
                 FROM letter WHERE dead = 1 AND id = ?1",
            )?;
            let Some(given_up) = statement.query([id])?.next()?.map(read).transpose()? else {
                return Ok(None);
            };
            // On its own: who asks for it does not want to wait for others.
            transaction
                .prepare_cached(
                    "UPDATE letter SET dead = 0, attempts = 0, created = ?2, due = ?2, error = NULL, \
                     bundle = NULL WHERE id = ?1",
                )?
                .execute(params![id, now.micros()])?;
            Ok(Some(given_up))
        })
    }

    /// Gives up what waits for channels that are not among these; how many letters that is.
    pub fn letters_without_channel(&self, known: &[&str]) -> Result<usize, ControlError> {
        self.write(|transaction| {
            let waiting: Vec<String> = transaction
                .prepare_cached("SELECT DISTINCT channel FROM letter WHERE dead = 0")?
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            let mut given_up = 0;
            for channel in waiting.iter().filter(|channel| !known.contains(&channel.as_str())) {
                given_up += transaction
                    .prepare_cached(
                        "UPDATE letter SET dead = 1, error = 'there is no such channel any more' \
                         WHERE channel = ?1 AND dead = 0",
                    )?
                    .execute([channel])?;
                drop_old_dead_letters(transaction, channel)?;
            }
            Ok(given_up)
        })
    }
}

fn read(row: &Row<'_>) -> Result<GivenUp, ControlError> {
    let body: String = row.get(4)?;
    Ok(GivenUp {
        id: loaded(row.get(0)?),
        channel: row.get(1)?,
        route: row.get(2)?,
        alert_id: row.get(3)?,
        message: serde_json::from_str(&body)?,
        created: Timestamp::from_micros(row.get(5)?),
        attempts: row.get(6)?,
        error: row.get(7)?,
    })
}

/// Deletes the oldest dead letters of a channel with more than [`MAX_DEAD`].
pub(super) fn drop_old_dead_letters(
    transaction: &Transaction<'_>,
    channel: &str,
) -> Result<(), ControlError> {
    let dropped = transaction
        .prepare_cached(
            "DELETE FROM letter WHERE id IN (SELECT id FROM letter \
             WHERE channel = ?1 AND dead = 1 ORDER BY id DESC LIMIT -1 OFFSET ?2)",
        )?
        .execute(params![channel, i64::try_from(MAX_DEAD).unwrap_or(i64::MAX)])?;
    count(transaction, DEAD_LETTERS_DROPPED, dropped)
}
