//! One connection: messages in, and answers once they are durable.
//!
//! One group of messages is under way at a time, and a group becomes durable as a whole or not at
//! all: what is stored of a session is always a prefix of what its client sent, which is what
//! `resent.rs` rests on. While a group is under way the next one is gathered, up to a bound; past
//! it nothing is read, and the client waits.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bergfried_event::{Origin, Record};
use bergfried_syslog::relp::{self, Action, Reader, SERVER_CLOSE};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;

use crate::chunk::{Chunk, cost};
use crate::collector::{Collector, Lane, Stopping};
use crate::counters::add;
use crate::intake::{now, record, stopped};
use crate::relp::PATH_TLS;
use crate::relp::answers::Answers;
use crate::relp::memory::{Client, Memory, Session};
use crate::relp::resent::{Beginning, Verdict, WINDOW};
use crate::room::{Gate, Holding, fit};

/// How much is read at once.
const BUFFER: usize = 64 << 10;
/// How many messages are gathered while others are under way.
const GROUP: usize = WINDOW;
/// How many bytes of messages.
const GROUP_BYTES: usize = 256 << 10;
/// How long nothing may come before what was sent first is taken as all that is sent again: a
/// client sends it in one go.
const QUIET: Duration = Duration::from_millis(700);
/// How many bytes of messages are held at most while it is not certain whether they were stored.
const HELD_BYTES: usize = 4 << 20;
/// How long the first of them waits at most, whatever comes behind it.
const HELD_TIME: Duration = Duration::from_secs(10);
/// How long the last answers may take to be written.
const LAST_WRITE: Duration = Duration::from_secs(2);

thread_local! {
    /// One for each thread, not for each connection: an idle connection holds no buffer.
    static READ: RefCell<Box<[u8]>> = RefCell::new(vec![0; BUFFER].into_boxed_slice());
}

/// What connections of one input work with.
#[derive(Clone, Debug)]
pub(crate) struct Terms<'a> {
    pub(crate) collector: &'a Collector,
    pub(crate) memory: &'a Memory,
    /// Longer messages are cut, in bytes.
    pub(crate) max_message: usize,
    /// How long a connection may bring nothing.
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) stopping: watch::Receiver<bool>,
}

/// Why a connection ended otherwise than by `close`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// It was reset, or its encryption failed.
    #[error(transparent)]
    Broken(#[from] io::Error),
    /// It ended without `close`; what was not answered comes again.
    #[error("the connection ended without close")]
    Unclosed,
    /// It is no RELP.
    #[error(transparent)]
    Protocol(#[from] relp::Fault),
    /// It brought nothing for as long as it may.
    #[error("nothing came for too long")]
    Idle,
    /// Its message is large and not whole, and all connections together hold too much.
    #[error("too much is held of messages that are not whole")]
    Crowded,
    /// An earlier session of the same client is not done.
    #[error("an earlier session of the same client is not done yet")]
    Unsettled,
    /// The hub stops.
    #[error(transparent)]
    Stopping(#[from] Stopping),
}

/// Serves a connection until it ends or the hub stops. `socket` is what `stream` reads from.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    socket: Option<OwnedFd>,
    origin: &Arc<Origin>,
    terms: Terms<'_>,
) -> Result<(), Fault> {
    let mut stopping = terms.stopping.clone();
    let begun = tokio::select! {
        begun = terms.memory.begin(client(origin), socket) => begun,
        () = stopped(&mut stopping) => return Err(Stopping.into()),
    };
    let (session, earlier) = begun.ok_or(Fault::Unsettled)?;
    let mut connection = Connection {
        origin,
        reader: Reader::new(terms.max_message),
        protocol: relp::Session::new(concat!("bergfried,", env!("CARGO_PKG_VERSION"))),
        incoming: Incoming { earlier, ..Incoming::default() },
        under_way: None,
        answers: Answers::default(),
        session: &session,
        holding: Holding::new(terms.collector.unfinished()),
        terms,
    };
    let served = connection.run(&mut stream).await;
    connection.leave(&mut stream, &served).await;
    connection.terms.memory.end(&session, served.is_ok());
    served
}

/// Who a connection comes from: as the memory finds it again in the store.
fn client(origin: &Origin) -> Client {
    let peer = origin.peer.as_ref();
    let name = peer.and_then(|peer| peer.name.clone()).filter(|_| origin.path == PATH_TLS);
    let address = peer.and_then(|peer| peer.address);
    let who = name.or_else(|| address.map(|address| address.ip().to_canonical().to_string()));
    Client { input: origin.input.clone().unwrap_or_default(), who: who.unwrap_or_default() }
}

/// A message that came.
struct Came {
    hash: u64,
    record: Record<'static>,
}

/// Messages on their way in.
#[derive(Default)]
struct Incoming {
    /// The earlier sessions of the client, until it is certain what is sent again.
    earlier: Vec<Arc<Session>>,
    beginning: Option<Beginning>,
    /// Messages of which it is not certain yet.
    held: Vec<Came>,
    held_bytes: usize,
    /// When the first of them came, and the last.
    held_since: Option<(Instant, Instant)>,
    /// How many must be held before it is worth to look again: each look costs all of them.
    look_at: usize,
    next: Group,
    /// The room of all of them, given before they were read.
    place: Option<OwnedSemaphorePermit>,
    is_closed: bool,
}

/// Messages that become durable together.
#[derive(Default)]
struct Group {
    records: Vec<Record<'static>>,
    bytes: usize,
    /// Of the records and of what was resent between them.
    hashes: Vec<u64>,
    /// Sessions that took what was resent.
    after: Vec<Arc<Session>>,
}

/// A group whose durability is awaited.
struct UnderWay<'a> {
    messages: usize,
    durable: Pin<Box<dyn Future<Output = Result<(), Stopping>> + Send + 'a>>,
}

struct Connection<'a> {
    origin: &'a Arc<Origin>,
    terms: Terms<'a>,
    reader: Reader,
    protocol: relp::Session,
    session: &'a Arc<Session>,
    incoming: Incoming,
    under_way: Option<UnderWay<'a>>,
    answers: Answers,
    holding: Holding,
}

/// What happened next.
enum Step {
    Read(Result<usize, Fault>),
    Written(io::Result<()>),
    Durable(Result<(), Stopping>),
    Quiet,
    /// There was no room to read for so long.
    Waiting,
    Idle,
    Stop,
}

impl<'a> Connection<'a> {
    /// Works until the client closes, and everything is answered.
    async fn run<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
    ) -> Result<(), Fault> {
        loop {
            if self.under_way.is_none() && !self.incoming.next.hashes.is_empty() {
                self.hand_over();
            }
            if self.incoming.is_closed && self.under_way.is_none() && self.answers.is_empty() {
                return Ok(());
            }
            match self.step(stream).await {
                Step::Read(read) => {
                    if read? == 0 {
                        return Err(Fault::Unclosed);
                    }
                    self.settle(false);
                    if !self.holding.note(self.reader.held()) {
                        return Err(Fault::Crowded);
                    }
                }
                Step::Written(written) => written?,
                Step::Durable(durable) => self.durable(durable)?,
                Step::Quiet => self.settle(true),
                Step::Waiting => {}
                Step::Idle => return Err(Fault::Idle),
                Step::Stop => return Err(Stopping.into()),
            }
        }
    }

    async fn step<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut S) -> Step {
        let is_idle = self.under_way.is_none() && self.answers.is_empty();
        let (timer, timed_out) = match (self.incoming.held_since, self.terms.idle_timeout) {
            (Some((first, last)), _) => (Some((last + QUIET).min(first + HELD_TIME)), Step::Quiet),
            (None, Some(idle)) if is_idle => (Some(Instant::now() + idle), Step::Idle),
            _ => (None, Step::Idle),
        };
        let timer = async move {
            match timer {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let mut stopping = self.terms.stopping.clone();
        let stop = stopped(&mut stopping);
        let mut gate = self.terms.collector.gate();
        let work = poll_fn(|context| self.poll(stream, &mut gate, context));
        let step = tokio::select! {
            biased;
            step = work => Some(step),
            () = timer => None,
            () = stop => Some(Step::Stop),
        };
        match step {
            Some(step) => step,
            // It is the hub that does not read: the next look begins a new time.
            None if gate.is_shut() && matches!(timed_out, Step::Idle) => Step::Waiting,
            None => timed_out,
        }
    }

    /// Whatever of reading, writing and becoming durable is next.
    fn poll<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        gate: &mut Gate<'_>,
        context: &mut Context<'_>,
    ) -> Poll<Step> {
        if let Some(under_way) = &mut self.under_way
            && let Poll::Ready(durable) = under_way.durable.as_mut().poll(context)
        {
            return Poll::Ready(Step::Durable(durable));
        }
        if let Poll::Ready(written) = self.answers.poll_write(stream, context) {
            return Poll::Ready(Step::Written(written));
        }
        if self.incoming.has_room()
            && self.answers.has_room()
            && let Poll::Ready(read) = self.poll_read(stream, gate, context)
        {
            return Poll::Ready(Step::Read(read));
        }
        Poll::Pending
    }

    fn poll_read<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        gate: &mut Gate<'_>,
        context: &mut Context<'_>,
    ) -> Poll<Result<usize, Fault>> {
        let place = ready!(gate.poll(context))?;
        READ.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            ready!(Pin::new(stream).poll_read(context, &mut buffer))?;
            let taken = self.take(buffer.filled());
            self.incoming.give(place);
            Poll::Ready(taken.map(|()| buffer.filled().len()))
        })
    }

    /// Takes the frames of what was read.
    fn take(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let Connection { reader, protocol, incoming, answers, terms, .. } = self;
        let received = now();
        let mut fault = None;
        let read = reader.push(bytes, &mut |frame| {
            if fault.is_some() {
                return;
            }
            match protocol.take(frame) {
                Ok(Action::Store { txnr, message }) => {
                    answers.expect(txnr);
                    let hash = terms.memory.hash(message.bytes);
                    incoming.came(Came { hash, record: record(&message, received) });
                }
                Ok(Action::Reply(bytes)) => answers.reply(&bytes),
                Ok(Action::Close(bytes)) => {
                    answers.reply(&bytes);
                    incoming.is_closed = true;
                }
                Ok(Action::Nothing) => {}
                Err(error) => fault = Some(error),
            }
        });
        read?;
        fault.map_or(Ok(()), |fault| Err(fault.into()))
    }

    /// Decides what of the held messages is new, where that is certain or must be `now`.
    fn settle(&mut self, now: bool) {
        let resent = self.incoming.settle(now || self.incoming.is_closed, self.terms.memory);
        add(&self.terms.collector.counters().resent, resent);
    }

    /// Hands the gathered group over.
    fn hand_over(&mut self) {
        let mut chunk = Chunk { place: self.incoming.place_of_next(), ..Chunk::default() };
        let Group { records, hashes, after, .. } = std::mem::take(&mut self.incoming.next);
        for record in records {
            chunk.push(self.origin, record);
        }
        let messages = hashes.len();
        self.session.took(hashes);
        let collector = self.terms.collector;
        let durable = Box::pin(async move {
            if !chunk.is_empty() {
                collector.take_chunk(chunk, Lane::Stream).await?.await?;
            }
            for session in after {
                session.durable().await?;
            }
            Ok(())
        });
        self.under_way = Some(UnderWay { messages, durable });
    }

    fn durable(&mut self, durable: Result<(), Stopping>) -> Result<(), Fault> {
        if durable.is_err() {
            // Whoever waits for it must not wait for ever.
            self.session.give_up();
        }
        durable?;
        if let Some(under_way) = self.under_way.take() {
            self.session.stored(under_way.messages);
            self.answers.durable(under_way.messages);
        }
        Ok(())
    }

    /// After the end: what came is stored, and what is stored is answered where that still can be.
    /// What is held is left to the client, which sends it again.
    async fn leave<S: AsyncWrite + Unpin>(&mut self, stream: &mut S, served: &Result<(), Fault>) {
        while self.under_way.is_some() || !self.incoming.next.hashes.is_empty() {
            if self.under_way.is_none() {
                self.hand_over();
            }
            let Some(under_way) = &mut self.under_way else { break };
            let durable = under_way.durable.as_mut().await;
            if self.durable(durable).is_err() {
                break;
            }
        }
        let may_hear = !matches!(served, Err(Fault::Broken(_) | Fault::Unclosed));
        if may_hear {
            if served.is_err() {
                self.answers.last(SERVER_CLOSE);
            }
            let write = poll_fn(|context| self.answers.poll_all(stream, context));
            if !matches!(tokio::time::timeout(LAST_WRITE, write).await, Ok(Ok(()))) {
                tracing::debug!("the last answers of a RELP connection were not taken");
            }
        }
    }
}

impl Incoming {
    /// Whether more may be read.
    fn has_room(&self) -> bool {
        !self.is_closed
            && self.held.len() < WINDOW
            && self.held_bytes < HELD_BYTES
            && self.next.hashes.len() < GROUP
            && self.next.bytes < GROUP_BYTES
    }

    fn came(&mut self, came: Came) {
        if self.beginning.is_none() && !self.earlier.is_empty() {
            // Read as late as can be: what is left of them may just have been taken.
            let tails = self.earlier.iter().map(|session| session.tail()).collect();
            self.beginning = Some(Beginning::after(tails));
        }
        let Some(beginning) = &mut self.beginning else {
            self.next.add(came);
            return;
        };
        beginning.push(came.hash);
        self.held_bytes += came.record.raw.len();
        self.held.push(came);
        let now = Instant::now();
        self.held_since = Some((self.held_since.map_or(now, |(first, _)| first), now));
    }

    /// Adds the room that was given for what was just read.
    fn give(&mut self, place: OwnedSemaphorePermit) {
        let place = match self.place.take() {
            Some(mut all) => {
                all.merge(place);
                all
            }
            None => place,
        };
        let bytes = self.held_bytes + self.next.bytes;
        let cost = cost(bytes, self.held.len() + self.next.records.len());
        self.place = (cost > 0).then(|| fit(place, cost));
    }

    /// Takes the room of the next group.
    fn place_of_next(&mut self) -> Option<OwnedSemaphorePermit> {
        if self.held.is_empty() {
            return self.place.take();
        }
        let place = self.place.as_mut()?;
        let cost = cost(self.next.bytes, self.next.records.len());
        place.split(cost.min(place.num_permits()))
    }

    /// Gives how many of the held messages are stored already.
    fn settle(&mut self, now: bool, memory: &Memory) -> u64 {
        if self.held.is_empty() {
            return 0;
        }
        let now = now || self.held_bytes >= HELD_BYTES;
        if !now && self.held.len() < self.look_at.min(WINDOW) {
            return 0;
        }
        self.look_at = self.held.len() + self.held.len() / 2;
        let verdicts = self.beginning.as_ref().and_then(|beginning| beginning.verdicts(now));
        let Some(verdicts) = verdicts else { return 0 };
        let earlier = std::mem::take(&mut self.earlier);
        self.beginning = None;
        self.held_since = None;
        self.held_bytes = 0;
        let mut resent = 0;
        for (came, verdict) in std::mem::take(&mut self.held).into_iter().zip(verdicts) {
            let session = match verdict {
                Verdict::New => None,
                Verdict::Resent(index) => earlier.get(index),
            };
            let Some(session) = session else {
                self.next.add(came);
                continue;
            };
            resent += 1;
            self.next.hashes.push(came.hash);
            if !self.next.after.iter().any(|known| Arc::ptr_eq(known, session)) {
                self.next.after.push(Arc::clone(session));
                memory.forget(session);
            }
        }
        resent
    }
}

impl Group {
    fn add(&mut self, came: Came) {
        self.bytes += came.record.raw.len();
        self.hashes.push(came.hash);
        self.records.push(came.record);
    }
}

#[cfg(test)]
mod tests;
