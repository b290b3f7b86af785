//! The manifest: which segments there are, chained by hash, and where ids continue.
//!
//! It is replaced whole: written beside the old one, made durable, renamed over it.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use bergfried_event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::wal::sync_directory;

const FILE: &str = "manifest.json";
const VERSION: u32 = 1;
/// A larger manifest was not written by this program.
const MAX_BYTES: u64 = 1 << 30;

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
    /// The segments, in order of their numbers.
    pub(crate) segments: Vec<Entry>,
}

/// One segment.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
    /// Size of the Parquet file.
    pub(crate) bytes: u64,
    /// Size of the index file.
    pub(crate) index_bytes: u64,
    /// BLAKE3 of the Parquet file.
    pub(crate) hash: String,
    /// BLAKE3 of the index file.
    pub(crate) index_hash: String,
    /// BLAKE3 of the chain value before and everything above.
    pub(crate) chain: String,
}

impl Entry {
    /// Where its Parquet file lies.
    pub(crate) fn path(&self, directory: &Path) -> PathBuf {
        directory.join("segments").join(&self.day).join(format!("{:08}.parquet", self.number))
    }

    /// Where its index file lies.
    pub(crate) fn index_path(&self, directory: &Path) -> PathBuf {
        self.path(directory).with_extension("index")
    }

    /// The times it spans.
    pub(crate) fn created(&self) -> (Timestamp, Timestamp) {
        (Timestamp::from_micros(self.min_created), Timestamp::from_micros(self.max_created))
    }

    /// The chain value that this entry must have after `before`.
    pub(crate) fn chained(&self, before: &str) -> String {
        let text = format!(
            "{before}\n{} {} {} {} {} {} {} {} {} {} {}",
            self.number,
            self.day,
            self.events,
            self.min_created,
            self.max_created,
            self.min_id,
            self.max_id,
            self.bytes,
            self.index_bytes,
            self.hash,
            self.index_hash
        );
        blake3::hash(text.as_bytes()).to_hex().to_string()
    }

    fn is_sane(&self) -> bool {
        let date = self.day.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        date && !self.day.is_empty() && self.min_created <= self.max_created && self.events > 0
    }
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
            segments: Vec::new(),
        }
    }

    /// Adds a segment at the end of the chain.
    pub(crate) fn push(&mut self, mut entry: Entry) {
        entry.chain = entry.chained(self.segments.last().map_or("", |last| last.chain.as_str()));
        self.segments.push(entry);
    }

    /// Reads the manifest; `None` where there is none yet.
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
        let manifest: Manifest = serde_json::from_str(body)
            .map_err(|error| StoreError::corrupt(&path, error.to_string()))?;
        if manifest.version != VERSION {
            let reason = format!("version {} is not {VERSION}", manifest.version);
            return Err(StoreError::corrupt(&path, reason));
        }
        let mut before = "";
        for entry in &manifest.segments {
            if !entry.is_sane() || entry.chained(before) != entry.chain {
                let reason = format!("the chain breaks at segment {}", entry.number);
                return Err(StoreError::corrupt(&path, reason));
            }
            before = &entry.chain;
        }
        Ok(Some(manifest))
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
        for number in 1..3 {
            manifest.push(Entry {
                number,
                day: "2026-11-21".to_owned(),
                events: 3,
                min_created: 1,
                max_created: 2,
                min_id: 1,
                max_id: 3,
                bytes: 10,
                index_bytes: 5,
                hash: "a".to_owned(),
                index_hash: "b".to_owned(),
                chain: String::new(),
            });
        }
        manifest.write(directory.path(), true).unwrap();
        let read = Manifest::read(directory.path()).unwrap().unwrap();
        assert_eq!(read.segments[1].chain, manifest.segments[1].chain);
        manifest.segments[0].events = 4;
        manifest.write(directory.path(), true).unwrap();
        let error = Manifest::read(directory.path()).unwrap_err().to_string();
        assert!(error.contains("chain breaks at segment 1"), "{error}");
        let path = directory.path().join(FILE);
        let text = fs::read_to_string(&path).unwrap().replace("\"events\":4", "\"events\":5");
        fs::write(&path, text).unwrap();
        let error = Manifest::read(directory.path()).unwrap_err().to_string();
        assert!(error.contains("checksum"), "{error}");
    }
}
