//! The one place where segments become part of the store or leave it.
//!
//! A change is true once the manifest is replaced; files come before that moment and go after it, so
//! that a crash at any time leaves the store as it was before the change or as it is after.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bergfried_event::Timestamp;

use crate::error::StoreError;
use crate::ledger::{self, Cause, Gone, Record};
use crate::manifest::{Entry, Leaving, Manifest};
use crate::segment::open::Segment;
use crate::segment::write::Staged;
use crate::snapshot::{Shared, Snapshot};
use crate::wal::sync_directory;

/// The manifest, and the view of those who read.
pub(crate) struct Catalog {
    pub(crate) shared: Arc<Shared>,
    pub(crate) sync: bool,
    manifest: Mutex<Manifest>,
    /// Held by whoever joins or removes segments, so that one thing is done at a time.
    work: Mutex<()>,
}

/// Segments that come and go at once.
pub(crate) struct Change {
    pub(crate) cause: Cause,
    pub(crate) at: Timestamp,
    /// By number.
    pub(crate) removed: HashSet<u64>,
    pub(crate) added: Vec<Staged>,
}

impl Catalog {
    pub(crate) fn new(shared: Arc<Shared>, manifest: Manifest, sync: bool) -> Self {
        Catalog { shared, sync, manifest: Mutex::new(manifest), work: Mutex::default() }
    }

    pub(crate) fn manifest(&self) -> MutexGuard<'_, Manifest> {
        // It is only ever replaced whole.
        self.manifest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to join or remove segments.
    pub(crate) fn work(&self) -> MutexGuard<'_, ()> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the change, durably; `more` changes what else the manifest says, `view` what else is
    /// seen by those who read from then on. After an error all is as before.
    pub(crate) fn commit(
        &self,
        change: Change,
        more: impl FnOnce(&mut Manifest),
        view: impl FnOnce(&mut Snapshot),
    ) -> Result<(), StoreError> {
        let directory = &self.shared.directory;
        let mut manifest = self.manifest();
        let mut next = manifest.clone();
        next.leaving.retain(|gone| gone.paths(directory).iter().any(|path| path.exists()));
        let Change { cause, at, removed, mut added } = change;
        let gone = next
            .take(&removed)
            .ok_or_else(|| StoreError::corrupt(directory, "a segment to remove is not there"))?;
        next.add(added.iter_mut().map(|staged| &mut staged.entry));
        next.leaving.extend(gone.iter().map(Entry::leaving));
        more(&mut next);
        let write = || -> Result<(), StoreError> {
            for staged in &added {
                staged.place(directory)?;
            }
            if self.sync {
                sync_folders(directory, &added)?;
            }
            if !(added.is_empty() && gone.is_empty()) {
                let record = Record {
                    at: at.micros(),
                    cause,
                    removed: gone.iter().map(Entry::gone).collect(),
                    added: added.iter().map(|staged| staged.entry.clone()).collect(),
                };
                next.ledger = ledger::append(directory, &next.ledger, &record, self.sync)?;
            }
            next.write(directory, self.sync)
        };
        if let Err(error) = write() {
            added.iter().for_each(|staged| staged.displace(directory));
            return Err(error);
        }
        added.into_iter().for_each(Staged::keep);
        *manifest = next;
        self.show(&manifest, view);
        Ok(())
    }

    /// Shows the manifest's segments to those who read. Files of those that left go when the last of
    /// their readers does.
    fn show(&self, manifest: &Manifest, view: impl FnOnce(&mut Snapshot)) {
        let before = self.shared.get().segments;
        let mut known: HashMap<u64, &Arc<Segment>> =
            before.iter().map(|segment| (segment.entry.number, segment)).collect();
        let mut segments = Vec::with_capacity(manifest.segments.len());
        for entry in &manifest.segments {
            segments.push(match known.remove(&entry.number) {
                Some(segment) if segment.entry == *entry => Arc::clone(segment),
                _ => Arc::new(Segment::new(entry.clone(), &self.shared.directory)),
            });
        }
        known.into_values().for_each(|segment| segment.leave());
        self.shared.change(|snapshot| {
            snapshot.segments = Arc::new(segments);
            view(snapshot);
        });
    }
}

impl Entry {
    fn gone(&self) -> Gone {
        Gone { number: self.number, events: self.events, hash: self.hash.clone() }
    }

    fn leaving(&self) -> Leaving {
        Leaving { number: self.number, day: self.day.clone() }
    }
}

fn sync_folders(directory: &Path, added: &[Staged]) -> Result<(), StoreError> {
    let root = directory.join("segments");
    let days: HashSet<&str> = added.iter().map(|staged| staged.entry.day.as_str()).collect();
    for day in &days {
        sync_directory(&root.join(day))?;
    }
    if days.is_empty() { Ok(()) } else { sync_directory(&root) }
}
