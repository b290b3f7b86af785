//! Takes connections, as many as may be open, and serves each by what its port is for.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};

use crate::config::{Address, Transport};
use crate::counters::add;
use crate::handshake::handshake;
use crate::intake::{Intake, stopped};
use crate::listener::{Bound, Listener, RETRY};
use crate::relp;
use crate::stream::{Ended, serve_stream};

/// How many connections may wait in the kernel to be taken.
const BACKLOG: i32 = 1_024;
/// A sender that has vanished is noticed after idle time plus some probes, about five minutes.
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_secs(180), Duration::from_secs(30), 4);
/// How long nothing is taken after a failure, most likely for lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Opens the socket; what goes wrong is noted at the listener.
pub(crate) fn open(listener: &Listener) -> Option<TcpListener> {
    let Address::Network(address) = listener.place.address else { return None };
    match bind(address) {
        Ok((socket, address)) => {
            let address = address.to_string();
            listener.note(Ok(Bound { address, inode: None, receive_buffer: None }));
            Some(socket)
        }
        Err(error) => {
            listener.note(Err(error.to_string()));
            None
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let domain = socket2::Domain::for_address(address);
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    let listener = TcpListener::from_std(socket.into())?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Takes connections until the hub stops; opens the socket again and again where that failed.
pub(crate) async fn listen(
    listener: Arc<Listener>,
    intake: Arc<Intake>,
    mut opened: Option<TcpListener>,
) {
    let mut stopping = intake.stopping.clone();
    while !intake.is_stopping() {
        let Some(socket) = &opened else {
            tokio::select! {
                () = tokio::time::sleep(RETRY) => opened = open(&listener),
                () = stopped(&mut stopping) => return,
            }
            continue;
        };
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            () = stopped(&mut stopping) => return,
        };
        match accepted {
            Ok((stream, peer)) => take(stream, peer, listener.place.transport, &intake),
            Err(error) => {
                tracing::warn!(%error, input = intake.input.name, "cannot accept a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn take(stream: TcpStream, peer: SocketAddr, transport: Transport, intake: &Arc<Intake>) {
    let Ok(permit) = Arc::clone(&intake.room).try_acquire_owned() else {
        add(&intake.counters().refused, 1);
        tracing::debug!(%peer, input = intake.input.name, "too many connections, refused one");
        return;
    };
    let Some(visit) = intake.addresses.enter(peer.ip()) else {
        add(&intake.counters().refused_of_address, 1);
        tracing::debug!(%peer, input = intake.input.name, "too many connections of an address");
        return;
    };
    let (idle, interval, retries) = KEEPALIVE;
    let keepalive =
        TcpKeepalive::new().with_time(idle).with_interval(interval).with_retries(retries);
    if let Err(error) = SockRef::from(&stream).set_tcp_keepalive(&keepalive) {
        tracing::debug!(%peer, %error, "cannot set keepalive");
    }
    let intake = Arc::clone(intake);
    tokio::spawn(async move {
        add(&intake.counters().connected, 1);
        add(&intake.counters().connections, 1);
        match serve(stream, peer, transport, &intake).await {
            Ok(()) => {}
            Err(Ended::Broken(error)) => {
                add(&intake.counters().broken, 1);
                tracing::debug!(%peer, %error, input = intake.input.name, "a connection broke");
            }
            Err(ended) => tracing::debug!(%peer, %ended, "a connection was closed"),
        }
        intake.counters().connections.fetch_sub(1, Ordering::Relaxed);
        drop((permit, visit));
    });
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    transport: Transport,
    intake: &Arc<Intake>,
) -> Result<(), Ended> {
    match transport {
        Transport::Tcp => {
            let origin = intake.origin(transport, Some(peer), None);
            serve_stream(stream, &origin, intake).await
        }
        Transport::Tls => {
            let (stream, names) = handshake(stream, intake).await?;
            let origin = intake.origin(transport, Some(peer), names.as_ref());
            serve_stream(stream, &origin, intake).await
        }
        Transport::Relp => {
            let origin = intake.origin(transport, Some(peer), None);
            let socket = stream.as_fd().try_clone_to_owned()?;
            Ok(relp::serve(stream, Some(socket), &origin, intake.terms()).await?)
        }
        Transport::RelpTls => {
            let socket = stream.as_fd().try_clone_to_owned()?;
            let (stream, names) = handshake(stream, intake).await?;
            let origin = intake.origin(transport, Some(peer), names.as_ref());
            Ok(relp::serve(stream, Some(socket), &origin, intake.terms()).await?)
        }
        // Datagrams have threads of their own.
        Transport::Udp | Transport::Unix => Ok(()),
    }
}
