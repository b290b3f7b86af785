//! What the agent counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        #[derive(Debug, Default)]
        pub(crate) struct Counters { $($name: AtomicU64),* }

        /// All counters at one moment.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
        pub struct Counts { $($(#[$doc])* pub $name: u64),* }

        impl Stats {
            /// The counters now.
            pub fn counts(&self) -> Counts {
                Counts { $($name: self.0.$name.load(Ordering::Relaxed)),* }
            }
            $(pub(crate) fn $name(&self, more: u64) {
                self.0.$name.fetch_add(more, Ordering::Relaxed);
            })*
        }
    };
}

counters! {
    /// Lines read and made durable in the spool.
    lines_read,
    /// Lines cut at 1 MiB.
    lines_cut,
    /// Batches that the hub took.
    batches_sent,
    /// Records in them.
    records_sent,
    /// Tries that failed and were or will be repeated.
    retries,
    /// Batches that the hub found at fault; they are set aside in `rejected/`.
    batches_rejected,
    /// Batches set aside for which `rejected/` had no room; these are lost.
    batches_lost,
    /// Damaged ends of spool segments that were cut off.
    spool_cuts,
    /// Times that reading stopped because the spool was full.
    spool_full,
    /// Times that the spool could not be written, as on a full disk.
    spool_errors,
}

/// Counters that the agent keeps up; clones are the same counters.
#[derive(Clone, Debug, Default)]
pub struct Stats(Arc<Counters>);
