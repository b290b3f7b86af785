//! The handshake of TLS, and who is on the other side.

use std::io;
use std::time::Duration;

use bergfried_tls::PeerNames;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::intake::Intake;

/// How long a handshake may take.
const LIMIT: Duration = Duration::from_secs(10);

/// The encrypted stream, and the names in the certificate that the peer showed, if it did.
pub(crate) async fn handshake(
    stream: TcpStream,
    intake: &Intake,
) -> io::Result<(TlsStream<TcpStream>, Option<PeerNames>)> {
    let Some(side) = &intake.tls else { return Err(io::ErrorKind::Unsupported.into()) };
    let accepting = TlsAcceptor::from(side.config()).accept(stream);
    let stream = match tokio::time::timeout(LIMIT, accepting).await {
        Ok(stream) => stream?,
        Err(_late) => return Err(io::ErrorKind::TimedOut.into()),
    };
    let (_, session) = stream.get_ref();
    let shown = session.peer_certificates().and_then(<[_]>::first);
    let names = shown.map(PeerNames::of);
    Ok((stream, names))
}
