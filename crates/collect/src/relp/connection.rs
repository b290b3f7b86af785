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
use tokio::sync::watch;
use tokio::time::Instant;

use crate::collector::{Collector, Stopping};
use crate::counters::add;
use crate::intake::{now, record, stopped};
use crate::relp::PATH_TLS;
use crate::relp::answers::Answers;
use crate::relp::memory::{Client, Memory, Session};
use crate::relp::resent::{Beginning, Verdict, WINDOW};

/// How much is read at once.
const BUFFER: usize = 64 << 10;
/// How many messages are gathered while others are under way.
const GROUP: usize = WINDOW;
/// How many bytes of messages.
const GROUP_BYTES: usize = 256 << 10;
/// How long nothing may come before what was sent first is taken as all that is sent again: a
/// client sends it in one go.
const QUIET: Duration = Duration::from_millis(700);
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
    held_since: Option<Instant>,
    next: Group,
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
}

/// What happened next.
enum Step {
    Read(io::Result<usize>, Result<(), Fault>),
    Written(io::Result<()>),
    Durable(Result<(), Stopping>),
    Quiet,
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
                Step::Read(read, taken) => {
                    taken?;
                    if read? == 0 {
                        return Err(Fault::Unclosed);
                    }
                    self.settle(false);
                }
                Step::Written(written) => written?,
                Step::Durable(durable) => self.durable(durable)?,
                Step::Quiet => self.settle(true),
                Step::Idle => return Err(Fault::Idle),
                Step::Stop => return Err(Stopping.into()),
            }
        }
    }

    async fn step<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut S) -> Step {
        let is_idle = self.under_way.is_none() && self.answers.is_empty();
        let (timer, timed_out) = match (self.incoming.held_since, self.terms.idle_timeout) {
            (Some(since), _) => (Some(since + QUIET), Step::Quiet),
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
        let work = poll_fn(|context| self.poll(stream, context));
        tokio::select! {
            biased;
            step = work => step,
            () = timer => timed_out,
            () = stop => Step::Stop,
        }
    }

    /// Whatever of reading, writing and becoming durable is next.
    fn poll<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
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
            && let Poll::Ready((read, taken)) = self.poll_read(stream, context)
        {
            return Poll::Ready(Step::Read(read, taken));
        }
        Poll::Pending
    }

    fn poll_read<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<(io::Result<usize>, Result<(), Fault>)> {
        READ.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            if let Err(error) = ready!(Pin::new(stream).poll_read(context, &mut buffer)) {
                return Poll::Ready((Err(error), Ok(())));
            }
            let taken = self.take(buffer.filled());
            Poll::Ready((Ok(buffer.filled().len()), taken))
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
        let Group { records, hashes, after, .. } = std::mem::take(&mut self.incoming.next);
        let messages = hashes.len();
        self.session.took(hashes);
        let (collector, origin) = (self.terms.collector, self.origin);
        let durable = Box::pin(async move {
            if !records.is_empty() {
                collector.take(origin, records).await?.await?;
            }
            for session in after {
                session.durable().await?;
            }
            Ok(())
        });
        self.under_way = Some(UnderWay { messages, durable });
    }

    fn durable(&mut self, durable: Result<(), Stopping>) -> Result<(), Fault> {
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
        self.held.push(came);
        self.held_since = Some(Instant::now());
    }

    /// Gives how many of the held messages are stored already.
    fn settle(&mut self, now: bool, memory: &Memory) -> u64 {
        if self.held.is_empty() {
            return 0;
        }
        let verdicts = self.beginning.as_ref().and_then(|beginning| beginning.verdicts(now));
        let Some(verdicts) = verdicts else { return 0 };
        let earlier = std::mem::take(&mut self.earlier);
        self.beginning = None;
        self.held_since = None;
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
