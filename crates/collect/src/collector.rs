//! The room that all connections share, and the queue behind it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bergfried_event::{Origin, Record};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::chunk::Chunk;
use crate::counters::{Counters, add};
use crate::gathered::{Queued, Waiting};
use crate::room::{Gate, Unfinished, fit};
use crate::shipping::{Ship, Sink, Troubles};

/// How many bytes of streams may be under way, over all connections. Who waits for room is served
/// in turn, one chunk at a time, so that one sender cannot take more than its share.
const STREAM_ROOM: usize = 48 << 20;
/// How many bytes of datagrams. They have room of their own because they cannot be held back: full
/// streams must not cost datagrams.
const DATAGRAM_ROOM: usize = 24 << 20;

/// The hub stops; what was not answered as durable is the sender's to send again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the hub is stopping")]
pub struct Stopping;

/// Which room records take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Their sender waits while there is none.
    Stream,
    /// As [`Lane::Stream`], and it sends nothing more before it is told that they are durable.
    Awaited,
    /// Their sender cannot wait.
    Datagram,
}

/// Takes records of one input; cheap to clone.
#[derive(Clone, Debug)]
pub struct Collector {
    shared: Arc<Shared>,
    counters: Arc<Counters>,
}

#[derive(Debug)]
struct Shared {
    streams: Arc<Semaphore>,
    datagrams: Arc<Semaphore>,
    queue: mpsc::UnboundedSender<Queued>,
    troubles: Arc<Troubles>,
    unfinished: Arc<Unfinished>,
}

/// The task that hands records over, from its start to its end.
#[derive(Debug)]
pub struct Shipping {
    collector: Collector,
    task: JoinHandle<()>,
}

/// Resolves when the records that it was given for are durable, or the hub stops before.
///
/// Dropping it changes nothing about the records.
#[derive(Debug)]
#[must_use = "records are durable only when it resolves; drop it where the sender cannot be told"]
pub struct Ticket(oneshot::Receiver<()>);

impl Future for Ticket {
    type Output = Result<(), Stopping>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let stored = ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(stored.map_err(|_given_up| Stopping))
    }
}

impl Shipping {
    /// Starts to hand what will be taken to this sink.
    ///
    /// Must be called within a tokio runtime.
    pub fn start<S: Sink>(sink: S) -> Shipping {
        // Bounded by the room that whatever is in it holds.
        let (queue, waiting) = mpsc::unbounded_channel();
        let troubles = Arc::new(Troubles::default());
        let shared = Shared {
            streams: Arc::new(Semaphore::new(STREAM_ROOM)),
            datagrams: Arc::new(Semaphore::new(DATAGRAM_ROOM)),
            queue,
            troubles: Arc::clone(&troubles),
            unfinished: Arc::default(),
        };
        let task = tokio::spawn(Ship::new(sink, waiting, troubles).run());
        let collector = Collector { shared: Arc::new(shared), counters: Arc::default() };
        Shipping { collector, task }
    }

    /// The collector, for connections that belong to no input of their own.
    pub fn collector(&self) -> Collector {
        self.collector.clone()
    }

    /// Whoever is asked how it goes.
    pub(crate) fn view(&self) -> ShippingView {
        ShippingView(Arc::clone(&self.collector.shared.troubles))
    }

    /// Takes nothing more; returns when what was taken is durable, or was tried once more in vain.
    pub async fn stop(self) {
        self.collector.shared.streams.close();
        self.collector.shared.datagrams.close();
        self.collector.shared.troubles.stop();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the task that hands records over ended by a panic");
        }
    }
}

/// Answers how it goes with what was taken.
#[derive(Clone, Debug)]
pub(crate) struct ShippingView(Arc<Troubles>);

impl ShippingView {
    /// What keeps records from being stored right now.
    pub(crate) fn trouble(&self) -> Option<&'static str> {
        self.0.now()
    }

    /// How many records the store could never take, and are lost.
    pub(crate) fn lost(&self) -> u64 {
        self.0.lost()
    }
}

impl Collector {
    /// The same collector, counting for this input.
    #[must_use]
    pub fn counting(&self, counters: Arc<Counters>) -> Collector {
        Collector { shared: Arc::clone(&self.shared), counters }
    }

    /// What is counted of the input.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// Waits until there is room (bytes over all connections are capped), then queues. Records of
    /// which nobody awaits the ticket wait a moment for others; these do not.
    ///
    /// The ticket resolves when all of the records are durable. Give at most some hundred KiB at
    /// once: they are one chunk, whatever their number.
    ///
    /// # Errors
    /// Where the hub stops; nothing was taken.
    pub async fn take(
        &self,
        origin: &Arc<Origin>,
        records: Vec<Record<'static>>,
    ) -> Result<Ticket, Stopping> {
        let mut chunk = Chunk::default();
        for record in records {
            chunk.push(origin, record);
        }
        self.take_chunk(chunk, Lane::Awaited).await
    }

    /// As [`Collector::take`], for records of several origins.
    ///
    /// # Errors
    /// As [`Collector::take`].
    pub async fn take_chunk(&self, mut chunk: Chunk, lane: Lane) -> Result<Ticket, Stopping> {
        let (messages, bytes, cut) = (chunk.records.len(), chunk.bytes, chunk.cut);
        let place = match chunk.place.take() {
            Some(place) => fit(place, chunk.cost()),
            None => self.room(chunk.cost(), lane).await?,
        };
        let (stored, ticket) = oneshot::channel();
        let is_awaited = lane == Lane::Awaited;
        let queued = Queued { chunk, is_awaited, waiting: Waiting { place, stored } };
        self.shared.queue.send(queued).map_err(|_closed| Stopping)?;
        add(&self.counters.messages, messages as u64);
        add(&self.counters.bytes, bytes as u64);
        add(&self.counters.cut, cut as u64);
        Ok(Ticket(ticket))
    }

    /// What lets a connection read only where there is room for what it brings.
    pub(crate) fn gate(&self) -> Gate<'_> {
        Gate::new(&self.shared.streams, &self.counters)
    }

    /// What all connections hold of messages that are not whole.
    pub(crate) fn unfinished(&self) -> &Arc<Unfinished> {
        &self.shared.unfinished
    }

    async fn room(&self, cost: usize, lane: Lane) -> Result<OwnedSemaphorePermit, Stopping> {
        let (room, all) = match lane {
            Lane::Stream | Lane::Awaited => (&self.shared.streams, STREAM_ROOM),
            Lane::Datagram => (&self.shared.datagrams, DATAGRAM_ROOM),
        };
        // What is larger than everything gets everything.
        let cost = u32::try_from(cost.min(all)).unwrap_or(u32::MAX);
        if let Ok(place) = Arc::clone(room).try_acquire_many_owned(cost) {
            return Ok(place);
        }
        let since = Instant::now();
        let place = Arc::clone(room).acquire_many_owned(cost).await.map_err(|_closed| Stopping);
        add(&self.counters.held_ms, u64::try_from(since.elapsed().as_millis()).unwrap_or(0));
        place
    }
}

#[cfg(test)]
mod tests;
