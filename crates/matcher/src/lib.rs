//! Many predicates over one event at once: which of them hold.
//!
//! A fast path that may only over-approximate; the plain walk of [`bergfried_query::Predicate`]
//! stays the reference. Nothing here does I/O or reads a clock.

mod labels;

pub use labels::Labels;
