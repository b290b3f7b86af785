//! Syslog as it travels: streams into messages, RELP frames, and messages written for others.
//!
//! Nothing here does I/O or reads a clock.
