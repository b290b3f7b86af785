//! The manifest: which segments there are, where ids continue, and how far the ledger goes.
//!
//! It is replaced whole: written beside the old one, made durable, renamed over it. That moment is
//! when a change of the store becomes true.

mod first;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use bergfried_event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::ledger::{self, Cause, End, Record};
use crate::wal::sync_directory;

pub(crate) const FILE: &str = "manifest.json";
const VERSION: u32 = 2;
/// A larger manifest was not written by this program.
const MAX_BYTES: u64 = 1 << 30;
/// The most letters of the name of a class.
const MAX_CLASS: usize = 64;

/// What is durable outside of the write-ahead log.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    version: u32,
    /// The id of the next event that is not in a segment.
    pub(crate) next_event_id: u64,
    /// The last batch whose events are in segments.
    pub(crate) sealed_sequence: u64,
    /// The file of batch ids, which holds those up to `sealed_sequence`.
    pub(crate) batches: Option<String>,
    /// The number of the next segment.
    pub(crate) next_segment: u64,
    /// How far the ledger goes.
    pub(crate) ledger: End,
    /// The segments, in order of their first ids.
    pub(crate) segments: Vec<Entry>,
    /// Segments that left, and whose files may be there for those who still read them.
    pub(crate) leaving: Vec<Leaving>,
}

/// One segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// Its number.
    pub(crate) number: u64,
    /// The day it is filed under.
    pub(crate) day: String,
    /// How many events.
    pub(crate) events: u64,
    /// When the earliest event happened, in microseconds.
    pub(crate) min_created: i64,
    /// When the latest event happened, in microseconds.
    pub(crate) max_created: i64,
    /// The smallest id.
    pub(crate) min_id: u64,
    /// The greatest id.
    pub(crate) max_id: u64,
    /// When the hub took the last of them, in microseconds.
    pub(crate) taken: i64,
    /// Why its events are kept longer than others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) class: Option<String>,
    /// Up to which age retention has looked at its events, in days.
    #[serde(default)]
    pub(crate) trimmed: u32,
    /// Size of the Parquet file.
    pub(crate) bytes: u64,
    /// Size of the index file.
    pub(crate) index_bytes: u64,
    /// BLAKE3 of the Parquet file.
    pub(crate) hash: String,
    /// BLAKE3 of the index file.
    pub(crate) index_hash: String,
}

/// A segment that left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Leaving {
    pub(crate) number: u64,
    pub(crate) day: String,
}

/// Where a segment's Parquet file lies.
fn segment_path(directory: &Path, day: &str, number: u64) -> PathBuf {
    directory.join("segments").join(day).join(format!("{number:08}.parquet"))
}

impl Leaving {
    /// Its files.
    pub(crate) fn paths(&self, directory: &Path) -> [PathBuf; 2] {
        let path = segment_path(directory, &self.day, self.number);
        [path.with_extension("index"), path]
    }
}

impl Entry {
    /// Where its Parquet file lies.
    pub(crate) fn path(&self, directory: &Path) -> PathBuf {
        segment_path(directory, &self.day, self.number)
    }

    /// Where its index file lies.
    pub(crate) fn index_path(&self, directory: &Path) -> PathBuf {
        self.path(directory).with_extension("index")
    }

    /// The times it spans.
    pub(crate) fn created(&self) -> (Timestamp, Timestamp) {
        (Timestamp::from_micros(self.min_created), Timestamp::from_micros(self.max_created))
    }

    /// Bytes of both files.
    pub(crate) fn size(&self) -> u64 {
        self.bytes.saturating_add(self.index_bytes)
    }

    /// The day on which the hub took the last of its events: by which they age. When they happened
    /// is what a sender says.
    pub(crate) fn taken_day(&self) -> i64 {
        Timestamp::from_micros(self.taken).day()
    }

    /// Whether it is the other, whose events may have been looked at since.
    pub(crate) fn is_as(&self, other: &Entry) -> bool {
        let looked_at = Entry { trimmed: other.trimmed, ..self.clone() };
        looked_at == *other
    }

    fn is_sane(&self) -> bool {
        let class = self.class.as_ref().is_none_or(|class| class.len() <= MAX_CLASS);
        let times = self.min_created <= self.max_created && self.min_id <= self.max_id;
        is_day(&self.day) && times && class && self.events > 0
    }
}

/// Whether a text may name the folder of a day.
fn is_day(day: &str) -> bool {
    !day.is_empty() && day.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

impl Manifest {
    /// The manifest of an empty store.
    pub(crate) fn empty() -> Self {
        Manifest {
            version: VERSION,
            next_event_id: 1,
            sealed_sequence: 0,
            batches: None,
            next_segment: 1,
            ledger: End::default(),
            segments: Vec::new(),
            leaving: Vec::new(),
        }
    }

    /// Adds segments, which get their numbers here.
    pub(crate) fn add<'e>(&mut self, entries: impl IntoIterator<Item = &'e mut Entry>) {
        for entry in entries {
            entry.number = self.next_segment;
            self.next_segment += 1;
            self.segments.push(entry.clone());
        }
        self.segments.sort_by_key(|entry| (entry.min_id, entry.number));
    }

    /// Takes segments out, and returns them; `None` where one of them is not there.
    pub(crate) fn take(&mut self, numbers: &HashSet<u64>) -> Option<Vec<Entry>> {
        let all = std::mem::take(&mut self.segments);
        let (gone, kept) = all.into_iter().partition(|entry| numbers.contains(&entry.number));
        self.segments = kept;
        let gone: Vec<Entry> = gone;
        (gone.len() == numbers.len()).then_some(gone)
    }

    /// Reads the manifest; `None` where there is none yet. That of an earlier version is replaced.
    pub(crate) fn read(directory: &Path) -> Result<Option<Self>, StoreError> {
        let path = directory.join(FILE);
        let failed = |error| StoreError::io("read", &path, error);
        match fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
            Ok(metadata) if metadata.len() > MAX_BYTES => {
                return Err(StoreError::corrupt(&path, "it is larger than any manifest"));
            }
            Ok(_) => {}
        }
        let text = fs::read(&path).map_err(failed)?;
        let text =
            String::from_utf8(text).map_err(|_| StoreError::corrupt(&path, "it is no text"))?;
        let (sum, body) =
            text.split_once('\n').ok_or_else(|| StoreError::corrupt(&path, "it ends early"))?;
        if blake3::hash(body.as_bytes()).to_hex().as_str() != sum {
            return Err(StoreError::corrupt(&path, "its checksum is wrong"));
        }
        let corrupt = |reason: String| StoreError::corrupt(&path, reason);
        let version: Version =
            serde_json::from_str(body).map_err(|error| corrupt(error.to_string()))?;
        let manifest = match version.version {
            VERSION => serde_json::from_str(body).map_err(|error| corrupt(error.to_string()))?,
            first::VERSION => Self::begin(directory, first::read(body).map_err(corrupt)?)?,
            version => return Err(corrupt(format!("version {version} is not {VERSION}"))),
        };
        manifest.check().map_err(corrupt)?;
        Ok(Some(manifest))
    }

    /// Begins the ledger of a store that had none.
    fn begin(directory: &Path, (manifest, chain): (Self, String)) -> Result<Self, StoreError> {
        let record = Record {
            at: manifest.segments.iter().map(|entry| entry.taken).max().unwrap_or(0),
            cause: Cause::Began(chain),
            removed: Vec::new(),
            added: manifest.segments.clone(),
        };
        let ledger = ledger::append(directory, &End::default(), &record, true)?;
        let manifest = Manifest { ledger, ..manifest };
        manifest.write(directory, true)?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), String> {
        let mut numbers = HashSet::new();
        for entry in &self.segments {
            if !entry.is_sane() || !numbers.insert(entry.number) {
                return Err(format!("segment {} makes no sense", entry.number));
            }
        }
        match self.leaving.iter().find(|leaving| !is_day(&leaving.day)) {
            Some(leaving) => Err(format!("segment {} makes no sense", leaving.number)),
            None => Ok(()),
        }
    }

    /// Replaces the manifest, durably.
    pub(crate) fn write(&self, directory: &Path, sync: bool) -> Result<(), StoreError> {
        let path = directory.join(FILE);
        let body = serde_json::to_string(self)
            .map_err(|error| StoreError::io("encode", &path, error.into()))?;
        let sum = blake3::hash(body.as_bytes()).to_hex();
        replace(&path, format!("{sum}\n{body}").as_bytes(), sync)
    }
}

/// What every version begins with.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// Replaces a file whole: a reader finds the old bytes or the new.
pub(crate) fn replace(path: &Path, bytes: &[u8], sync: bool) -> Result<(), StoreError> {
    let temporary = path.with_extension("tmp");
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        if sync {
            file.sync_all()?;
        }
        Ok(())
    };
    write().map_err(|error| StoreError::io("write", &temporary, error))?;
    fs::rename(&temporary, path).map_err(|error| StoreError::io("rename", &temporary, error))?;
    match path.parent() {
        Some(parent) if sync => sync_directory(parent),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_and_notices_any_change() {
        let directory = tempfile::tempdir().unwrap();
        assert!(Manifest::read(directory.path()).unwrap().is_none());
        let mut manifest = Manifest::empty();
        let mut entry = first::tests::entry(0);
        manifest.add([&mut entry]);
        assert_eq!((entry.number, manifest.next_segment), (1, 2));
        manifest.write(directory.path(), true).unwrap();
        let read = Manifest::read(directory.path()).unwrap().unwrap();
        assert_eq!(read.segments, [entry]);
        let path = directory.path().join(FILE);
        let text = fs::read_to_string(&path).unwrap().replace("\"events\":3", "\"events\":5");
        fs::write(&path, text).unwrap();
        let error = Manifest::read(directory.path()).unwrap_err().to_string();
        assert!(error.contains("checksum"), "{error}");
    }

    #[test]
    fn a_day_that_leads_elsewhere_is_refused() {
        for day in ["", "..", "2026/11"] {
            let directory = tempfile::tempdir().unwrap();
            let mut manifest = Manifest::empty();
            manifest.leaving.push(Leaving { number: 1, day: day.to_owned() });
            manifest.write(directory.path(), false).unwrap();
            let error = Manifest::read(directory.path()).unwrap_err().to_string();
            assert!(error.contains("makes no sense"), "{error}");
        }
    }
}
