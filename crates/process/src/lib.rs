//! Chains of steps that read more out of an event, or change it.
//!
//! Nothing here does I/O or reads a clock.
