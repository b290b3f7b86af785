//! What readers and the writer share: a consistent view of memory and segments.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::Duration;

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
    pub(crate) growth: Growth,
}

impl Shared {
    pub(crate) fn new(directory: PathBuf, snapshot: Snapshot, last_id: u64) -> Self {
        let growth = Growth { state: Mutex::new((last_id, 0)), grown: Condvar::new() };
        Shared { directory, current: RwLock::new(snapshot), growth }
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

/// Tells those who follow the store that it has grown.
pub(crate) struct Growth {
    /// The last id, and how often everyone was woken.
    state: Mutex<(u64, u64)>,
    grown: Condvar,
}

impl Growth {
    pub(crate) fn last_id(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Says that events up to this one are in the current view.
    pub(crate) fn reached(&self, last_id: u64) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0 = last_id;
        self.grown.notify_all();
    }

    pub(crate) fn wake(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1 += 1;
        self.grown.notify_all();
    }

    pub(crate) fn wait_past(&self, after: u64, time: Duration) -> u64 {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let woken = state.1;
        let waited = self
            .grown
            .wait_timeout_while(state, time, |state| state.0 <= after && state.1 == woken);
        waited.unwrap_or_else(PoisonError::into_inner).0.0
    }
}
