//! What benchmarks measure with: log lines, events and rules, the same for the same seed on every
//! machine.
//!
//! All of it is made up here; nothing is copied from a corpus or a real network.

pub mod audit;
pub mod events;
pub mod lines;
mod memory;
pub mod random;
pub mod rules;
pub mod sigma;

pub use memory::memory;
