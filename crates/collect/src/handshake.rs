//! The handshake of TLS, and who is on the other side.

use std::io;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use bergfried_tls::PeerNames;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::counters::{Counters, add};
use crate::intake::Intake;

/// How long a handshake may take, the wait for its turn included.
const LIMIT: Duration = Duration::from_secs(10);
/// How long a handshake keeps its turn. What costs a processor is over by then, and a client that
/// lets wait must not keep out the others.
const TURN: Duration = Duration::from_millis(250);

/// The encrypted stream, and the names in the certificate that the peer showed, if it did.
pub(crate) async fn handshake(
    stream: TcpStream,
    intake: &Intake,
) -> io::Result<(TlsStream<TcpStream>, Option<PeerNames>)> {
    let Some(side) = &intake.tls else { return Err(io::ErrorKind::Unsupported.into()) };
    let shaken = async {
        let turn = intake.handshakes.acquire().await.map_err(io::Error::other)?;
        let mut accept = TlsAcceptor::from(side.config()).accept(stream);
        let in_turn = tokio::time::timeout(TURN, &mut accept).await;
        drop(turn);
        match in_turn {
            Ok(shaken) => shaken,
            Err(_slow) => accept.await,
        }
    };
    let shaken = match tokio::time::timeout(LIMIT, shaken).await {
        Ok(shaken) => shaken,
        Err(_late) => Err(io::ErrorKind::TimedOut.into()),
    };
    let stream = shaken.inspect_err(|error| add(counter(error, intake.counters()), 1))?;
    let (_, session) = stream.get_ref();
    let shown = session.peer_certificates().and_then(<[_]>::first);
    let names = shown.map(PeerNames::of);
    Ok((stream, names))
}

/// What counts a handshake that failed so.
fn counter<'c>(error: &io::Error, counters: &'c Counters) -> &'c AtomicU64 {
    use rustls::Error;
    if error.kind() == io::ErrorKind::TimedOut {
        return &counters.handshakes_late;
    }
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::NoCertificatesPresented) => &counters.handshakes_without_certificate,
        Some(Error::InvalidCertificate(_)) => &counters.handshakes_untrusted,
        Some(Error::PeerIncompatible(_)) => &counters.handshakes_incompatible,
        Some(Error::AlertReceived(_)) => &counters.handshakes_given_up,
        _ => &counters.handshakes_broken,
    }
}
