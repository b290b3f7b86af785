//! What readers and the writer share: a consistent view of memory and segments.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use crate::block::Part;
use crate::segment::open::Segment;

/// What there is to read, at one moment.
#[derive(Clone, Default)]
pub(crate) struct Snapshot {
    /// The newest events.
    pub(crate) active: Part,
    /// Events that are being written as a segment.
    pub(crate) sealing: Option<Part>,
    /// Segments, in order of their numbers.
    pub(crate) segments: Arc<Vec<Arc<Segment>>>,
    /// Bytes of write-ahead log.
    pub(crate) wal_bytes: u64,
    /// Bytes cut off torn log files at open.
    pub(crate) torn_bytes: u64,
}

/// The view that is current, and where the files are.
pub(crate) struct Shared {
    pub(crate) directory: PathBuf,
    current: RwLock<Snapshot>,
}

impl Shared {
    pub(crate) fn new(directory: PathBuf, snapshot: Snapshot) -> Self {
        Shared { directory, current: RwLock::new(snapshot) }
    }

    /// The current view; it does not change under its holder.
    pub(crate) fn get(&self) -> Snapshot {
        // A change is made of moves that cannot panic half-way, so that a poisoned lock still
        // guards a consistent view.
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the view at once for all who come after.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Snapshot) -> T) -> T {
        change(&mut self.current.write().unwrap_or_else(PoisonError::into_inner))
    }
}
