//! What people are to be told: written in the transaction of the change that it is about, so that
//! neither is there without the other.
//!
//! What a letter says is not looked at here: its body is the caller's JSON.

use bergfried_event::Timestamp;
use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::counters::{TIMERS_DROPPED, count};
use crate::database::Control;
use crate::error::{ControlError, loaded, stored};
use crate::letters::queue::{enforce_caps, queue, refresh};

/// The most timers that wait; past that the oldest go.
pub const MAX_TIMERS: u64 = 200_000;
/// The most timers that one call gives.
const MAX_TIMERS_AT_ONCE: usize = 1000;

/// Something that a channel is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The channel.
    pub channel: String,
    /// The route that says so.
    pub route: String,
    /// With what it goes together.
    pub bundle: Option<LetterBundle>,
    /// The id of the alert that it is about.
    pub alert: Option<String>,
    /// The message, as JSON.
    pub body: String,
    /// Not before this time. A letter that joins others of its bundle goes with them.
    pub due: Timestamp,
}

/// What several letters have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterBundle {
    /// Letters of one channel with the same key become one message.
    pub key: String,
    /// What they have in common, in words.
    pub title: String,
    /// Whether they were held back.
    pub held: bool,
}

/// Something to look at again at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimerRow {
    /// The id of the alert.
    pub alert: String,
    /// The route that wants it.
    pub route: String,
    /// What it is, in the caller's words.
    pub kind: String,
    /// From when on it counts.
    pub since: Timestamp,
    /// When.
    pub due: Timestamp,
}

/// One thing to write about telling people; they are written in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Telling {
    /// Queue a letter.
    Letter(Letter),
    /// Let every channel that shows an alert, but for some, show it as it is now.
    Refresh {
        /// The alert's id.
        alert: String,
        /// The message, as JSON.
        body: String,
        /// Channels that are told anyway.
        but: Vec<String>,
    },
    /// End every timer of an alert.
    Cancel(String),
    /// Set a timer; one that is there stays as it is.
    Timer(TimerRow),
    /// A timer was done.
    Done {
        /// The alert's id.
        alert: String,
        /// The timer's route.
        route: String,
        /// What it is.
        kind: String,
    },
    /// A day was told of.
    Reported {
        /// The route.
        route: String,
        /// The day.
        day: String,
    },
    /// The alert is gone.
    Forget(String),
}

impl Control {
    /// Makes what people are to be told durable, where it belongs to no change of an alert.
    ///
    /// # Errors
    /// [`ControlError::Full`] where there is no room.
    pub fn write_telling(&self, telling: &[Telling], now: Timestamp) -> Result<(), ControlError> {
        if telling.is_empty() {
            return Ok(());
        }
        self.write(|transaction| write(transaction, telling, now))
    }

    /// The timers that are due, earliest first; at most `limit` and 1000.
    pub fn timers_due(&self, now: Timestamp, limit: usize) -> Result<Vec<TimerRow>, ControlError> {
        let connection = self.reader();
        let mut statement = connection.prepare_cached(
            "SELECT alert, route, kind, since, due FROM timer WHERE due <= ?1 \
             ORDER BY due, number LIMIT ?2",
        )?;
        let limit = i64::try_from(limit.min(MAX_TIMERS_AT_ONCE)).unwrap_or(0);
        let rows = statement.query_map(params![now.micros(), limit], |row| {
            Ok(TimerRow {
                alert: row.get(0)?,
                route: row.get(1)?,
                kind: row.get(2)?,
                since: Timestamp::from_micros(row.get(3)?),
                due: Timestamp::from_micros(row.get(4)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// When the next timer is due.
    pub fn next_timer(&self) -> Result<Option<Timestamp>, ControlError> {
        let connection = self.reader();
        let mut statement = connection.prepare_cached("SELECT min(due) FROM timer")?;
        let due: Option<i64> = statement.query_row([], |row| row.get(0))?;
        Ok(due.map(Timestamp::from_micros))
    }

    /// The last day that a route told of.
    pub fn reported(&self, route: &str) -> Result<Option<String>, ControlError> {
        let connection = self.reader();
        let mut statement =
            connection.prepare_cached("SELECT day FROM reported WHERE route = ?1")?;
        Ok(statement.query_row([route], |row| row.get(0)).optional()?)
    }
}

/// Writes them in their order.
pub(crate) fn write(
    transaction: &Transaction<'_>,
    telling: &[Telling],
    now: Timestamp,
) -> Result<(), ControlError> {
    let mut channels: Vec<String> = Vec::new();
    let mut touched = |channel: &str| {
        if !channels.iter().any(|known| known == channel) {
            channels.push(channel.to_owned());
        }
    };
    for one in telling {
        match one {
            Telling::Letter(letter) => {
                queue(transaction, letter, now)?;
                touched(&letter.channel);
            }
            Telling::Refresh { alert, body, but } => {
                for channel in refresh(transaction, alert, body, but, now)? {
                    touched(&channel);
                }
            }
            Telling::Cancel(alert) => {
                delete(transaction, "DELETE FROM timer WHERE alert = ?1", alert)?
            }
            Telling::Timer(timer) => set(transaction, timer)?,
            Telling::Done { alert, route, kind } => {
                transaction
                    .prepare_cached(
                        "DELETE FROM timer WHERE alert = ?1 AND route = ?2 AND kind = ?3",
                    )?
                    .execute([alert, route, kind])?;
            }
            Telling::Reported { route, day } => {
                transaction
                    .prepare_cached("INSERT OR REPLACE INTO reported (route, day) VALUES (?1, ?2)")?
                    .execute([route, day])?;
            }
            Telling::Forget(alert) => {
                delete(transaction, "DELETE FROM timer WHERE alert = ?1", alert)?;
                delete(transaction, "DELETE FROM shown WHERE alert = ?1", alert)?;
            }
        }
    }
    enforce_caps(transaction, &channels)
}

fn delete(
    transaction: &Transaction<'_>,
    sql: &'static str,
    alert: &str,
) -> Result<(), ControlError> {
    transaction.prepare_cached(sql)?.execute([alert])?;
    Ok(())
}

fn set(transaction: &Transaction<'_>, timer: &TimerRow) -> Result<(), ControlError> {
    let added = transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO timer (alert, route, kind, since, due) \
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            timer.alert,
            timer.route,
            timer.kind,
            timer.since.micros(),
            timer.due.micros()
        ])?;
    if added == 0 {
        return Ok(());
    }
    let last = loaded(transaction.last_insert_rowid());
    let dropped = transaction
        .prepare_cached("DELETE FROM timer WHERE number <= ?1")?
        .execute([stored(last.saturating_sub(MAX_TIMERS), "a number")?])?;
    count(transaction, TIMERS_DROPPED, dropped)
}
