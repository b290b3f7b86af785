//! A batch that grows until it is worth a commit.

use std::collections::HashMap;
use std::sync::Arc;

use bergfried_event::{Origin, Record};
use bergfried_wire::Batch;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::chunk::Chunk;

/// A batch takes no further chunk past this many records.
const MAX_RECORDS: usize = 8_192;
/// A batch takes no further chunk past this many bytes.
const MAX_BYTES: usize = 1 << 20;
/// A batch takes no further chunk past this many origins.
const MAX_ORIGINS: usize = 1_024;

/// A chunk that waits, with the room that it takes and who is told once it is stored.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) chunk: Chunk,
    /// Whether its sender sends nothing more before it is told.
    pub(crate) is_awaited: bool,
    pub(crate) waiting: Waiting,
}

/// The room of one chunk, and who is told.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) place: OwnedSemaphorePermit,
    pub(crate) stored: oneshot::Sender<()>,
}

/// A whole batch, and who is told when it is stored; dropping it frees the room and tells that it
/// was given up.
#[derive(Debug)]
pub(crate) struct Shipment {
    pub(crate) batch: Arc<Batch<'static>>,
    waiting: Vec<Waiting>,
}

impl Shipment {
    pub(crate) fn stored(self) {
        for Waiting { place, stored } in self.waiting {
            drop(place);
            // Most senders cannot be told, and do not wait.
            let _untold = stored.send(());
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Gathered {
    origins: Vec<Arc<Origin>>,
    /// Positions in `origins`, by address.
    positions: HashMap<usize, u16>,
    records: Vec<(u16, Record<'static>)>,
    bytes: usize,
    is_awaited: bool,
    waiting: Vec<Waiting>,
}

impl Gathered {
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.records.len() >= MAX_RECORDS
            || self.bytes >= MAX_BYTES
            || self.origins.len() >= MAX_ORIGINS
    }

    /// Whether somebody sends nothing more before it is stored.
    pub(crate) fn is_awaited(&self) -> bool {
        self.is_awaited
    }

    pub(crate) fn add(&mut self, queued: Queued) {
        let Queued { chunk, is_awaited, waiting } = queued;
        self.is_awaited |= is_awaited;
        let Chunk { origins, records, bytes, .. } = chunk;
        let positions: Vec<u16> = origins.into_iter().map(|origin| self.position(origin)).collect();
        self.records.extend(records.into_iter().map(|(position, record)| {
            (positions.get(usize::from(position)).copied().unwrap_or_default(), record)
        }));
        self.bytes += bytes;
        self.waiting.push(waiting);
    }

    /// The batch as it is, under an id of its own; what comes next is another's.
    pub(crate) fn ship(&mut self) -> Shipment {
        let Gathered { origins, records, waiting, .. } = std::mem::take(self);
        let origins = origins.iter().map(|origin| origin.as_ref().clone()).collect();
        Shipment { batch: Arc::new(batch(origins, records)), waiting }
    }

    fn position(&mut self, origin: Arc<Origin>) -> u16 {
        // The address stays taken, and so names one origin, while the batch holds the origin.
        let address = Arc::as_ptr(&origin).addr();
        if let Some(position) = self.positions.get(&address) {
            return *position;
        }
        let position = u16::try_from(self.origins.len()).unwrap_or(u16::MAX);
        self.origins.push(origin);
        self.positions.insert(address, position);
        position
    }
}

/// A batch of these records under a new id; no agent sent it.
fn batch(origins: Vec<Origin>, records: Vec<(u16, Record<'static>)>) -> Batch<'static> {
    let mut id = [0; 16];
    if let Err(error) = getrandom::fill(&mut id) {
        // The id only has to be one that no other batch has.
        tracing::error!(%error, "no random numbers, the id of a batch is the time");
        id = jiff::Timestamp::now().as_nanosecond().to_be_bytes();
    }
    Batch { id, agent: String::new(), origins, records }
}

/// The batch in two, each under an id of its own; none where it has a single record.
pub(crate) fn halves(whole: &Batch<'static>) -> Option<[Arc<Batch<'static>>; 2]> {
    let middle = whole.records.len() / 2;
    if middle == 0 {
        return None;
    }
    let (first, second) = whole.records.split_at(middle);
    Some([first, second].map(|half| Arc::new(batch(whole.origins.clone(), half.to_vec()))))
}
