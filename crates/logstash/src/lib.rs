//! Reads pipeline files of Logstash and writes them as inputs, chains and outputs of this program.
//!
//! Nothing here does I/O or reads a clock or the environment.

pub mod syntax;
