//! Control data in SQLite: tokens, alerts, the queue of notifications, agents, audit trail, settings.
//!
//! One file with a write-ahead log. What must last is written with `synchronous=FULL`; a token's
//! time of last use and an agent's heartbeat may be lost in a power cut and are not. Calls block
//! for as long as the disk takes: an async caller runs them on a blocking thread.
//! Events never come here: they live in the event store.

mod agents;
mod alerts;
mod audit;
mod counters;
mod database;
mod error;
mod migrations;
mod outbox;
mod secret;
mod settings;
mod tokens;

pub use agents::{Agent, AgentReport, MAX_AGENTS};
pub use alerts::{AlertChange, AlertFilter, ChannelFilter, Cursor, MAX_ALERTS, MAX_ALERTS_LISTED};
pub use audit::AuditEntry;
pub use database::Control;
pub use error::ControlError;
pub use outbox::{ChannelBacklog, DeadLetter, MAX_DEAD, MAX_QUEUED, OutboxItem};
pub use secret::Secret;
pub use tokens::{Seeded, TokenInfo, TokenKind, TokenLimits};

/// At most `limit` bytes of `text`, cut between characters.
pub(crate) fn clip(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
