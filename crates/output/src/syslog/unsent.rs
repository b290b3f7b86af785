//! How many bytes of a connection the peer's kernel has not acknowledged, from `/proc/net/tcp` and
//! `/proc/net/tcp6` (proc_net_tcp in the kernel's documentation): no system call that is safe to
//! make from here tells it.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

/// What the kernel says of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsent {
    Bytes(u64),
    /// There is no such connection any more.
    Gone,
    /// The table cannot be read.
    Unknown,
}

pub(super) fn unsent((local, peer): (SocketAddr, SocketAddr)) -> Unsent {
    let table = if local.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
    match std::fs::read_to_string(table) {
        Ok(table) => in_table(&table, local, peer).map_or(Unsent::Gone, Unsent::Bytes),
        Err(_) => Unsent::Unknown,
    }
}

fn in_table(table: &str, local: SocketAddr, peer: SocketAddr) -> Option<u64> {
    let (local, peer) = (spelled(local), spelled(peer));
    table.lines().skip(1).find_map(|line| {
        let mut columns = line.split_ascii_whitespace().skip(1);
        let ours = columns.next()? == local && columns.next()? == peer;
        let queues = columns.nth(1).filter(|_| ours)?;
        u64::from_str_radix(queues.split(':').next()?, 16).ok()
    })
}

/// As the table spells addresses: each 32 bits as a number of this machine, in hex.
fn spelled(address: SocketAddr) -> String {
    let bytes = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let mut text = String::with_capacity(40);
    for word in bytes.chunks_exact(4) {
        let word = <[u8; 4]>::try_from(word).map_or(0, u32::from_ne_bytes);
        // Writing to a String cannot fail.
        let _infallible = write!(text, "{word:08X}");
    }
    let _infallible = write!(text, ":{:04X}", address.port());
    text
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn what_is_not_read_fills_the_queue() {
        for host in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(host) else { continue };
            let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let addresses = (stream.local_addr().unwrap(), stream.peer_addr().unwrap());
            let (accepted, _) = listener.accept().unwrap();
            assert_eq!(unsent(addresses), Unsent::Bytes(0), "{host}");
            stream.set_nonblocking(true).unwrap();
            let piece = vec![b'x'; 1 << 20];
            while stream.write(&piece).is_ok() {}
            assert!(matches!(unsent(addresses), Unsent::Bytes(bytes) if bytes > 0), "{host}");
            drop(accepted);
            drop(stream);
            assert_eq!(unsent(addresses), Unsent::Gone, "{host}");
        }
    }
}
