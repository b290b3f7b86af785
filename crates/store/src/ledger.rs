//! The ledger: what ever became part of the store and what left it, each line chained to the one
//! before by hash. It only grows.
//!
//! The manifest says what the store is now and how far the ledger goes; the ledger proves how it came
//! to be so. A line that a crash left behind the end that the manifest names was never true.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::manifest::Entry;

const FILE: &str = "ledger";
/// A longer line was not written by this program.
const MAX_LINE: u64 = 64 << 20;

/// How far the ledger goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct End {
    /// Its length.
    pub(crate) bytes: u64,
    /// How many lines.
    pub(crate) records: u64,
    /// The chain value of the last line.
    pub(crate) head: String,
}

/// Why segments came or went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Cause {
    /// New events were written.
    Sealed,
    /// Small segments were joined; every event of them is in those that came.
    Compacted,
    /// Retention removed events, as the text says.
    Expired(String),
    /// Events moved to another store, which the text names.
    Archived(String),
    /// Events came from another store, which the text names.
    Taken(String),
    /// The ledger begins; what there was before was chained in another way, up to this value.
    Began(String),
}

/// A segment that left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gone {
    pub(crate) number: u64,
    pub(crate) events: u64,
    pub(crate) hash: String,
}

/// One line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    /// When, in microseconds; of new events, when the last of them was taken.
    pub(crate) at: i64,
    pub(crate) cause: Cause,
    pub(crate) removed: Vec<Gone>,
    pub(crate) added: Vec<Entry>,
}

pub(crate) fn path(directory: &Path) -> PathBuf {
    directory.join(FILE)
}

/// Writes a line behind `end`, whatever a crash left there; returns where the ledger ends then.
pub(crate) fn append(
    directory: &Path,
    end: &End,
    record: &Record,
    sync: bool,
) -> Result<End, StoreError> {
    let path = path(directory);
    let body = serde_json::to_string(record)
        .map_err(|error| StoreError::io("encode", &path, error.into()))?;
    let head = chained(&end.head, &body);
    let line = format!("{head} {body}\n");
    let write = || -> std::io::Result<()> {
        let options = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let mut file = options?;
        file.set_len(end.bytes)?;
        file.seek(SeekFrom::Start(end.bytes))?;
        file.write_all(line.as_bytes())?;
        if sync { file.sync_all() } else { Ok(()) }
    };
    write().map_err(|error| StoreError::io("write", &path, error))?;
    Ok(End { bytes: end.bytes + line.len() as u64, records: end.records + 1, head })
}

/// What the ledger tells.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// What must be there now, by number.
    pub(crate) there: BTreeMap<u64, Entry>,
    /// Events that retention removed.
    pub(crate) expired: u64,
    /// Events that moved to an archive.
    pub(crate) archived: u64,
    /// Whether a chain value that was asked for is one of the chain's.
    pub(crate) knows: bool,
}

/// Reads the ledger up to its end and proves the chain; says whether it ever had the value `known`.
pub(crate) fn read(directory: &Path, end: &End, known: &str) -> Result<Told, StoreError> {
    let path = path(directory);
    let mut told = Told { knows: known.is_empty(), ..Told::default() };
    if end.records == 0 {
        return Ok(told);
    }
    let corrupt =
        |at: u64, reason: &str| StoreError::corrupt(&path, format!("{reason} in line {at}"));
    let failed = |error| StoreError::io("read", &path, error);
    let file = std::fs::File::open(&path).map_err(failed)?;
    let mut lines = BufReader::new(file.take(end.bytes));
    let (mut head, mut length) = (String::new(), 0);
    let mut line = String::new();
    for number in 1..=end.records {
        line.clear();
        let read = lines.by_ref().take(MAX_LINE).read_line(&mut line).map_err(failed)?;
        length += read as u64;
        let body = line.strip_suffix('\n').and_then(|line| line.split_once(' '));
        let (chain, body) = body.ok_or_else(|| corrupt(number, "it ends early"))?;
        if chained(&head, body) != chain {
            return Err(corrupt(number, "the chain breaks"));
        }
        head = chain.to_owned();
        told.knows |= known == head;
        let record: Record =
            serde_json::from_str(body).map_err(|error| corrupt(number, &error.to_string()))?;
        told.apply(record).map_err(|reason| corrupt(number, &reason))?;
    }
    if head != end.head || length != end.bytes {
        return Err(StoreError::corrupt(&path, "it does not end as the manifest says"));
    }
    Ok(told)
}

impl Told {
    fn apply(&mut self, record: Record) -> Result<(), String> {
        let mut left = 0;
        for gone in &record.removed {
            match self.there.remove(&gone.number) {
                Some(entry) if entry.hash == gone.hash && entry.events == gone.events => {
                    left += gone.events;
                }
                _ => return Err(format!("segment {} leaves that is not there", gone.number)),
            }
        }
        let mut came = 0;
        for entry in record.added {
            came += entry.events;
            let number = entry.number;
            if self.there.insert(number, entry).is_some() {
                return Err(format!("segment {number} comes twice"));
            }
        }
        match record.cause {
            Cause::Sealed | Cause::Taken(_) | Cause::Began(_) if left == 0 => {}
            Cause::Compacted if left == came => {}
            Cause::Expired(_) if came <= left => self.expired += left - came,
            Cause::Archived(_) if came <= left => self.archived += left - came,
            cause => return Err(format!("{left} events left and {came} came by {cause:?}")),
        }
        Ok(())
    }
}

fn chained(before: &str, body: &str) -> String {
    blake3::hash(format!("{before}\n{body}").as_bytes()).to_hex().to_string()
}
