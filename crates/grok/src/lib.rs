//! Grok: patterns by name that read a line of text into fields.
//!
//! Nothing here does I/O or reads a clock.
