//! Reads a pipeline file of Logstash and writes it as inputs, chains and outputs of this program.
//!
//! Nothing here does I/O or reads a clock.
