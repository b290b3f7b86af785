//! Looking after what is stored: joining small segments, removing what is old, proving that nothing
//! else was.
//!
//! All of it works beside the writer and the readers and is bounded: one join or one part of a day at
//! a time. Nothing here reads a clock.

mod archive;
mod at_rest;
mod backup;
mod bundle;
mod compact;
mod copy;
mod retain;
mod rewrite;

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;

use bergfried_event::Timestamp;

use crate::catalog::Catalog;
use crate::error::StoreError;
use crate::ledger;
use crate::limits::Stop;
pub use archive::Archived;
pub use backup::backup;
pub use bundle::{Bundle, bundle, restore};
pub use compact::Compacted;
pub use retain::{Due, Kept, Removed, Retention, RetentionClass};

/// Looks after what is stored. Clones do the same; whatever is asked of them is done one at a time.
#[derive(Clone)]
pub struct Keeper {
    catalog: Arc<Catalog>,
    /// The lock of a store that nobody has open.
    _held: Option<Arc<File>>,
}

/// What is stored of one day and class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The day on which the events happened, as `2026-11-21`.
    pub day: String,
    /// Why they are kept longer than others.
    pub class: Option<String>,
    /// How many events.
    pub events: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// Files.
    pub segments: u64,
}

/// What was proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Segments whose files are whole.
    pub segments: u64,
    /// Events in them.
    pub events: u64,
    /// Changes in the ledger.
    pub changes: u64,
    /// The last value of the chain. Written down elsewhere, it proves later that what came before was
    /// not written anew.
    pub head: String,
    /// Events that retention removed.
    pub expired: u64,
    /// Events that moved to an archive.
    pub archived: u64,
}

/// How long maintenance goes on, and a way to stop it.
#[derive(Clone, Copy, Debug)]
pub struct Work<'w> {
    /// When it is.
    pub now: Timestamp,
    /// Set where it is to be given up; what was done is done, what was begun leaves no trace.
    pub stop: &'w Stop,
}

impl Keeper {
    pub(crate) fn new(catalog: Arc<Catalog>) -> Self {
        Keeper { catalog, _held: None }
    }

    /// What is stored in segments, by day and class.
    pub fn shares(&self) -> Vec<Share> {
        let mut shares: BTreeMap<(String, Option<String>), Share> = BTreeMap::new();
        for entry in &self.catalog.manifest().segments {
            let (day, class) = (entry.day.clone(), entry.class.clone());
            let share = shares.entry((day.clone(), class.clone())).or_insert(Share {
                day,
                class,
                events: 0,
                bytes: 0,
                segments: 0,
            });
            share.events += entry.events;
            share.bytes += entry.size();
            share.segments += 1;
        }
        shares.into_values().collect()
    }

    /// How many changes the ledger has, and the last value of its chain.
    pub fn chain(&self) -> (u64, String) {
        let manifest = self.catalog.manifest();
        (manifest.ledger.records, manifest.ledger.head.clone())
    }

    /// Proves from the ledger that what is stored is what was written, less what retention and archives
    /// took, and reads every file whole. `known` is a value that the chain had once; empty, where none
    /// is known.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] names the first file that was altered or is gone, or the line of the
    /// ledger that does not follow from those before.
    pub fn verify(&self, known: &str, stop: &Stop) -> Result<Verified, StoreError> {
        let (manifest, segments) = {
            let manifest = self.catalog.manifest();
            (manifest.clone(), self.catalog.shared.get().segments)
        };
        let directory = &self.catalog.shared.directory;
        let told = ledger::read(directory, &manifest.ledger, known)?;
        let path = ledger::path(directory);
        if !told.knows {
            return Err(StoreError::corrupt(&path, "the chain never had the value given"));
        }
        let mut there = told.there;
        let mut events = 0;
        for segment in segments.iter() {
            if stop.is_set() {
                return Err(StoreError::Cancelled);
            }
            match there.remove(&segment.entry.number) {
                Some(entry) if entry.is_as(&segment.entry) => segment.verify()?,
                _ => {
                    return Err(StoreError::corrupt(&segment.path, "the ledger knows another one"));
                }
            }
            events += segment.entry.events;
        }
        if let Some((_, lost)) = there.pop_first() {
            let reason = "the ledger has it, the manifest does not";
            return Err(StoreError::corrupt(&lost.path(directory), reason));
        }
        Ok(Verified {
            segments: segments.len() as u64,
            events,
            changes: manifest.ledger.records,
            head: manifest.ledger.head,
            expired: told.expired,
            archived: told.archived,
        })
    }
}
