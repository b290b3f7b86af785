//! Socket addresses, as SOCKADDR has them: the bytes of a `struct sockaddr` in hexadecimal digits.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::decode;
use crate::hex;

/// Where a socket is bound or connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SocketAddress {
    Internet {
        address: IpAddr,
        port: u16,
    },
    /// A path, or `@name` of an abstract one; empty where it has none.
    Unix(Cow<'static, str>),
    Netlink {
        pid: u32,
        groups: u32,
    },
    /// Another family, by its number (`AF_*` of socket(2)).
    Other(u16),
}

impl SocketAddress {
    /// Reads the digits; `None` where they are too few or none. The family is in the byte order of
    /// the machine; where that is unknown, `big_endian` is false.
    pub(crate) fn read(digits: &str, big_endian: bool) -> Option<SocketAddress> {
        let bytes = hex::decode(digits.as_bytes())?;
        let &[first, second, ref rest @ ..] = &bytes[..] else { return None };
        let family = if big_endian {
            u16::from_be_bytes([first, second])
        } else {
            u16::from_le_bytes([first, second])
        };
        match family {
            1 => Some(SocketAddress::Unix(unix(rest))),
            2 => match *rest {
                [high, low, a, b, c, d, ..] => Some(SocketAddress::Internet {
                    address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
                    port: u16::from_be_bytes([high, low]),
                }),
                _ => None,
            },
            10 => {
                let (port, rest) = rest.split_first_chunk::<2>()?;
                let address = rest.get(4..20)?.first_chunk::<16>()?;
                Some(SocketAddress::Internet {
                    address: IpAddr::V6(Ipv6Addr::from(*address)),
                    port: u16::from_be_bytes(*port),
                })
            }
            16 => {
                let word = |at: usize| {
                    let word = *rest.get(at..)?.first_chunk::<4>()?;
                    Some(if big_endian {
                        u32::from_be_bytes(word)
                    } else {
                        u32::from_le_bytes(word)
                    })
                };
                Some(SocketAddress::Netlink { pid: word(2)?, groups: word(6)? })
            }
            family => Some(SocketAddress::Other(family)),
        }
    }

    /// The name of the family.
    pub(crate) fn family(&self) -> Cow<'static, str> {
        match self {
            SocketAddress::Internet { address: IpAddr::V4(_), .. } => "ipv4".into(),
            SocketAddress::Internet { address: IpAddr::V6(_), .. } => "ipv6".into(),
            SocketAddress::Unix(_) => "unix".into(),
            SocketAddress::Netlink { .. } => "netlink".into(),
            SocketAddress::Other(0) => "unspecified".into(),
            SocketAddress::Other(3) => "ax25".into(),
            SocketAddress::Other(17) => "packet".into(),
            SocketAddress::Other(31) => "bluetooth".into(),
            SocketAddress::Other(38) => "alg".into(),
            SocketAddress::Other(40) => "vsock".into(),
            SocketAddress::Other(family) => family.to_string().into(),
        }
    }
}

/// A path ends at its first NUL; an abstract name begins with one and may hold more.
fn unix(path: &[u8]) -> Cow<'static, str> {
    let end = |text: &[u8]| memchr::memchr(0, text).unwrap_or(text.len());
    let text = match path.split_first() {
        Some((0, name)) if name.first().is_some_and(|byte| *byte != 0) => {
            let name = name.get(..end(name)).unwrap_or_default();
            [b"@", name].concat()
        }
        _ => path.get(..end(path)).unwrap_or_default().to_vec(),
    };
    decode::owned_text(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let internet = |address: &str, port| SocketAddress::Internet {
            address: address.parse().unwrap(),
            port,
        };
        for (digits, big_endian, expected) in [
            ("0200003508080808", false, Some(internet("8.8.8.8", 53))),
            ("02000035080808080000000000000000", false, Some(internet("8.8.8.8", 53))),
            ("00020035C0000201", true, Some(internet("192.0.2.1", 53))),
            (
                "0A0001BB0000000020010DB800000000000000000000000100000000",
                false,
                Some(internet("2001:db8::1", 443)),
            ),
            (
                "01002F72756E2F782E736F636B0000",
                false,
                Some(SocketAddress::Unix("/run/x.sock".into())),
            ),
            ("0100002F746D702F2E583131", false, Some(SocketAddress::Unix("@/tmp/.X11".into()))),
            ("0100", false, Some(SocketAddress::Unix("".into()))),
            ("100000000100000002000000", false, Some(SocketAddress::Netlink { pid: 1, groups: 2 })),
            ("1100", false, Some(SocketAddress::Other(17))),
            ("02000035", false, None),
            ("0A0001BB", false, None),
            ("1000", false, None),
            ("02", false, None),
            ("0200003", false, None),
            ("", false, None),
        ] {
            assert_eq!(SocketAddress::read(digits, big_endian), expected, "{digits}");
        }
    }
}
