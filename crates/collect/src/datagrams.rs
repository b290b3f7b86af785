//! Syslog in datagrams: UDP (RFC 5426) and local sockets such as `/dev/log`.
//!
//! Each socket has a thread of its own, so that nothing that others do keeps it from being emptied.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bergfried_event::Origin;
use bergfried_syslog::datagram;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::runtime::Handle;

use crate::chunk::Chunk;
use crate::collector::Lane;
use crate::config::{Address, Transport};
use crate::intake::{Intake, now, record};
use crate::listener::{Bound, Listener, RETRY, inode};
use crate::unix::{self, SocketFile};

/// The longest datagram that there is (RFC 768); a local one may be longer and is cut.
const LONGEST: usize = 64 << 10;
/// The longest local one that is taken whole.
const LONGEST_LOCAL: usize = (1 << 20) + 1;
/// How long a socket is waited for before it is asked whether the hub stops.
const WAIT: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
/// How long the next ones may gather in the kernel's buffer after a few: waking for each would cost
/// more than reading it.
const GATHER: Duration = Duration::from_millis(1);
/// So many at once are worth no pause.
const MANY: usize = 256;
/// How often the kernel is asked what it dropped.
const ASK: Duration = Duration::from_secs(5);
/// The most senders whose origins are kept.
const MAX_SENDERS: usize = 4_096;

/// A socket that datagrams come to.
enum Socket {
    Udp(UdpSocket),
    Unix(UnixDatagram, #[expect(dead_code, reason = "removes the file in the end")] SocketFile),
}

impl Socket {
    fn open(listener: &Listener, intake: &Intake) -> io::Result<(Socket, Bound)> {
        match &listener.place.address {
            Address::Network(address) => {
                let socket = open_udp(*address, intake.input.receive_buffer)?;
                let bound = Bound {
                    address: socket.local_addr()?.to_string(),
                    inode: Some(inode(&socket)?),
                    // The kernel says twice what it was asked for (socket(7)).
                    receive_buffer: Some(socket2::SockRef::from(&socket).recv_buffer_size()? / 2),
                };
                Ok((Socket::Udp(socket), bound))
            }
            Address::Path(path) => {
                let (socket, file) = unix::open(path, intake.input.unix_mode)?;
                let address = path.display().to_string();
                let bound = Bound { address, inode: None, receive_buffer: None };
                Ok((Socket::Unix(socket, file), bound))
            }
        }
    }

    fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, Option<SocketAddr>)> {
        match self {
            Socket::Udp(socket) => {
                socket.recv_from(buffer).map(|(length, from)| (length, Some(from)))
            }
            Socket::Unix(socket, _) => socket.recv(buffer).map(|length| (length, None)),
        }
    }

    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Socket::Udp(socket) => socket.as_fd(),
            Socket::Unix(socket, _) => socket.as_fd(),
        }
    }
}

/// Opens the socket, or opens it again and again, and takes what comes until the hub stops.
///
/// The first try is over when this returns.
pub(crate) fn start(
    listener: Arc<Listener>,
    intake: Arc<Intake>,
    runtime: Handle,
) -> io::Result<std::thread::JoinHandle<()>> {
    let mut opened = open(&listener, &intake);
    let name = format!("{}-{}", listener.place.transport.name(), intake.input.name);
    std::thread::Builder::new().name(name).spawn(move || {
        while !intake.is_stopping() {
            match opened.take() {
                Some(socket) => {
                    let ended = serve(&socket, &listener, &intake, &runtime);
                    drop(socket);
                    if let Err(error) = ended {
                        listener.note(Err(error.to_string()));
                    }
                }
                None => {
                    pause(RETRY, &intake);
                    opened = open(&listener, &intake);
                }
            }
        }
    })
}

fn open(listener: &Listener, intake: &Intake) -> Option<Socket> {
    match Socket::open(listener, intake) {
        Ok((socket, bound)) => {
            let asked = intake.input.receive_buffer;
            if let Some(got) = bound.receive_buffer.filter(|got| *got < asked) {
                tracing::warn!(
                    address = bound.address,
                    asked,
                    got,
                    "the kernel gives a smaller receive buffer than asked for; raise \
                     net.core.rmem_max, or bursts are lost"
                );
            }
            listener.note(Ok(bound));
            Some(socket)
        }
        Err(error) => {
            listener.note(Err(error.to_string()));
            None
        }
    }
}

fn pause(time: Duration, intake: &Intake) {
    let until = Instant::now() + time;
    while Instant::now() < until && !intake.is_stopping() {
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn open_udp(address: SocketAddr, buffer: usize) -> io::Result<UdpSocket> {
    let domain = socket2::Domain::for_address(address);
    let socket = socket2::Socket::new(domain, socket2::Type::DGRAM, None)?;
    // Root gets what it asks for, others at most net.core.rmem_max.
    if rustix::net::sockopt::set_socket_recv_buffer_size_force(&socket, buffer).is_err() {
        socket.set_recv_buffer_size(buffer)?;
    }
    socket.bind(&address.into())?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Takes what comes until the hub stops.
fn serve(
    socket: &Socket,
    listener: &Listener,
    intake: &Intake,
    runtime: &Handle,
) -> io::Result<()> {
    let longest = match socket {
        Socket::Udp(_) => LONGEST,
        Socket::Unix(..) => LONGEST_LOCAL,
    };
    let mut buffer = vec![0; longest];
    let mut origins = Origins::new(listener.place.transport);
    let mut asked = Instant::now();
    loop {
        let mut wanted = [PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::IN)];
        match poll(&mut wanted, Some(&WAIT)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if asked.elapsed() >= ASK {
            listener.count_drops(intake.counters());
            asked = Instant::now();
        }
        // Asked first: what waits in the kernel when the hub stops is taken once more.
        let is_stopping = intake.is_stopping();
        let taken = empty(socket, &mut buffer, &mut origins, intake, runtime)?;
        if is_stopping {
            return Ok(());
        }
        if (1..MANY).contains(&taken) {
            std::thread::sleep(GATHER);
        }
    }
}

/// Takes what waits at the socket; how many that was.
fn empty(
    socket: &Socket,
    buffer: &mut [u8],
    origins: &mut Origins,
    intake: &Intake,
    runtime: &Handle,
) -> io::Result<usize> {
    let mut chunk = Chunk::default();
    let mut taken = 0;
    let mut received = now();
    loop {
        let (length, from) = match socket.receive(buffer) {
            Ok(got) => got,
            Err(error) => {
                hand_over(chunk, intake, runtime);
                return match error.kind() {
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(taken),
                    // An ICMP answer to nothing that we sent: the next datagram may come.
                    io::ErrorKind::ConnectionRefused => Ok(taken),
                    _ => Err(error),
                };
            }
        };
        taken += 1;
        let bytes = buffer.get(..length).unwrap_or_default();
        if let Some(message) = datagram(bytes, intake.input.max_message) {
            chunk.push(origins.of(from, intake), record(&message, received));
        }
        if chunk.is_full() {
            hand_over(std::mem::take(&mut chunk), intake, runtime);
            received = now();
            if intake.is_stopping() {
                return Ok(taken);
            }
        }
    }
}

/// Waits while there is no room; the kernel's buffer holds meanwhile, and counts what it cannot.
fn hand_over(chunk: Chunk, intake: &Intake, runtime: &Handle) {
    if chunk.is_empty() {
        return;
    }
    match runtime.block_on(intake.collector.take_chunk(chunk, Lane::Datagram)) {
        // Nobody could be told.
        Ok(ticket) => drop(ticket),
        Err(stopping) => tracing::warn!(%stopping, "datagrams that came at the end are lost"),
    }
}

/// The origins of recent senders.
struct Origins {
    transport: Transport,
    known: HashMap<Option<SocketAddr>, Arc<Origin>>,
    last: Option<(Option<SocketAddr>, Arc<Origin>)>,
}

impl Origins {
    fn new(transport: Transport) -> Origins {
        Origins { transport, known: HashMap::new(), last: None }
    }

    fn of(&mut self, from: Option<SocketAddr>, intake: &Intake) -> &Arc<Origin> {
        if self.last.as_ref().is_none_or(|(last, _)| *last != from) {
            if self.known.len() >= MAX_SENDERS {
                self.known.clear();
            }
            let make = || intake.origin(self.transport, from, None);
            let origin = Arc::clone(self.known.entry(from).or_insert_with(make));
            self.last = Some((from, origin));
        }
        let make = || (from, intake.origin(self.transport, from, None));
        &self.last.get_or_insert_with(make).1
    }
}
