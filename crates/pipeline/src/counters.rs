//! What the pipeline counts.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Counters of a running pipeline, since its start.
        #[derive(Debug, Default)]
        pub struct Counters { $($(#[$doc])* pub $name: AtomicU64),* }

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
    /// Findings stored.
    findings,
    /// Notifications delivered.
    notified,
    /// Notifications put off after a failure.
    retried,
    /// Notifications given up.
    dead,
}

pub(crate) fn add(counter: &AtomicU64, amount: usize) {
    counter.fetch_add(amount as u64, Ordering::Relaxed);
}
