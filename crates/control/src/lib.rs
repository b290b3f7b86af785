//! Control data in SQLite: tokens, alerts, the queue of notifications, agents, hosts, audit trail,
//! sessions, settings, kept searches.
//!
//! One file with a write-ahead log. What must last is written with `synchronous=FULL`; a token's
//! time of last use and an agent's heartbeat may be lost in a power cut and are not. Calls block
//! for as long as the disk takes: an async caller runs them on a blocking thread.
//! Events never come here: they live in the event store.

mod accounts;
mod agents;
mod audit;
mod book;
mod counters;
mod database;
mod error;
mod hosts;
mod letters;
mod migrations;
mod searches;
mod secret;
mod sessions;
mod settings;
mod snapshot;
mod telling;
mod tokens;

pub use accounts::{AccountChange, AccountUse};
pub use agents::{Agent, AgentReport, MAX_AGENTS};
pub use audit::{AuditChange, AuditCheck, AuditEntry, AuditQuery, NewAudit};
pub use book::{BookChanges, BookHeartbeat, BookRaised, BookRow, BookStart};
pub use database::Control;
pub use error::ControlError;
pub use hosts::{HostHealth, HostRow, MAX_HOSTS};
pub use letters::{Backlog, Delivery, GivenUp, MAX_BUNDLED, MAX_DEAD, MAX_QUEUED, QueuedLetter};
pub use searches::{MAX_SEARCHES, NewSearch, SavedSearch, SearchTime};
pub use secret::Secret;
pub use sessions::SessionRow;
pub use telling::{Letter, LetterBundle, MAX_TIMERS, Telling, TimerRow};
pub use tokens::{Seeded, TokenInfo, TokenKind, TokenLimits};

/// At most `limit` bytes of `text`, cut between characters.
pub(crate) fn clip(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
