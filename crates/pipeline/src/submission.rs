//! What goes into the pipeline, and the answer.

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use bergfried_wire::Batch;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// The records of one batch.
#[derive(Debug)]
pub enum Payload {
    /// A body in the native batch format, decompressed.
    Wire(Vec<u8>),
    /// Records that an adapter made.
    Batch(Batch<'static>),
    /// Records that their sender keeps for another try, should this one fail.
    Shared(Arc<Batch<'static>>),
}

/// A batch that was read, whoever owns it.
pub(crate) enum Readable<'b> {
    Own(Batch<'b>),
    Shared(Arc<Batch<'static>>),
}

impl<'b> Deref for Readable<'b> {
    type Target = Batch<'b>;

    fn deref(&self) -> &Batch<'b> {
        match self {
            Readable::Own(batch) => batch,
            Readable::Shared(batch) => batch,
        }
    }
}

/// Who sent the batch.
#[derive(Clone, Debug)]
pub struct Sender {
    /// The address that the connection came from.
    pub address: Option<IpAddr>,
    /// The agent's program and version, where the sender is an agent to be listed among the hosts.
    pub agent: Option<String>,
}

/// A batch on its way, with the place for the answer.
#[derive(Debug)]
pub struct Submission {
    pub(crate) payload: Payload,
    pub(crate) sender: Sender,
    pub(crate) reply: oneshot::Sender<Answer>,
    /// Its place among those that wait, free again once it is dropped.
    pub(crate) place: OwnedSemaphorePermit,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is durable now.
    Stored {
        /// The batch's id.
        batch: [u8; 16],
        /// The id of its first event; the others follow.
        first_event_id: u64,
        /// How many events it became.
        events: u64,
    },
    /// It was stored before.
    Duplicate {
        /// The batch's id.
        batch: [u8; 16],
        /// The id of its first event.
        first_event_id: u64,
        /// How many records it has.
        events: u64,
    },
    /// It is no batch; the same bytes fail again.
    Invalid(String),
    /// There is no room on the disk; nothing of it was stored.
    Full,
    /// The store failed; nothing of it was stored.
    Failed,
}
