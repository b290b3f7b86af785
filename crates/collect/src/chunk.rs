//! Records on their way to a batch, with where each came from.

use std::sync::Arc;

use bergfried_event::{Origin, Record};
use tokio::sync::OwnedSemaphorePermit;

/// The most records of one chunk; who has more makes several.
const MAX_RECORDS: usize = 4_096;
/// The most bytes of one chunk, unless a single record has more.
const MAX_BYTES: usize = 256 << 10;
/// The most origins of one chunk.
const MAX_ORIGINS: usize = 64;
/// What a record takes up besides its bytes, about.
const OVERHEAD: usize = 96;

/// Records that are handed over together and become durable together.
#[derive(Debug, Default)]
pub struct Chunk {
    pub(crate) origins: Vec<Arc<Origin>>,
    pub(crate) records: Vec<(u16, Record<'static>)>,
    /// The bytes of the records.
    pub(crate) bytes: usize,
    pub(crate) cut: usize,
    /// The room that was given before it was read.
    pub(crate) place: Option<OwnedSemaphorePermit>,
}

impl Chunk {
    /// Adds a record; where it comes from the same connection as one before, so does its `Arc`.
    pub fn push(&mut self, origin: &Arc<Origin>, record: Record<'static>) {
        self.bytes += record.raw.len();
        self.cut += usize::from(record.truncated);
        let position = self.position(origin);
        self.records.push((position, record));
    }

    /// Whether it should be handed over before more is added.
    pub fn is_full(&self) -> bool {
        self.records.len() >= MAX_RECORDS
            || self.bytes >= MAX_BYTES
            || self.origins.len() >= MAX_ORIGINS
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The memory that it takes up, about.
    pub(crate) fn cost(&self) -> usize {
        cost(self.bytes, self.records.len())
    }

    fn position(&mut self, origin: &Arc<Origin>) -> u16 {
        let known = self.origins.iter().rposition(|known| Arc::ptr_eq(known, origin));
        let position = known.unwrap_or_else(|| {
            self.origins.push(Arc::clone(origin));
            self.origins.len() - 1
        });
        // A chunk is full long before; were it not, the last origin would be taken.
        u16::try_from(position).unwrap_or(u16::MAX)
    }
}

/// The memory that so many bytes in so many records take up, about.
pub(crate) fn cost(bytes: usize, records: usize) -> usize {
    bytes + records * OVERHEAD
}
