//! What is asked of the journal, and what it leaves out.

use std::path::PathBuf;

use crate::line::From;

/// How to follow the journal.
#[derive(Clone, Debug)]
pub struct JournalOptions {
    /// A directory with journal files in place of this machine's own.
    pub directory: Option<PathBuf>,
    /// Only entries of these units (all where empty), and what systemd says of them.
    pub units: Vec<String>,
    /// Only the kernel's entries, beside those of `units` where there are some.
    pub kernel: bool,
    /// Where to begin without a cursor.
    pub from: From,
}

impl JournalOptions {
    /// Whether every entry is asked for.
    #[cfg(unix)]
    pub(crate) fn is_whole(&self) -> bool {
        self.units.is_empty() && !self.kernel
    }
}

/// Entries that were never shown, though journald had counted them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalGap {
    /// The id of the count: journald's own since it began to count.
    pub sequence: String,
    /// The first number that is missing.
    pub first: u64,
    /// The last one.
    pub last: u64,
}

impl JournalGap {
    /// How many are missing.
    pub fn missing(&self) -> u64 {
        self.last.saturating_sub(self.first).saturating_add(1)
    }
}
