//! Heimdall's words for events: 15 kinds, 5 systems and severities from 1 to 5; which of them an event
//! is, which fields an event of each kind has, and the figures of its last 24 hours.
//!
//! The hub marks every event that is one of Heimdall's with [`stamp`] before it is stored, so that
//! Heimdall's clients find it by plain fields. Nothing here does I/O or reads a clock.

mod classify;
mod finding;
mod table;
pub mod tally;
mod time;
mod words;

pub use classify::{Class, classify, stamp, unstamp};
pub use finding::kind_of_rule;
pub use table::Ecs;
pub use tally::{Metrics, Notes, Tally};
pub use time::read_time;
pub use words::{EventType, OsType, Severity};
