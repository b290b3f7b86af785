//! What the pipeline counts.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Counters of a running pipeline, since its start.
        #[derive(Debug, Default)]
        pub struct Counters {
            $($(#[$doc])* pub $name: AtomicU64,)*
            /// By input: messages that named a host that their sender may not speak for.
            pub claimed: Claimed,
        }

        /// The counters at one moment.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
        pub struct Snapshot { $($(#[$doc])* pub $name: u64),* }

        impl Counters {
            /// The values now.
            pub fn snapshot(&self) -> Snapshot {
                Snapshot { $($name: self.$name.load(Ordering::Relaxed)),* }
            }
        }
    };
}

counters! {
    /// Batches stored.
    batches,
    /// Batches that had been stored before.
    duplicates,
    /// Batches that could not be read.
    invalid,
    /// Batches sent back because too much was waiting.
    busy,
    /// Batches not stored because the disk was full or failed.
    not_stored,
    /// Events stored.
    events,
    /// Records that were longer than a record may be, and cut.
    cut,
    /// Events that another file or the journal had brought before; stored, not judged again.
    repeated,
    /// Events that a chain let go: answered, not stored.
    dropped,
    /// Findings stored.
    findings,
}

pub(crate) fn add(counter: &AtomicU64, amount: usize) {
    counter.fetch_add(amount as u64, Ordering::Relaxed);
}

/// Counts by the name of an input; as many as are configured.
#[derive(Debug, Default)]
pub struct Claimed(Mutex<HashMap<String, u64>>);

impl Claimed {
    pub(crate) fn add(&self, input: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(input) {
            Some(count) => *count += 1,
            None => {
                counts.insert(input.to_owned(), 1);
            }
        }
    }

    /// What was counted of this input.
    pub fn of(&self, input: &str) -> u64 {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(input).copied().unwrap_or_default()
    }
}
