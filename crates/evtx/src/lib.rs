//! Windows event log files (`.evtx`): chunks of binary XML, each record as one JSON object.
//!
//! The objects have the shape that `bergfried_parse` reads as [`SourceKind::Json`]. Takes a reader
//! and gives text; opens no file, starts no thread and reads no clock: [`Chunks`] reads one chunk of
//! 64 KiB at a time, and [`Chunk::decode`] is pure, so that a caller can run it on many threads.
//!
//! A file that is damaged, or written by an attacker, gives what can be read of it; the rest is
//! counted. Memory is bounded by [`MAX_RECORD_TEXT`] and [`MAX_CHUNK_TEXT`].
//!
//! [`SourceKind::Json`]: bergfried_event::SourceKind::Json

mod chunk;
mod file;

use thiserror::Error;

pub use chunk::{Chunk, Decoded, MAX_CHUNK_TEXT, MAX_RECORD_TEXT, Record, Settings};
pub use file::{Chunks, is_evtx};

/// Why a file cannot be read, or not on.
#[derive(Debug, Error)]
pub enum EvtxError {
    /// The file does not begin as an event log does.
    #[error("cannot read the event log: it does not begin with `ElfFile`")]
    NotAnEventLog,
    /// The reader failed.
    #[error("cannot read the event log: {0}")]
    Io(#[from] std::io::Error),
}
