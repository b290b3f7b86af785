//! The hosts that are heard of, as they outlive a restart.
//!
//! What is known of them lives in memory, in the pipeline; here it is only written down and read back.

use bergfried_event::Timestamp;
use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use crate::counters::{HOSTS_DROPPED, count};
use crate::database::Control;
use crate::error::{ControlError, loaded, stored};

/// The most hosts that are remembered.
pub const MAX_HOSTS: usize = 10_000;

/// A host as it is remembered.
#[derive(Clone, Debug, PartialEq)]
pub struct HostRow {
    /// Its name, as events have it.
    pub name: String,
    /// The kind of system that it is, in Heimdall's words; empty where nothing said so.
    pub os_type: String,
    /// How sure that is.
    pub os_rank: u8,
    /// How it is heard: `agent`, `heimdall` or `lines`.
    pub heard: String,
    /// The address that was last sent from; empty where none is known.
    pub address: String,
    /// When something of it arrived first.
    pub first_seen: Timestamp,
    /// When something of it arrived last.
    pub last_seen: Timestamp,
    /// Since when nothing was missed of it.
    pub steady_since: Timestamp,
    /// How many events of it were stored.
    pub events: u64,
    /// Whether its silence is told.
    pub watched: bool,
    /// How it was when it last said so.
    pub health: Option<HostHealth>,
}

/// How a host was, in short.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostHealth {
    /// The event that says so.
    pub event: u64,
    /// When that arrived.
    pub time: Timestamp,
    /// The part of its processors that was busy, from 0 to 1.
    pub cpu: Option<f64>,
    /// The part of its memory that was used, from 0 to 1.
    pub memory: Option<f64>,
    /// The part of its fullest disk that was used, from 0 to 1.
    pub disk: Option<f64>,
    /// Where that disk is mounted.
    pub disk_mount: Option<String>,
    /// Bytes that its agent holds and that the hub had not taken; not written down.
    pub spool: Option<u64>,
    /// How long that took to arrive, in microseconds; not written down.
    pub lag: Option<i64>,
}

impl Control {
    /// Writes down hosts as they are now, and forgets others that had to make room; both or neither.
    /// A power cut may take it back, the end of the program does not.
    pub fn write_hosts(&self, hosts: &[&HostRow], gone: &[String]) -> Result<(), ControlError> {
        self.write_lightly(|transaction| {
            for name in gone {
                delete(transaction, name)?;
            }
            count(transaction, HOSTS_DROPPED, gone.len())?;
            hosts.iter().try_for_each(|host| put(transaction, host))
        })
    }

    /// Every host, the one heard last first.
    pub fn hosts(&self) -> Result<Vec<HostRow>, ControlError> {
        let connection = self.long_reader();
        let mut statement = connection.prepare_cached(
            "SELECT name, os_type, os_rank, heard, address, first_seen, last_seen, steady_since, \
             events, watched, health_event, health_time, cpu, memory, disk, disk_mount \
             FROM host ORDER BY last_seen DESC, name LIMIT ?1",
        )?;
        let rows = statement.query_map([i64::try_from(MAX_HOSTS).unwrap_or(i64::MAX)], read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Forgets a host for good; false where there is none of this name.
    pub fn forget_host(&self, name: &str) -> Result<bool, ControlError> {
        self.write(|transaction| delete(transaction, name))
    }
}

fn delete(transaction: &Transaction<'_>, name: &str) -> Result<bool, ControlError> {
    let mut statement =
        transaction.prepare_cached("DELETE FROM host WHERE name = ?1 RETURNING 1")?;
    Ok(statement.query_row([name], |_| Ok(())).optional()?.is_some())
}

fn put(transaction: &Transaction<'_>, host: &HostRow) -> Result<(), ControlError> {
    let health = host.health.as_ref();
    let event = health.map(|health| stored(health.event, "the id of an event")).transpose()?;
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO host (name, os_type, os_rank, heard, address, first_seen, \
             last_seen, steady_since, events, watched, health_event, health_time, cpu, memory, \
             disk, disk_mount) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        )?
        .execute(params![
            host.name,
            host.os_type,
            host.os_rank,
            host.heard,
            host.address,
            host.first_seen.micros(),
            host.last_seen.micros(),
            host.steady_since.micros(),
            stored(host.events, "a number of events")?,
            host.watched,
            event,
            health.map(|health| health.time.micros()),
            health.and_then(|health| health.cpu),
            health.and_then(|health| health.memory),
            health.and_then(|health| health.disk),
            health.and_then(|health| health.disk_mount.as_deref()),
        ])?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<HostRow> {
    let health = match (row.get::<_, Option<i64>>(10)?, row.get::<_, Option<i64>>(11)?) {
        (Some(event), Some(time)) => Some(HostHealth {
            event: loaded(event),
            time: Timestamp::from_micros(time),
            cpu: row.get(12)?,
            memory: row.get(13)?,
            disk: row.get(14)?,
            disk_mount: row.get(15)?,
            // The next status says so anew.
            spool: None,
            lag: None,
        }),
        _ => None,
    };
    Ok(HostRow {
        name: row.get(0)?,
        os_type: row.get(1)?,
        os_rank: row.get(2)?,
        heard: row.get(3)?,
        address: row.get(4)?,
        first_seen: Timestamp::from_micros(row.get(5)?),
        last_seen: Timestamp::from_micros(row.get(6)?),
        steady_since: Timestamp::from_micros(row.get(7)?),
        events: loaded(row.get(8)?),
        watched: row.get(9)?,
        health,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str, last_seen: i64) -> HostRow {
        let time = Timestamp::from_seconds(last_seen);
        HostRow {
            name: name.to_owned(),
            os_type: "LINUX".to_owned(),
            os_rank: 2,
            heard: "lines".to_owned(),
            address: "192.0.2.1".to_owned(),
            first_seen: Timestamp::from_seconds(1),
            last_seen: time,
            steady_since: Timestamp::from_seconds(2),
            events: 7,
            watched: true,
            health: None,
        }
    }

    #[test]
    fn hosts_come_back_as_they_were_and_go_when_they_must() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("control.db");
        let health = HostHealth {
            event: 9,
            time: Timestamp::from_seconds(20),
            cpu: Some(0.25),
            memory: None,
            disk: Some(0.5),
            disk_mount: Some("/srv".to_owned()),
            spool: None,
            lag: None,
        };
        let (old, new) = (host("old", 10), HostRow { health: Some(health), ..host("new", 20) });
        let control = Control::open(&path).unwrap();
        control.write_hosts(&[&old, &new], &[]).unwrap();
        let again = HostRow { events: 8, ..old.clone() };
        control.write_hosts(&[&again], &[]).unwrap();
        drop(control);

        let control = Control::open(&path).unwrap();
        assert_eq!(control.hosts().unwrap(), [new.clone(), again]);
        control.write_hosts(&[], &["old".to_owned()]).unwrap();
        assert_eq!(control.counters().unwrap().get("hosts.dropped"), Some(&1));
        assert!(!control.forget_host("old").unwrap());
        assert!(control.forget_host("new").unwrap());
        assert_eq!(control.hosts().unwrap(), []);
        // Who is asked to go for good was not dropped.
        assert_eq!(control.counters().unwrap().get("hosts.dropped"), Some(&1));
    }
}
