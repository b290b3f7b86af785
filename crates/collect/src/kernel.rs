//! The kernel's own count of datagrams that it dropped, from `/proc/net/udp` (proc_net(5)).

use std::fs::File;
use std::io::{BufRead, BufReader};

/// How many datagrams were dropped at the socket of this inode, since it was opened; none where the
/// kernel does not say.
pub(crate) fn drops(inode: u64) -> Option<u64> {
    ["/proc/net/udp", "/proc/net/udp6"].iter().find_map(|table| {
        let lines = BufReader::new(File::open(table).ok()?).lines();
        lines.map_while(Result::ok).find_map(|line| of_line(&line, inode))
    })
}

/// The last column of the line whose tenth is the inode.
fn of_line(line: &str, inode: u64) -> Option<u64> {
    let mut columns = line.split_ascii_whitespace();
    if columns.nth(9)?.parse() != Ok(inode) {
        return None;
    }
    columns.last()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    fn lines_are_found_by_inode() {
        let line = " 1064: 0100007F:C938 00000000:0000 07 00000000:00000000 00:00000000 00000000  \
                    1000        0 2042311 2 ffff88 17";
        assert_eq!(of_line(line, 2_042_311), Some(17));
        assert_eq!(of_line(line, 17), None);
        assert_eq!(of_line("  sl  local_address rem_address   st", 0), None);
    }

    #[test]
    #[expect(clippy::print_stderr, reason = "says why it is skipped")]
    fn a_buffer_that_overflows_is_counted() {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket2::SockRef::from(&receiver).set_recv_buffer_size(4_096).unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        let inode = crate::listener::inode(&receiver).unwrap();
        if drops(inode).is_none() {
            eprintln!("skipped: this kernel does not show its sockets in /proc/net/udp");
            return;
        }
        for _ in 0..200 {
            sender.send_to(&[b'x'; 1_000], receiver.local_addr().unwrap()).unwrap();
        }
        receiver.set_nonblocking(true).unwrap();
        let mut buffer = [0; 2_000];
        let arrived = std::iter::from_fn(|| receiver.recv(&mut buffer).ok()).count() as u64;
        assert_eq!(drops(inode), Some(200 - arrived));
        assert!(arrived < 200);
    }
}
