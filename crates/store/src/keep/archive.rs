//! Moving old segments into another store.
//!
//! In this order: their files are copied and made durable, the other store's manifest has them, this
//! store's manifest has them no more. A crash in between leaves them in both; done again, what is there
//! already is not copied again.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use bergfried_event::Timestamp;

use super::copy::copied;
use super::{Keeper, Work};
use crate::catalog::Change;
use crate::error::StoreError;
use crate::ledger::Cause;
use crate::segment::write::{Staged, staging};

/// What was moved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Archived {
    /// Files.
    pub segments: u64,
    /// Events.
    pub events: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Keeper {
    /// Moves every segment whose events all happened before `before` into the store in the directory
    /// `to`, which is made where it is absent. Events keep their ids there; it can be searched as any
    /// store, and be added to.
    ///
    /// # Errors
    /// [`StoreError::Locked`] where somebody has the other store open, [`StoreError::Corrupt`] where a
    /// file is not what the manifest says; nothing is removed here then. [`StoreError::Cancelled`], and
    /// failures of the disk.
    pub fn archive(
        &self,
        to: &Path,
        before: Timestamp,
        work: Work<'_>,
    ) -> Result<Archived, StoreError> {
        let _alone = self.catalog.work();
        for path in [to, &to.join("segments"), &to.join("wal"), &staging(to)] {
            fs::create_dir_all(path).map_err(|error| StoreError::io("create", path, error))?;
        }
        let other = Keeper::open(to)?;
        let there: HashSet<String> =
            other.catalog.manifest().segments.iter().map(|entry| entry.hash.clone()).collect();
        let from = &self.catalog.shared.directory;
        let snapshot = self.catalog.shared.get();
        let old = snapshot.segments.iter();
        let old: Vec<_> = old.filter(|one| one.entry.max_created < before.micros()).collect();
        let mut archived = Archived::default();
        let mut added = Vec::new();
        for segment in &old {
            let entry = &segment.entry;
            archived.segments += 1;
            archived.events += entry.events;
            archived.bytes += entry.size();
            if there.contains(&entry.hash) {
                continue;
            }
            let path = staging(to).join(format!("a{}.parquet", entry.number));
            let mut fresh = entry.clone();
            fresh.number = 0;
            let staged = Staged::at(fresh, path.clone());
            copied(&segment.path, &path, (entry.bytes, &entry.hash), work.stop)?;
            let (index, to) = (entry.index_path(from), path.with_extension("index"));
            copied(&index, &to, (entry.index_bytes, &entry.index_hash), work.stop)?;
            added.push(staged);
        }
        if old.is_empty() {
            return Ok(archived);
        }
        let name = |path: &Path| path.display().to_string();
        let next = old.iter().map(|one| one.entry.max_id + 1).max().unwrap_or(1);
        let taken = Change {
            cause: Cause::Taken(name(from)),
            at: work.now,
            removed: HashSet::new(),
            added,
        };
        let raise = |id: &mut u64| *id = (*id).max(next);
        other.catalog.commit(taken, |manifest| raise(&mut manifest.next_event_id), |_| {})?;
        let gone = Change {
            cause: Cause::Archived(name(to)),
            at: work.now,
            removed: old.iter().map(|one| one.entry.number).collect(),
            added: Vec::new(),
        };
        self.catalog.commit(gone, |_| {}, |_| {})?;
        Ok(archived)
    }
}
