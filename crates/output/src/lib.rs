//! Events for others, after they are stored: files, syslog receivers, another hub.
//!
//! The event store is the queue: each output has a thread of its own and a durable place in the
//! store, and reads on from there. A target that is away stalls neither another output nor what
//! comes in, and loses nothing that the store still holds.

mod backoff;
mod config;
mod counters;
mod files;
mod hub;
mod name;
mod outputs;
mod place;
mod runner;
mod syslog;
mod template;

pub use config::{Compress, Framing, From, Kind, Output, OutputError, OutputFile, Payload};
pub use counters::{FilesReport, OutputReport};
pub use outputs::{Outputs, StartError};
