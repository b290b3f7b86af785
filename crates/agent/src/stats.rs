//! What the agent counts.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        #[derive(Debug, Default)]
        pub(crate) struct Counters { $($name: AtomicU64),* }

        /// All counters at one moment.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counts { $($(#[$doc])* pub $name: u64),* }

        impl fmt::Display for Counts {
            /// Those that are not zero: `lines_read=3 batches_sent=1`.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut between = "";
                for (name, count) in [$((stringify!($name), self.$name)),*] {
                    if count > 0 {
                        write!(f, "{between}{name}={count}")?;
                        between = " ";
                    }
                }
                Ok(())
            }
        }

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
    /// Records read and made durable in the spool: lines, and the joined lines of one audit event.
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
    /// Audit events that were joined, and lines of audit logs that are torn.
    audit_events,
    /// Of these, lines that begin as a record does and are torn.
    audit_lines_torn,
    /// Audit events left out because they are of users that nobody watches.
    audit_events_unwatched,
    /// Audit events sent in parts, because too many, or too much of them, waited for their ends.
    audit_events_parted,
    /// Serials of audit logs that never came.
    audit_serials_missing,
    /// Entries that journald counted and that the journal does not have.
    journal_entries_missing,
    /// Times that the spool could not be written, as on a full disk.
    spool_errors,
}

/// Counters that the agent keeps up; clones are the same counters.
#[derive(Clone, Debug, Default)]
pub struct Stats(Arc<Counters>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_told_by_name() {
        let stats = Stats::default();
        assert_eq!(stats.counts().to_string(), "");
        stats.lines_read(3);
        stats.clone().audit_lines_torn(1);
        assert_eq!(stats.counts().to_string(), "lines_read=3 audit_lines_torn=1");
    }
}
