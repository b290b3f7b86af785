//! What a reader call may take: until when, and how much memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::error::StoreError;

/// Most callers group far less.
const DEFAULT_MEMORY: usize = 256 << 20;

/// Tells work that it is not wanted any more; clones tell the same.
///
/// The store reads no clock: who minds the time sets it when the time is over.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Ends the work soon, for good.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was told to end.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a reader call may take.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Looked at before each row group and every few thousand events.
    pub stop: Stop,
    /// The most bytes that its groups, values and events may take, near enough.
    pub memory: usize,
}

impl Default for Limits {
    /// No end, 256 MiB.
    fn default() -> Self {
        Limits { stop: Stop::default(), memory: DEFAULT_MEMORY }
    }
}

impl Limits {
    /// # Errors
    /// [`StoreError::Cancelled`] once the work was told to end.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.stop.is_set() { Err(StoreError::Cancelled) } else { Ok(()) }
    }
}
/// The memory that all threads of one call take together.
#[derive(Debug, Default)]
pub(crate) struct Memory(AtomicUsize);

impl Memory {
    /// Notes that the part which took `before` bytes takes `now`.
    ///
    /// # Errors
    /// [`StoreError::TooMuch`] where all of them are more than the limits allow.
    pub(crate) fn moved(
        &self,
        before: usize,
        now: usize,
        what: &'static str,
        limits: &Limits,
    ) -> Result<(), StoreError> {
        // Each part was added before it is taken away again, so that this never wraps for long.
        let grown = self.0.fetch_add(now.wrapping_sub(before), Ordering::Relaxed);
        if now > before && grown.wrapping_add(now - before) > limits.memory {
            return Err(StoreError::TooMuch { what, limit: limits.memory });
        }
        Ok(())
    }
}
