//! Small readings of text that the parsers share. Nothing here allocates.

use std::net::IpAddr;
use std::str::FromStr;

/// The whole number that these bytes spell in ASCII digits alone; at most 18 of them.
pub(crate) fn number(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut value = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(digit - b'0');
    }
    Some(value)
}

/// A port number: digits alone, at most 65535.
pub(crate) fn port(text: &str) -> Option<i64> {
    number(text.as_bytes()).filter(|port| *port <= i64::from(u16::MAX))
}

/// The text without the spaces in front.
pub(crate) fn skip_spaces(text: &str) -> &str {
    text.trim_start_matches(' ')
}

/// True for an IPv4 or IPv6 address, the latter with or without a scope (`fe80::1%eth0`).
pub(crate) fn is_ip(text: &str) -> bool {
    let bare = text.split_once('%').map_or(text, |(bare, scope)| {
        if scope.is_empty() || !scope.bytes().all(|byte| byte.is_ascii_graphic()) {
            ""
        } else {
            bare
        }
    });
    let starts_like_one = bare.bytes().next().is_some_and(|b| b.is_ascii_hexdigit() || b == b':');
    let holds_one = bare.bytes().any(|byte| matches!(byte, b'.' | b':'));
    starts_like_one && holds_one && IpAddr::from_str(bare).is_ok()
}

/// An address without the `::ffff:` that an IPv6 socket puts before an IPv4 peer.
pub(crate) fn unmapped(address: &str) -> &str {
    match address.strip_prefix("::ffff:") {
        Some(mapped) if !mapped.contains(':') => mapped,
        _ => address,
    }
}

/// True for text that can be the name of a host: no spaces, quotes or brackets.
pub(crate) fn is_host_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 255
        && text.bytes().all(|byte| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'.' | b'-' | b'_' | b':')
                || byte >= 0x80
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_names() {
        for address in ["1.2.3.4", "::1", "2001:db8::7", "fe80::1%eth0", "::ffff:1.2.3.4"] {
            assert!(is_ip(address), "{address}");
        }
        for name in ["", "1.2.3", "host.example", "1.2.3.4.example", "fe80::1%", "abc", "12"] {
            assert!(!is_ip(name), "{name}");
        }
        assert_eq!(unmapped("::ffff:1.2.3.4"), "1.2.3.4");
        assert_eq!(unmapped("::ffff:1:2"), "::ffff:1:2");
    }

    #[test]
    fn numbers_are_digits_alone() {
        assert_eq!(number(b"0042"), Some(42));
        for text in ["", "+1", "-1", "1 ", "1234567890123456789"] {
            assert_eq!(number(text.as_bytes()), None, "{text}");
        }
        assert_eq!((port("65535"), port("65536")), (Some(65535), None));
    }
}
