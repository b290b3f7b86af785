//! A store that nobody has open: its segments, without the log.

use std::path::Path;
use std::sync::Arc;

use super::Keeper;
use crate::catalog::Catalog;
use crate::error::StoreError;
use crate::manifest::Manifest;
use crate::opening::lock;
use crate::segment::open::Segment;
use crate::snapshot::{Shared, Snapshot};

impl Keeper {
    /// Looks after the store in a directory that no hub uses, and keeps hubs from using it meanwhile.
    /// Events that are in the log alone are not looked at and stay there.
    ///
    /// # Errors
    /// [`StoreError::Locked`] where another process has it open, [`StoreError::Corrupt`] where there is
    /// no store or its manifest is damaged, otherwise failures of the disk.
    pub fn at_rest(directory: &Path) -> Result<Keeper, StoreError> {
        // A young store has its log alone.
        if !["segments", "wal"].iter().any(|name| directory.join(name).is_dir()) {
            return Err(StoreError::corrupt(directory, "there is no store"));
        }
        Self::open(directory)
    }

    /// As [`Keeper::at_rest`], of a store that may be empty.
    pub(super) fn open(directory: &Path) -> Result<Keeper, StoreError> {
        let held = lock(directory)?;
        let manifest = Manifest::read(directory)?.unwrap_or_else(Manifest::empty);
        let segments = manifest.segments.iter();
        let segments =
            segments.map(|entry| Arc::new(Segment::new(entry.clone(), directory))).collect();
        let snapshot = Snapshot { segments: Arc::new(segments), ..Snapshot::default() };
        let last_id = manifest.next_event_id.saturating_sub(1);
        let shared = Shared::new(directory.to_owned(), snapshot, last_id);
        let catalog = Catalog::new(Arc::new(shared), manifest, true);
        Ok(Keeper { catalog: Arc::new(catalog), _held: Some(Arc::new(held)) })
    }
}
