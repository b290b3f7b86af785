//! Many predicates over one event at once: which of them hold.
//!
//! A [`Matcher`] takes apart its predicates into atoms, each only once however many rules share it.
//! For each predicate it picks keys (a word in a field, the end of a path, a number) one of which an
//! event must have for the predicate to hold; an event's fields are looked through once for the keys
//! of all predicates, and only those whose keys were found are evaluated. Which keys are rare it
//! learns from a sample of events ([`Statistics`]); any choice finds the same.
//!
//! A fast path may only over-approximate; the plain walk of [`bergfried_query::Predicate`] stays the
//! reference. Nothing here does I/O or reads a clock.

mod cache;
mod catalogue;
mod ends;
mod filter;
mod gates;
mod grams;
mod index;
mod key;
mod labels;
mod matcher;
mod names;
mod odds;
mod passage;
mod program;
mod scratch;
mod statistics;
mod texts;

pub use labels::Labels;
pub use matcher::{Cost, Entry, Matcher};
pub use scratch::Scratch;
pub use statistics::Statistics;
