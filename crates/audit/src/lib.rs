//! Turns the lines of a Linux audit log into events: joins the records of one event, and reads what
//! they say into fields.
//!
//! Nothing here does I/O or reads a clock, and nothing fails: of torn, cut or lying records there is
//! an event with what could be read, and `auditd.flags` says what is wrong with it.

mod arguments;
mod decode;
mod errors;
mod glimpse;
mod group;
mod hex;
mod joiner;
mod line;
mod meaning;
mod parse;
mod paths;
mod record_type;
mod socket_address;
mod syscalls;
mod tokens;

pub use glimpse::{Glimpse, glimpse};
pub use joiner::{Counters, Flags, Joined, Joiner, Limits};
pub use parse::{parse, read_into};
pub use record_type::RecordType;

/// Whether a line is a record of audit, or begins as one and is torn.
pub fn is_record(line: &[u8]) -> bool {
    line::resembles(line)
}
