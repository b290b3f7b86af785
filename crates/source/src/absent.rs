//! In place of the journal and of local sockets where a system has none: nothing ever comes.

use std::time::Instant;

use crate::checkpoint::Changes;
use crate::journal_options::{JournalGap, JournalOptions};
use crate::line::{Flow, Line};

/// Why there is no journal to follow.
///
/// # Errors
/// Always.
pub fn journal_present(_options: &JournalOptions) -> Result<(), String> {
    Err("this system has none".to_owned())
}

/// A journal without entries.
#[derive(Debug)]
pub struct Journal(());

impl Journal {
    /// Nothing to go on with.
    pub fn new(_options: JournalOptions, _cursor: Option<String>, _now: Instant) -> Self {
        Journal(())
    }

    /// Hands nothing out.
    pub fn read(&mut self, _now: Instant, _sink: &mut dyn FnMut(Line<'_>) -> Flow) -> bool {
        false
    }

    /// No changes.
    pub fn changes(&mut self) -> Changes {
        Changes::default()
    }

    /// No gaps.
    pub fn gaps(&mut self) -> Vec<JournalGap> {
        Vec::new()
    }
}

/// A socket to which nobody writes.
#[derive(Debug)]
pub struct Socket(());

impl Socket {
    /// Connects to nothing.
    pub fn new(path: String, _now: Instant) -> Self {
        tracing::warn!(path, "this system has no such sockets");
        Socket(())
    }

    /// Hands nothing out.
    pub fn read(&mut self, _now: Instant, _sink: &mut dyn FnMut(Line<'_>) -> Flow) -> bool {
        false
    }
}
