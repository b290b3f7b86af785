//! Letters that wait: taken by their channel, delivered, put off and held back.
//!
//! A letter is either due at some time or dead (`dead.rs`). Only a person brings a dead one back.

mod dead;
pub(crate) mod queue;

use bergfried_event::Timestamp;
use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use serde::Serialize;

use crate::clip;
use crate::database::Control;
use crate::error::{ControlError, loaded, stored};
use crate::telling::LetterBundle;

pub use self::dead::{GivenUp, MAX_DEAD};
pub use self::queue::MAX_QUEUED;

/// The most letters that become one message: as many as can wait.
pub const MAX_BUNDLED: usize = MAX_QUEUED;
/// The most alerts of which channels remember that they show them; the oldest go first.
const MAX_SHOWN: u64 = 100_000;
const MAX_ERROR: usize = 1024;
const HOUR: i64 = 3_600 * Timestamp::SECOND;

/// A letter that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedLetter {
    /// Its number.
    pub id: u64,
    /// The route that wants it.
    pub route: String,
    /// With what it goes together.
    pub bundle: Option<LetterBundle>,
    /// The id of the alert that it is about.
    pub alert: Option<String>,
    /// Whether it is only for a channel that shows the alert already.
    pub refresh: bool,
    /// The message, as JSON.
    pub body: String,
    /// When it was queued.
    pub created: Timestamp,
    /// How often it was tried in vain.
    pub attempts: u32,
}

/// How much waits on a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Backlog {
    /// The channel's name.
    pub channel: String,
    /// Letters that wait.
    pub queued: u64,
    /// Those of them that were held back: by quiet hours or an hourly limit.
    pub held: u64,
    /// Letters that were given up.
    pub dead: u64,
    /// When the first of those that wait is due.
    pub next: Option<Timestamp>,
}

/// What becomes of a message that was delivered.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// The channel.
    pub channel: &'a str,
    /// The route whose hourly limit it counts against; none where it has no limit.
    pub limited: Option<&'a str>,
    /// The alert, what the channel wants to be reminded of, and whether what it shows can be changed.
    pub shown: Option<(&'a str, &'a str, bool)>,
    /// When.
    pub now: Timestamp,
}

impl Control {
    /// Makes a channel's letters due that were written in the future: the clock was ahead then. How
    /// many there were.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn letters_of_the_future(
        &self,
        channel: &str,
        now: Timestamp,
    ) -> Result<usize, ControlError> {
        self.write(|transaction| {
            Ok(transaction
                .prepare_cached(
                    "UPDATE letter SET due = ?2, created = ?2 \
                     WHERE channel = ?1 AND dead = 0 AND created > ?3",
                )?
                .execute(params![channel, now.micros(), now.plus_micros(HOUR).micros()])?)
        })
    }

    /// The letters that a channel has to send first, at most [`MAX_BUNDLED`]: one, or several of one
    /// bundle; none where nothing is due.
    pub fn letters_due(
        &self,
        channel: &str,
        now: Timestamp,
    ) -> Result<Vec<QueuedLetter>, ControlError> {
        let connection = self.reader();
        let mut statement = connection.prepare_cached(
            "SELECT id, route, bundle, title, held, alert, refresh, body, created, attempts \
             FROM letter WHERE channel = ?1 AND dead = 0 AND due <= ?2 ORDER BY due, id LIMIT 1",
        )?;
        let first = statement.query_row(params![channel, now.micros()], queued).optional()?;
        let Some(first) = first else { return Ok(Vec::new()) };
        let Some(bundle) = &first.bundle else { return Ok(vec![first]) };
        let mut statement = connection.prepare_cached(
            "SELECT id, route, bundle, title, held, alert, refresh, body, created, attempts \
             FROM letter WHERE channel = ?1 AND bundle = ?2 AND dead = 0 AND due <= ?3 \
             ORDER BY id LIMIT ?4",
        )?;
        let most = i64::try_from(MAX_BUNDLED).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![channel, bundle.key, now.micros(), most], queued)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// When the next letter of a channel is due; none where none waits.
    pub fn next_letter(&self, channel: &str) -> Result<Option<Timestamp>, ControlError> {
        let connection = self.reader();
        let mut statement = connection
            .prepare_cached("SELECT min(due) FROM letter WHERE channel = ?1 AND dead = 0")?;
        let next: Option<i64> = statement.query_row([channel], |row| row.get(0))?;
        Ok(next.map(Timestamp::from_micros))
    }

    /// Forgets letters that were delivered as one message.
    pub fn letters_delivered(
        &self,
        ids: &[u64],
        delivery: Delivery<'_>,
    ) -> Result<(), ControlError> {
        self.write(|transaction| {
            each(transaction, "DELETE FROM letter WHERE id = ?1", ids)?;
            if let Some(route) = delivery.limited {
                transaction
                    .prepare_cached(
                        "DELETE FROM letter_sent WHERE channel = ?1 AND route = ?2 AND at <= ?3",
                    )?
                    .execute(params![delivery.channel, route, delivery.now.micros() - HOUR])?;
                transaction
                    .prepare_cached(
                        "INSERT INTO letter_sent (channel, route, at) VALUES (?1, ?2, ?3)",
                    )?
                    .execute(params![delivery.channel, route, delivery.now.micros()])?;
            }
            let Some((alert, memory, live)) = delivery.shown else { return Ok(()) };
            transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO shown (channel, alert, memory, live) \
                     VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![delivery.channel, alert, memory, live])?;
            let last = loaded(transaction.last_insert_rowid());
            transaction
                .prepare_cached("DELETE FROM shown WHERE number <= ?1")?
                .execute([stored(last.saturating_sub(MAX_SHOWN), "a number")?])?;
            Ok(())
        })
    }

    /// Puts letters off until `due` and counts the attempt.
    pub fn letters_retry(
        &self,
        ids: &[u64],
        due: Timestamp,
        error: &str,
    ) -> Result<(), ControlError> {
        self.write(|transaction| {
            let mut statement = transaction.prepare_cached(
                "UPDATE letter SET attempts = attempts + 1, due = ?2, error = ?3 \
                 WHERE id = ?1 AND dead = 0",
            )?;
            for id in ids {
                let id = stored(*id, "an id")?;
                statement.execute(params![id, due.micros(), clip(error, MAX_ERROR)])?;
            }
            Ok(())
        })
    }

    /// Holds everything back that a route has to say over a channel and that would be due before
    /// `until`; it is due then as one bundle.
    pub fn hold_letters(
        &self,
        channel: &str,
        route: &str,
        until: Timestamp,
        bundle: &LetterBundle,
    ) -> Result<usize, ControlError> {
        self.write(|transaction| {
            Ok(transaction
                .prepare_cached(
                    "UPDATE letter SET bundle = ?4, title = ?5, held = ?6, due = ?3 \
                     WHERE channel = ?1 AND route = ?2 AND dead = 0 AND refresh = 0 AND due < ?3",
                )?
                .execute(params![
                    channel,
                    route,
                    until.micros(),
                    bundle.key,
                    bundle.title,
                    bundle.held
                ])?)
        })
    }

    /// When a route's messages over a channel were sent, from `since` on.
    pub fn letters_sent(
        &self,
        channel: &str,
        route: &str,
        since: Timestamp,
    ) -> Result<Vec<Timestamp>, ControlError> {
        let connection = self.reader();
        let mut statement = connection.prepare_cached(
            "SELECT at FROM letter_sent WHERE channel = ?1 AND route = ?2 AND at > ?3",
        )?;
        let rows = statement.query_map(params![channel, route, since.micros()], |row| {
            Ok(Timestamp::from_micros(row.get(0)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What a channel wanted to be reminded of when it is told of an alert again.
    pub fn shown(&self, channel: &str, alert: &str) -> Result<Option<String>, ControlError> {
        let connection = self.reader();
        let mut statement = connection
            .prepare_cached("SELECT memory FROM shown WHERE channel = ?1 AND alert = ?2")?;
        Ok(statement.query_row([channel, alert], |row| row.get(0)).optional()?)
    }

    /// How much waits on each channel that has anything waiting or dead.
    pub fn letters_waiting(&self) -> Result<Vec<Backlog>, ControlError> {
        let connection = self.long_reader();
        let mut statement = connection.prepare_cached(
            "SELECT channel, sum(dead = 0), sum(dead = 0 AND held = 1), sum(dead), \
             min(CASE dead WHEN 0 THEN due END) FROM letter GROUP BY channel ORDER BY channel",
        )?;
        let rows = statement.query_map([], |row| {
            let next: Option<i64> = row.get(4)?;
            Ok(Backlog {
                channel: row.get(0)?,
                queued: loaded(row.get(1)?),
                held: loaded(row.get(2)?),
                dead: loaded(row.get(3)?),
                next: next.map(Timestamp::from_micros),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn each(transaction: &Transaction<'_>, sql: &'static str, ids: &[u64]) -> Result<(), ControlError> {
    let mut statement = transaction.prepare_cached(sql)?;
    for id in ids {
        statement.execute([stored(*id, "an id")?])?;
    }
    Ok(())
}

fn queued(row: &Row<'_>) -> rusqlite::Result<QueuedLetter> {
    let key: Option<String> = row.get(2)?;
    let (title, held) = (row.get(3)?, row.get(4)?);
    Ok(QueuedLetter {
        id: loaded(row.get(0)?),
        route: row.get(1)?,
        bundle: key.map(|key| LetterBundle { key, title, held }),
        alert: row.get(5)?,
        refresh: row.get(6)?,
        body: row.get(7)?,
        created: Timestamp::from_micros(row.get(8)?),
        attempts: row.get(9)?,
    })
}
