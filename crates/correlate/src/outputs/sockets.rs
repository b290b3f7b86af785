//! Sockets that rules send to: they stay open between events, and nobody waits for the other side.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use bergfried_sec::port::Socket as Kind;
use rustix::event::PollFlags;
use socket2::{Domain, SockAddr, Socket, Type};

use super::{Counters, WAITING};
use crate::inputs::shown;
use crate::log::{Log, level};

/// How many peers there are at most; the one that was sent to longest ago is closed for another.
const PEERS: usize = 256;

/// Sockets by kind and peer.
pub(crate) struct Sockets {
    open: HashMap<(Kind, Vec<u8>), Peer>,
    timeout: Duration,
    clock: u64,
    counters: Counters,
}

struct Peer {
    state: State,
    waiting: VecDeque<Vec<u8>>,
    bytes: usize,
    /// How much of the first that waits was sent.
    sent: usize,
    used: u64,
}

enum State {
    /// Its name is looked up by a thread of its own.
    Resolving(Receiver<io::Result<SocketAddr>>, Instant),
    Connecting(Socket, Instant),
    Open(Socket),
}

impl Sockets {
    /// No sockets; connections take so long at most.
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { open: HashMap::new(), timeout, clock: 0, counters: Counters::default() }
    }

    /// Sends a text; it waits where the connection is not there yet.
    pub(crate) fn send(&mut self, kind: Kind, peer: &[u8], text: &[u8], log: &mut Log) {
        self.clock += 1;
        let key = (kind, peer.to_vec());
        for attempt in 0..2 {
            if !self.open.contains_key(&key) {
                let state = match begin(kind, peer) {
                    Ok(state) => state,
                    Err(error) => return self.failed(&key, 1, &error, log),
                };
                self.make_room();
                self.open.insert(key.clone(), Peer::new(state));
            }
            let Some(open) = self.open.get_mut(&key) else { return };
            open.used = self.clock;
            if !open.push(text) {
                self.counters.dropped += 1;
                let text = format!("{} does not take more, event dropped", shown(peer));
                return log.say(level::WARNING, &text);
            }
            match open.go_on(kind, self.timeout) {
                Ok(sent) => return self.counters.written += sent,
                // The other side of a socket that was open was perhaps made anew: once more.
                Err(_) if attempt == 0 && open.was_open() && open.waiting.len() == 1 => {
                    self.open.remove(&key);
                }
                Err(error) => {
                    let lost = open.waiting.len() as u64;
                    return self.failed(&key, lost, &error, log);
                }
            }
        }
    }

    fn failed(&mut self, key: &(Kind, Vec<u8>), lost: u64, error: &io::Error, log: &mut Log) {
        self.open.remove(key);
        self.counters.dropped += lost;
        let text = format!("cannot send to {} {}: {error}", name(key.0), shown(&key.1));
        log.say(level::WARNING, &text);
    }

    fn make_room(&mut self) {
        if self.open.len() < PEERS {
            return;
        }
        let oldest = self.open.iter().min_by_key(|(_, peer)| peer.used);
        if let Some(key) = oldest.map(|(key, _)| key.clone())
            && let Some(peer) = self.open.remove(&key)
        {
            self.counters.dropped += peer.waiting.len() as u64;
        }
    }

    /// Closes a socket.
    pub(crate) fn close(&mut self, kind: Kind, peer: &[u8], log: &mut Log) {
        if self.open.remove(&(kind, peer.to_vec())).is_none() {
            let text = format!("{} {} is not open, cannot close it", name(kind), shown(peer));
            log.say(level::WARNING, &text);
        }
    }

    /// Closes all sockets; they are opened again where rules send.
    pub(crate) fn close_all(&mut self) {
        self.open.clear();
    }

    /// Goes on with connections and with what waits, as far as that is possible at once.
    pub(crate) fn flush(&mut self, log: &mut Log) {
        let mut failed = Vec::new();
        for (key, peer) in &mut self.open {
            if peer.waiting.is_empty() && matches!(peer.state, State::Open(_)) {
                continue;
            }
            match peer.go_on(key.0, self.timeout) {
                Ok(sent) => self.counters.written += sent,
                Err(error) => failed.push((key.clone(), peer.waiting.len() as u64, error)),
            }
        }
        for (key, lost, error) in failed {
            self.failed(&key, lost, &error, log);
        }
    }

    /// Whether something waits to be sent.
    pub(crate) fn are_busy(&self) -> bool {
        self.open.values().any(|peer| !peer.waiting.is_empty())
    }

    /// What to wait for, where something waits to be sent.
    pub(crate) fn waits_for(&self) -> impl Iterator<Item = (BorrowedFd<'_>, PollFlags)> {
        self.open.values().filter(|peer| !peer.waiting.is_empty()).filter_map(|peer| {
            match &peer.state {
                State::Resolving(..) => None,
                State::Connecting(socket, _) | State::Open(socket) => {
                    Some((socket.as_fd(), PollFlags::OUT))
                }
            }
        })
    }

    /// Kinds and names of open sockets.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        self.open.keys().map(|(kind, peer)| (name(*kind), peer.as_slice()))
    }

    /// Counts.
    pub(crate) const fn counters(&self) -> Counters {
        self.counters
    }
}

impl Peer {
    const fn new(state: State) -> Self {
        Self { state, waiting: VecDeque::new(), bytes: 0, sent: 0, used: 0 }
    }

    fn push(&mut self, text: &[u8]) -> bool {
        if self.bytes + text.len() > WAITING {
            return false;
        }
        self.bytes += text.len();
        self.waiting.push_back(text.to_vec());
        true
    }

    const fn was_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// Goes on as far as possible; how many texts were sent.
    fn go_on(&mut self, kind: Kind, timeout: Duration) -> io::Result<u64> {
        if let State::Resolving(answer, since) = &self.state {
            match answer.try_recv() {
                Ok(address) => self.state = connect(kind, &address?.into(), *since)?,
                Err(TryRecvError::Empty) if since.elapsed() < timeout => return Ok(0),
                Err(_) => return Err(io::ErrorKind::TimedOut.into()),
            }
        }
        if let State::Connecting(socket, since) = &self.state {
            if !is_writable(socket)? {
                return match since.elapsed() < timeout {
                    true => Ok(0),
                    false => Err(io::ErrorKind::TimedOut.into()),
                };
            }
            if let Some(error) = socket.take_error()? {
                return Err(error);
            }
        }
        if matches!(self.state, State::Connecting(..)) {
            let State::Connecting(socket, _) = std::mem::replace(&mut self.state, State::closed())
            else {
                return Ok(0);
            };
            self.state = State::Open(socket);
        }
        self.send(kind)
    }

    fn send(&mut self, kind: Kind) -> io::Result<u64> {
        let State::Open(socket) = &self.state else { return Ok(0) };
        let mut done = 0;
        while let Some(text) = self.waiting.front() {
            let rest = text.get(self.sent..).unwrap_or_default();
            match socket.send(rest) {
                Ok(count) if is_stream(kind) && count < rest.len() => {
                    self.sent += count;
                    continue;
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            self.bytes -= text.len();
            self.sent = 0;
            done += 1;
            self.waiting.pop_front();
        }
        Ok(done)
    }
}

impl State {
    /// Stands in while a socket changes its state.
    fn closed() -> Self {
        let (_, answer) = sync_channel(1);
        Self::Resolving(answer, Instant::now())
    }
}

const fn is_stream(kind: Kind) -> bool {
    matches!(kind, Kind::UnixStream | Kind::Tcp)
}

fn begin(kind: Kind, peer: &[u8]) -> io::Result<State> {
    match kind {
        Kind::UnixDatagram | Kind::UnixStream => {
            let path = Path::new(std::ffi::OsStr::from_bytes(peer));
            connect(kind, &SockAddr::unix(path)?, Instant::now())
        }
        Kind::Udp | Kind::Tcp => {
            let text = String::from_utf8_lossy(peer).into_owned();
            if let Ok(address) = text.parse::<SocketAddr>() {
                return connect(kind, &address.into(), Instant::now());
            }
            let (tell, answer) = sync_channel(1);
            let look = move || {
                let found = text.to_socket_addrs().and_then(|mut all| {
                    let none = || io::Error::new(io::ErrorKind::NotFound, "it has no address");
                    all.next().ok_or_else(none)
                });
                // Whoever asked has perhaps closed the socket since.
                tell.send(found).ok();
            };
            thread::Builder::new().name("resolve".to_owned()).spawn(look)?;
            Ok(State::Resolving(answer, Instant::now()))
        }
    }
}

fn connect(kind: Kind, address: &SockAddr, since: Instant) -> io::Result<State> {
    let (domain, how) = match kind {
        Kind::UnixDatagram => (Domain::UNIX, Type::DGRAM),
        Kind::UnixStream => (Domain::UNIX, Type::STREAM),
        Kind::Udp => (address.domain(), Type::DGRAM),
        Kind::Tcp => (address.domain(), Type::STREAM),
    };
    let socket = Socket::new(domain, how, None)?;
    socket.set_nonblocking(true)?;
    match socket.connect(address) {
        Ok(()) => Ok(State::Open(socket)),
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {
            Ok(State::Connecting(socket, since))
        }
        Err(error) => Err(error),
    }
}

fn is_writable(socket: &Socket) -> io::Result<bool> {
    let mut asked = [rustix::event::PollFd::new(socket, PollFlags::OUT)];
    let none = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
    Ok(rustix::event::poll(&mut asked, Some(&none))? > 0)
}

const fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::UnixDatagram => "unix datagram socket",
        Kind::UnixStream => "unix stream socket",
        Kind::Udp => "UDP peer",
        Kind::Tcp => "TCP peer",
    }
}
