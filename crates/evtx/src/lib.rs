//! Windows event log files (`.evtx`) into events.
//!
//! Takes bytes and gives events; opens no file and reads no clock.
