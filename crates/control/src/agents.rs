//! The agents that send, and when each was last heard.

use bergfried_event::Timestamp;
use rusqlite::{Transaction, params};
use serde::Serialize;

use crate::clip;
use crate::counters::{AGENTS_DROPPED, count};
use crate::database::Control;
use crate::error::{ControlError, loaded, stored};

/// The most agents that are remembered; the one silent for longest goes first.
pub const MAX_AGENTS: usize = 10_000;
const MAX_NAME: usize = 256;

/// What one batch says about the agent that sent it.
#[derive(Clone, Copy, Debug)]
pub struct AgentReport<'a> {
    /// The agent's own name or id.
    pub agent: &'a str,
    /// The host it runs on.
    pub host: &'a str,
    /// Its version.
    pub version: &'a str,
    /// The address it sent from.
    pub address: &'a str,
    /// How many records the batch held.
    pub records: u64,
}

/// An agent as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Agent {
    /// Its own name or id.
    pub name: String,
    /// The host it runs on.
    pub host: String,
    /// Its version.
    pub version: String,
    /// The address it last sent from.
    pub address: String,
    /// When it was first heard.
    pub first_seen: Timestamp,
    /// When it was last heard.
    pub last_seen: Timestamp,
    /// How many batches it sent.
    pub batches: u64,
    /// How many records they held.
    pub records: u64,
}

impl Control {
    /// Remembers that an agent was heard; a power cut may lose the last of these.
    pub fn record_agent(
        &self,
        report: AgentReport<'_>,
        now: Timestamp,
    ) -> Result<(), ControlError> {
        let records = stored(report.records, "a number of records")?;
        self.write_lightly(|transaction| {
            let batches: i64 = transaction
                .prepare_cached(
                    "INSERT INTO agent \
                 (name, host, version, address, first_seen, last_seen, batches, records) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5, 1, ?6) \
                 ON CONFLICT (name) DO UPDATE SET \
                 host = CASE excluded.host WHEN '' THEN host ELSE excluded.host END, \
                 version = excluded.version, address = excluded.address, \
                 last_seen = max(last_seen, excluded.last_seen), \
                 batches = batches + 1, records = records + excluded.records RETURNING batches",
                )?
                .query_row(
                    params![
                        clip(report.agent, MAX_NAME),
                        clip(report.host, MAX_NAME),
                        clip(report.version, MAX_NAME),
                        clip(report.address, MAX_NAME),
                        now.micros(),
                        records
                    ],
                    |row| row.get(0),
                )?;
            let is_new = batches == 1;
            if is_new {
                forget_the_silent(transaction)?;
            }
            Ok(())
        })
    }

    /// Every agent, the one heard last first.
    pub fn agents(&self) -> Result<Vec<Agent>, ControlError> {
        let connection = self.long_reader();
        let mut statement = connection.prepare_cached(
            "SELECT name, host, version, address, first_seen, last_seen, batches, records \
             FROM agent ORDER BY last_seen DESC, name",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(Agent {
                name: row.get(0)?,
                host: row.get(1)?,
                version: row.get(2)?,
                address: row.get(3)?,
                first_seen: Timestamp::from_micros(row.get(4)?),
                last_seen: Timestamp::from_micros(row.get(5)?),
                batches: loaded(row.get(6)?),
                records: loaded(row.get(7)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn forget_the_silent(transaction: &Transaction<'_>) -> Result<(), ControlError> {
    let dropped = transaction
        .prepare_cached(
            "DELETE FROM agent WHERE name IN \
             (SELECT name FROM agent ORDER BY last_seen DESC, name LIMIT -1 OFFSET ?1)",
        )?
        .execute([i64::try_from(MAX_AGENTS).unwrap_or(i64::MAX)])?;
    count(transaction, AGENTS_DROPPED, dropped)
}
