//! The event store: crash-safe, append-only, one writer and many readers.
//!
//! A batch is durable and searchable once [`Writer::append`] returns: it is in the write-ahead log,
//! and its events are in memory. When enough have gathered, a background thread writes them as an
//! immutable Parquet segment, enters that into the manifest, and the log file goes. Searches read
//! memory and segments alike, and give what [`Predicate::matches`] would give event by event.
//!
//! Nothing here reads a clock or knows an async runtime; every call blocks.

mod aggregate;
mod batches;
mod block;
mod bounds;
mod bytes_io;
mod catalog;
mod count;
mod encode;
mod error;
mod explain;
pub mod export;
mod fetch;
mod follow;
mod keep;
mod ledger;
mod limits;
mod manifest;
mod opening;
mod reader;
mod seal;
mod segment;
mod select;
mod snapshot;
mod text_hash;
mod top;
mod unit;
mod wal;
mod writer;

use std::sync::Arc;

use bergfried_event::{Event, Finding, Timestamp};
use bergfried_query::Predicate;

pub use aggregate::{Aggregation, Column, Figure, Key, Kind, MAX_KEYS, Sort, Table};
pub use error::StoreError;
pub use explain::{Explanation, Parts};
pub use keep::{
    Archived, Bundle, Compacted, Due, Keeper, Kept, Removed, Retention, RetentionClass, Share,
    Verified, Work, backup, bundle, restore,
};
pub use limits::{Limits, Stop};
pub use opening::open;
pub use reader::Reader;
pub use writer::Writer;

/// How the store works.
#[derive(Clone, Debug)]
pub struct Options {
    /// Events are moved from memory into a segment after so many.
    pub segment_events: usize,
    /// Events are moved into a segment when the first of them was taken so many microseconds ago,
    /// looked at on every append and tick.
    pub segment_age: i64,
    /// Whether to wait for the disk. Without it a crash of the machine can lose events; for tests
    /// and benchmarks alone.
    pub sync: bool,
}

impl Default for Options {
    /// 262,144 events (about 100 MB of memory for short lines, twice that while a segment is being
    /// written), an hour, with waiting for the disk.
    fn default() -> Self {
        Options { segment_events: 1 << 18, segment_age: 3_600 * Timestamp::SECOND, sync: true }
    }
}

/// Who sent a batch: chosen by the sender, the same when it sends the batch again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub [u8; 16]);

/// A batch to store.
#[derive(Debug)]
pub struct NewBatch<'a> {
    /// Its id.
    pub id: BatchId,
    /// When the hub took it.
    pub ingested: Timestamp,
    /// Its events. Their ids will follow each other.
    pub events: Vec<Event<'a>>,
    /// What the rules said of them; kept until [`Writer::findings_applied`].
    pub findings: Arc<[Finding]>,
}

/// Where a batch is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its place among all batches, from 1.
    pub sequence: u64,
    /// The id of its first event.
    pub first_event_id: u64,
}

/// Findings of a batch that was in the write-ahead log when the store was opened; the alert store
/// may or may not have applied them already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingFindings {
    /// The batch's place among all batches.
    pub sequence: u64,
    /// What the rules said.
    pub findings: Vec<Finding>,
}

/// What to search for.
#[derive(Clone, Debug)]
pub struct Search {
    /// The condition.
    pub predicate: Predicate,
    /// Events that happened at this time or later.
    pub from: Timestamp,
    /// Events that happened before this time; [`Timestamp::MAX`] is no end.
    pub to: Timestamp,
    /// The most events to return.
    pub limit: usize,
    /// Where the page before ended: only events that come after this one, latest first.
    pub before: Option<(Timestamp, u64)>,
}

/// Events found, latest first; of the same time, the greatest id first.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The events.
    pub events: Vec<StoredEvent>,
    /// Whether there are more.
    pub more: bool,
}

/// An event as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEvent {
    /// Its id, also its field `event.id`.
    pub id: u64,
    /// When the hub took it, also its field `event.ingested` (as text).
    pub ingested: Timestamp,
    /// The event, its fields in the order of their names' positions.
    pub event: Event<'static>,
}

/// How much is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Events, also those in memory.
    pub events: u64,
    /// Events in memory, not in a segment yet.
    pub events_in_memory: u64,
    /// Segment files.
    pub segments: usize,
    /// Bytes of segments with their filters.
    pub bytes_on_disk: u64,
    /// Bytes of write-ahead log.
    pub wal_bytes: u64,
    /// Bytes cut off torn log files when the store was opened.
    pub torn_bytes: u64,
    /// When the earliest event happened.
    pub oldest: Option<Timestamp>,
    /// When the latest event happened.
    pub newest: Option<Timestamp>,
}
