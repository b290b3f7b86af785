//! Connections to syslog receivers: TCP and TLS, and datagrams.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use bergfried_tls::ClientSide;
use rustls::{ClientConnection, StreamOwned};

use crate::config::SyslogOptions;

const CONNECT: Duration = Duration::from_secs(10);
/// A receiver that takes nothing for so long is as good as gone.
const STALLED: Duration = Duration::from_secs(20);

/// A connection, and how many bytes of it the kernel was given.
pub(super) struct Connection {
    stream: Stream,
    addresses: (SocketAddr, SocketAddr),
}

enum Stream {
    Plain(Counted),
    Tls(Box<StreamOwned<ClientConnection, Counted>>),
}

struct Counted {
    stream: TcpStream,
    written: u64,
}

impl Read for Counted {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.stream.read(bytes)
    }
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.stream.write(bytes)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl Connection {
    pub(super) fn open(
        options: &SyslogOptions,
        tls: Option<&ClientSide>,
    ) -> io::Result<Connection> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in (options.host.as_str(), options.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, CONNECT) {
                Ok(stream) => return Connection::over(stream, options, tls),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn over(
        stream: TcpStream,
        options: &SyslogOptions,
        tls: Option<&ClientSide>,
    ) -> io::Result<Connection> {
        stream.set_write_timeout(Some(STALLED))?;
        stream.set_read_timeout(Some(CONNECT))?;
        stream.set_nodelay(true)?;
        let addresses = (stream.local_addr()?, stream.peer_addr()?);
        let counted = Counted { stream, written: 0 };
        let Some(tls) = tls else {
            return Ok(Connection { stream: Stream::Plain(counted), addresses });
        };
        let name = tls.server_name(&options.host).map_err(io::Error::other)?;
        let session = ClientConnection::new(tls.config(), name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(session, counted);
        // Here, so that a wrong certificate is told from a broken connection.
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Connection { stream: Stream::Tls(Box::new(stream)), addresses })
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let stream: &mut dyn Write = match &mut self.stream {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => stream,
        };
        stream.write_all(bytes)?;
        stream.flush()
    }

    /// How many bytes the kernel was given, TLS's own included.
    pub(super) fn written(&self) -> u64 {
        match &self.stream {
            Stream::Plain(stream) => stream.written,
            Stream::Tls(stream) => stream.sock.written,
        }
    }

    /// Our address and the receiver's.
    pub(super) fn addresses(&self) -> (SocketAddr, SocketAddr) {
        self.addresses
    }

    /// # Errors
    /// Where the receiver has closed the connection. What a receiver says is passed over.
    pub(super) fn check(&mut self) -> io::Result<()> {
        self.socket().set_nonblocking(true)?;
        let mut bytes = [0; 512];
        let read = match &mut self.stream {
            Stream::Plain(stream) => stream.read(&mut bytes),
            Stream::Tls(stream) => stream.read(&mut bytes),
        };
        self.socket().set_nonblocking(false)?;
        match read {
            Ok(0) => Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "it has closed the connection",
            )),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn socket(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(stream) => &stream.stream,
            Stream::Tls(stream) => &stream.sock.stream,
        }
    }
}

impl Drop for Connection {
    /// Says goodbye where TLS asks for it; a receiver that is gone does not hear it.
    fn drop(&mut self) {
        if let Stream::Tls(stream) = &mut self.stream {
            stream.conn.send_close_notify();
            if self.addresses.1.port() != 0
                && let Err(error) = stream.conn.complete_io(&mut stream.sock)
            {
                tracing::debug!(%error, "a receiver did not hear the end of a connection");
            }
        }
    }
}

/// A socket that sends datagrams to one receiver.
pub(super) struct Datagrams(UdpSocket);

impl Datagrams {
    pub(super) fn open(host: &str, port: u16) -> io::Result<Datagrams> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in (host, port).to_socket_addrs()? {
            let any: SocketAddr = match address {
                SocketAddr::V4(_) => (std::net::Ipv4Addr::UNSPECIFIED, 0).into(),
                SocketAddr::V6(_) => (std::net::Ipv6Addr::UNSPECIFIED, 0).into(),
            };
            match UdpSocket::bind(any).and_then(|socket| socket.connect(address).map(|()| socket)) {
                Ok(socket) => return Ok(Datagrams(socket)),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    pub(super) fn send(&self, message: &[u8]) -> io::Result<()> {
        self.0.send(message).map(drop)
    }
}
