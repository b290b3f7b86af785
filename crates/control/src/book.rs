//! The durable form of the book of alerts: read whole at the start, written in one transaction for
//! many changes at once.
//!
//! What a row's body says is not looked at here.

use bergfried_event::Timestamp;
use rusqlite::{Transaction, params};

use crate::counters::{ALERTS_DROPPED, count};
use crate::database::Control;
use crate::error::{ControlError, loaded, stored};
use crate::telling::{self, Telling};

/// A row of the book: its number, and its body; without a body it is to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookRow {
    /// Its number, from 1 on.
    pub number: u64,
    /// The thing as JSON.
    pub body: Option<String>,
}

/// A sender's heartbeat, with what people were last told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookHeartbeat {
    /// The heartbeat.
    pub row: BookRow,
    /// What people were last told: `ok`, `slow` or `expired`.
    pub told: String,
    /// When that was, in microseconds since the epoch.
    pub told_at: i64,
}

/// How many alerts a rule raised in a span of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookRaised {
    /// When the span began.
    pub at: Timestamp,
    /// The id of the rule; empty: no rule.
    pub rule: String,
    /// How many.
    pub count: u64,
}

/// What one transaction changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BookChanges {
    /// When it is.
    pub at: Timestamp,
    /// The highest revision after it.
    pub revision: u64,
    /// The highest number that was ever given to a row, after it.
    pub number: u64,
    /// The last sequence of the event store whose findings are in it, where that moves.
    pub applied: Option<u64>,
    /// Alerts to write or delete.
    pub alerts: Vec<BookRow>,
    /// How many of them are deleted because there were too many.
    pub dropped: usize,
    /// Heartbeats to write or delete.
    pub heartbeats: Vec<BookHeartbeat>,
    /// Blackouts to write or delete.
    pub blackouts: Vec<BookRow>,
    /// Exceptions to write or delete.
    pub exceptions: Vec<BookRow>,
    /// How many alerts were raised, besides those that were before.
    pub raised: Vec<BookRaised>,
    /// Spans that began before this are forgotten.
    pub raised_since: Timestamp,
    /// What is to be told by routes.
    pub telling: Vec<Telling>,
}

/// Where the book stood when it was last written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BookStart {
    /// The highest revision.
    pub revision: u64,
    /// The highest number that was ever given to a row.
    pub number: u64,
    /// The last sequence of the event store whose findings are in it.
    pub applied: u64,
    /// The heartbeats.
    pub heartbeats: Vec<BookHeartbeat>,
    /// The blackouts.
    pub blackouts: Vec<BookRow>,
    /// The exceptions.
    pub exceptions: Vec<BookRow>,
    /// How many alerts were raised of late.
    pub raised: Vec<BookRaised>,
}

impl Control {
    /// Everything but the alerts, which go one after the other to `alert` with their numbers.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub fn read_book(&self, mut alert: impl FnMut(u64, &str)) -> Result<BookStart, ControlError> {
        let connection = self.long_reader();
        // One transaction, so that all of it is of one moment.
        let transaction = connection.unchecked_transaction()?;
        let (revision, number) =
            transaction.query_row("SELECT revision, number FROM book", [], |row| {
                Ok((loaded(row.get(0)?), loaded(row.get(1)?)))
            })?;
        let applied =
            transaction.query_row("SELECT sequence FROM applied", [], |row| row.get(0))?;
        let mut statement =
            transaction.prepare("SELECT number, body FROM book_alert ORDER BY number")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let body = row.get_ref(1)?.as_str();
            let body = body.map_err(|error| ControlError::Corrupt(error.to_string()))?;
            alert(loaded(row.get(0)?), body);
        }
        let mut statement = transaction
            .prepare("SELECT number, body, told, told_at FROM book_heartbeat ORDER BY number")?;
        let heartbeats = statement
            .query_map([], |row| {
                let row_of = BookRow { number: loaded(row.get(0)?), body: row.get(1)? };
                Ok(BookHeartbeat { row: row_of, told: row.get(2)?, told_at: row.get(3)? })
            })?
            .collect::<Result<_, _>>()?;
        let blackouts =
            read_rows(&transaction, "SELECT number, body FROM book_blackout ORDER BY number")?;
        let exceptions =
            read_rows(&transaction, "SELECT number, body FROM book_exception ORDER BY number")?;
        let raised = read_raised(&transaction)?;
        Ok(BookStart {
            revision,
            number,
            applied: loaded(applied),
            heartbeats,
            blackouts,
            exceptions,
            raised,
        })
    }

    /// The last sequence whose findings are in the alerts; 0 before the first.
    pub fn applied_sequence(&self) -> Result<u64, ControlError> {
        let connection = self.reader();
        let mut statement = connection.prepare_cached("SELECT sequence FROM applied")?;
        Ok(loaded(statement.query_row([], |row| row.get(0))?))
    }

    /// Says that the event store has no sequence above `last`: it was emptied or restored from an
    /// older copy, and its next frames are new although their numbers were applied before. True
    /// where that was so.
    pub fn lower_applied_sequence(&self, last: u64) -> Result<bool, ControlError> {
        let last = stored(last, "a sequence")?;
        self.write(|transaction| {
            let lowered = transaction
                .prepare_cached("UPDATE applied SET sequence = ?1 WHERE sequence > ?1")?
                .execute([last])?;
            Ok(lowered > 0)
        })
    }

    /// Makes all of the changes durable, or none of them.
    ///
    /// # Errors
    /// [`ControlError::Full`] where there is no room; the same call works once there is.
    pub fn write_book(&self, changes: &BookChanges) -> Result<(), ControlError> {
        self.write(|transaction| {
            write_rows(transaction, ALERTS, &changes.alerts)?;
            write_rows(transaction, BLACKOUTS, &changes.blackouts)?;
            write_rows(transaction, EXCEPTIONS, &changes.exceptions)?;
            for heartbeat in &changes.heartbeats {
                write_heartbeat(transaction, heartbeat)?;
            }
            write_raised(transaction, changes)?;
            telling::write(transaction, &changes.telling, changes.at)?;
            count(transaction, ALERTS_DROPPED, changes.dropped)?;
            transaction.prepare_cached("UPDATE book SET revision = ?1, number = ?2")?.execute([
                stored(changes.revision, "a revision")?,
                stored(changes.number, "a number")?,
            ])?;
            if let Some(applied) = changes.applied {
                transaction
                    .prepare_cached("UPDATE applied SET sequence = ?1 WHERE sequence < ?1")?
                    .execute([stored(applied, "a sequence")?])?;
            }
            Ok(())
        })
    }
}

/// How rows of a table are written, and deleted.
type Statements = (&'static str, &'static str);

const ALERTS: Statements = (
    "INSERT INTO book_alert (number, body) VALUES (?1, ?2) \
     ON CONFLICT (number) DO UPDATE SET body = excluded.body",
    "DELETE FROM book_alert WHERE number = ?1",
);
const BLACKOUTS: Statements = (
    "INSERT INTO book_blackout (number, body) VALUES (?1, ?2) \
     ON CONFLICT (number) DO UPDATE SET body = excluded.body",
    "DELETE FROM book_blackout WHERE number = ?1",
);
const EXCEPTIONS: Statements = (
    "INSERT INTO book_exception (number, body) VALUES (?1, ?2) \
     ON CONFLICT (number) DO UPDATE SET body = excluded.body",
    "DELETE FROM book_exception WHERE number = ?1",
);

fn read_rows(transaction: &Transaction<'_>, select: &str) -> Result<Vec<BookRow>, ControlError> {
    let mut statement = transaction.prepare(select)?;
    let rows = statement
        .query_map([], |row| Ok(BookRow { number: loaded(row.get(0)?), body: row.get(1)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn write_rows(
    transaction: &Transaction<'_>,
    (write, delete): Statements,
    rows: &[BookRow],
) -> Result<(), ControlError> {
    let mut write = transaction.prepare_cached(write)?;
    let mut delete = transaction.prepare_cached(delete)?;
    for row in rows {
        let number = stored(row.number, "a number")?;
        match &row.body {
            Some(body) => write.execute(params![number, body])?,
            None => delete.execute([number])?,
        };
    }
    Ok(())
}

fn read_raised(transaction: &Transaction<'_>) -> Result<Vec<BookRaised>, ControlError> {
    let mut statement = transaction.prepare("SELECT at, rule, count FROM raised")?;
    let rows = statement.query_map([], |row| {
        let at = Timestamp::from_micros(row.get(0)?);
        Ok(BookRaised { at, rule: row.get(1)?, count: loaded(row.get(2)?) })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn write_raised(transaction: &Transaction<'_>, changes: &BookChanges) -> Result<(), ControlError> {
    if changes.raised.is_empty() {
        return Ok(());
    }
    let mut write = transaction.prepare_cached(
        "INSERT INTO raised (at, rule, count) VALUES (?1, ?2, ?3) \
         ON CONFLICT (at, rule) DO UPDATE SET count = count + excluded.count",
    )?;
    for BookRaised { at, rule, count } in &changes.raised {
        write.execute(params![at.micros(), rule, stored(*count, "a number of alerts")?])?;
    }
    transaction
        .prepare_cached("DELETE FROM raised WHERE at < ?1")?
        .execute([changes.raised_since.micros()])?;
    Ok(())
}

fn write_heartbeat(
    transaction: &Transaction<'_>,
    heartbeat: &BookHeartbeat,
) -> Result<(), ControlError> {
    let number = stored(heartbeat.row.number, "a number")?;
    match &heartbeat.row.body {
        Some(body) => transaction
            .prepare_cached(
                "INSERT INTO book_heartbeat (number, body, told, told_at) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (number) DO UPDATE SET body = excluded.body, told = excluded.told, \
                 told_at = excluded.told_at",
            )?
            .execute(params![number, body, heartbeat.told, heartbeat.told_at])?,
        None => transaction
            .prepare_cached("DELETE FROM book_heartbeat WHERE number = ?1")?
            .execute([number])?,
    };
    Ok(())
}
