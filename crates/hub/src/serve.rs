//! Takes connections: bounded in number, in header size and in the time that handshakes, headers and
//! clients that read nothing may take; over TLS where the hub has a certificate.
//!
//! With a certificate, plain HTTP is served to this machine alone: its commands and its agent need
//! no trust in a certificate then, and nothing leaves the machine unencrypted.

mod patience;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use bergfried_tls::ServerSide;
use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::server::graceful::Watcher;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use self::patience::Patience;

/// How many connections are served at once; further ones wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 2_048;
/// The most bytes of a request's line and headers.
const MAX_HEADERS: usize = 32 * 1024;
/// How long a client may take to send them, and how long for the handshake of TLS before.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// How long a client may take to read anything of what is written to it.
const WRITE_TIME: Duration = Duration::from_secs(60);
/// How long requests under way may take once the hub stops.
const GRACE: Duration = Duration::from_millis(1_200);

/// The first byte of a TLS connection: a record with a handshake (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;
/// What is said to those who speak plain HTTP from elsewhere.
const SPEAK_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\
    Connection: close\r\nContent-Length: 37\r\n\r\nthis port speaks https:// to others.\n";

/// Serves until `stopping` turns true, then finishes requests under way.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<Arc<ServerSide>>,
    router: Router,
    mut stopping: watch::Receiver<bool>,
) {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            _ = stopping.wait_for(|stopping| *stopping) => break,
        };
        let (stream, peer, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: let some connections end first.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let service = router.clone().map_request(move |mut request: hyper::Request<_>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            request
        });
        let (watcher, tls) = (graceful.watcher(), tls.clone());
        tokio::spawn(async move {
            match secured(stream, peer, tls.as_deref()).await {
                Ok(Secured::Plain(stream)) => answer(within(stream), service, watcher, peer).await,
                Ok(Secured::Tls(stream)) => answer(within(stream), service, watcher, peer).await,
                Err(error) => tracing::debug!(%error, %peer, "cannot begin a connection"),
            }
            drop(permit);
        });
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::debug!("requests were still under way when the hub stopped");
    }
}

/// A connection as requests come over it.
enum Secured {
    Plain(TcpStream),
    Tls(Box<tokio_rustls::server::TlsStream<TcpStream>>),
}

/// Shakes hands where the hub has a certificate, unless this machine itself speaks plain HTTP.
async fn secured(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<&ServerSide>,
) -> io::Result<Secured> {
    let Some(tls) = tls else { return Ok(Secured::Plain(stream)) };
    let shaken = async {
        let mut first = [0];
        stream.peek(&mut first).await?;
        if first == [HANDSHAKE] {
            let acceptor = TlsAcceptor::from(tls.config());
            return Ok(Secured::Tls(Box::new(acceptor.accept(stream).await?)));
        }
        let own = stream.local_addr()?.ip();
        if peer.ip().to_canonical().is_loopback() || peer.ip() == own {
            return Ok(Secured::Plain(stream));
        }
        // Unread bytes would make the kernel throw the answer away.
        stream.try_read(&mut [0; 4_096])?;
        stream.writable().await?;
        stream.try_write(SPEAK_TLS)?;
        Err(io::Error::new(io::ErrorKind::InvalidData, "plain HTTP from another machine"))
    };
    match tokio::time::timeout(HEADER_TIME, shaken).await {
        Ok(shaken) => shaken,
        Err(_late) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// The stream as it is served, which a client does not hold by reading nothing.
fn within<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> Patience<TokioIo<S>> {
    Patience::new(TokioIo::new(stream), WRITE_TIME)
}

/// Answers the requests of a connection.
async fn answer<S, B>(
    stream: impl Read + Write + Unpin + Send + 'static,
    service: S,
    watcher: Watcher,
    peer: SocketAddr,
) where
    S: tower::Service<hyper::Request<hyper::body::Incoming>, Response = hyper::Response<B>>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(MAX_HEADERS)
        .serve_connection(stream, TowerToHyperService::new(service));
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, %peer, "a connection ended early");
    }
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, peer, permit))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[tokio::test]
    #[expect(clippy::print_stderr, reason = "says why it is skipped")]
    async fn plain_http_is_for_this_machine_alone() {
        let directory = tempfile::tempdir().unwrap();
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]);
        openssl.args(["-subj", "/CN=hub", "-keyout", "hub.key", "-out", "hub.pem"]);
        if openssl.current_dir(directory.path()).output().is_err() {
            eprintln!("skipped: there is no openssl program");
            return;
        }
        let files = bergfried_tls::ServerTls {
            certificate: directory.path().join("hub.pem"),
            key: directory.path().join("hub.key"),
            client_ca: None,
            client_certificate: None,
            min_tls: bergfried_tls::MinVersion::Tls12,
        };
        let tls = files.open(&[]).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        for (peer, is_served) in [("127.0.0.1:1", true), ("[::1]:1", true), ("192.0.2.1:1", false)]
        {
            let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            client.writable().await.unwrap();
            assert_eq!(client.try_write(b"GET / HTTP/1.1\r\n\r\n").unwrap(), 18);
            let served = secured(stream, peer.parse().unwrap(), Some(&tls)).await;
            assert_eq!(matches!(served, Ok(Secured::Plain(_))), is_served, "{peer}");
            drop(served);
            client.readable().await.unwrap();
            let mut answer = [0; 200];
            let read = client.try_read(&mut answer).unwrap_or(0);
            let answer = std::str::from_utf8(&answer[..read]).unwrap();
            assert_eq!(answer.ends_with("this port speaks https:// to others.\n"), !is_served);
        }
    }
}
