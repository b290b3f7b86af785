//! A host as it may be written, brought into one form.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest name of a host, in bytes (RFC 1035, section 2.3.4).
const MAX_BYTES: usize = 253;

/// A host: an address, or a name in lower case without the dot at its end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// An address; one of IPv4 written as IPv6 (`::ffff:192.0.2.1`) is of IPv4.
    Address(IpAddr),
    /// A name, as it was written but for case: IDNA is not undone.
    Name(String),
}

impl Host {
    /// Reads a host as programs take it: brackets around an address of IPv6, percent-encoding, any
    /// case, a dot at the end, and IPv4 in one to four parts of decimal, hexadecimal or octal digits.
    ///
    /// `None` where the text can be no host, such as a variable of a shell.
    pub fn read(text: &str) -> Option<Host> {
        let text = text.trim_matches(['"', '\'']);
        if text.is_empty() || text.len() > 3 * MAX_BYTES {
            return None;
        }
        if let Some(inner) = text.strip_prefix('[') {
            return v6(inner.strip_suffix(']')?);
        }
        let decoded = decode(text)?;
        let name = decoded.strip_suffix('.').unwrap_or(&decoded);
        if name.contains(':') {
            return v6(name);
        }
        if name.is_empty() || name.len() > MAX_BYTES || !name.chars().all(is_of_names) {
            return None;
        }
        if let Some(address) = v4(name) {
            return Some(Host::Address(IpAddr::V4(address)));
        }
        // A name has a letter somewhere; `1.2.3.4.5` and `-` are none.
        let lower = name.to_lowercase();
        let named = lower.chars().any(|character| character.is_alphabetic());
        (named && !lower.starts_with(['-', '.'])).then_some(Host::Name(lower))
    }

    /// Whether it is this machine itself.
    pub fn is_own(&self) -> bool {
        match self {
            Host::Address(address) => address.is_loopback() || address.is_unspecified(),
            Host::Name(name) => name == "localhost" || name.ends_with(".localhost"),
        }
    }

    /// The host of this address.
    pub fn of(address: IpAddr) -> Host {
        Host::Address(address.to_canonical())
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Address(address) => address.fmt(f),
            Host::Name(name) => f.write_str(name),
        }
    }
}

/// What names in use are made of: letters of any script, digits, hyphens, underscores, dots.
fn is_of_names(character: char) -> bool {
    match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' => true,
        other => !other.is_ascii() && !other.is_control() && !other.is_whitespace(),
    }
}

/// Percent-encoding undone (RFC 3986, section 2.1).
fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        bytes.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// An address of IPv6, its zone left out.
fn v6(text: &str) -> Option<Host> {
    let address = text.split('%').next()?;
    address.parse::<Ipv6Addr>().ok().map(|address| Host::of(IpAddr::V6(address)))
}

/// An address of IPv4 as inet_aton(3) reads it.
fn v4(text: &str) -> Option<Ipv4Addr> {
    let mut parts = [0_u32; 4];
    let mut count = 0;
    for part in text.split('.') {
        *parts.get_mut(count)? = number(part)?;
        count += 1;
    }
    let (last, high) = parts.get(..count)?.split_last()?;
    // The last part fills what the others leave.
    let room = u32::MAX.checked_shr(8 * u32::try_from(high.len()).ok()?)?;
    if *last > room {
        return None;
    }
    let mut address = *last;
    for (index, part) in high.iter().enumerate() {
        let shift = 8 * (3 - u32::try_from(index).ok()?);
        address |= u32::from(u8::try_from(*part).ok()?) << shift;
    }
    Some(Ipv4Addr::from(address))
}

/// A number as C writes it: `0x` before hexadecimal digits, `0` before octal ones.
fn number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    let sound = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    sound.then(|| u32::from_str_radix(digits, radix).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_one_host() {
        for (text, expected) in [
            ("GitHub.COM", "github.com"),
            ("github.com.", "github.com"),
            ("%67ithub.com", "github.com"),
            ("\"github.com\"", "github.com"),
            ("bücher.example", "bücher.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("a_b.example", "a_b.example"),
            ("web1", "web1"),
            ("192.0.2.7", "192.0.2.7"),
            ("3221225991", "192.0.2.7"),
            ("0xC0000207", "192.0.2.7"),
            ("0300.0.2.7", "192.0.2.7"),
            ("192.519", "192.0.2.7"),
            ("192.0.519", "192.0.2.7"),
            ("127.1", "127.0.0.1"),
            ("[2001:DB8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[fe80::1%25eth0]", "fe80::1"),
            ("[::ffff:192.0.2.7]", "192.0.2.7"),
        ] {
            assert_eq!(Host::read(text).map(|host| host.to_string()).as_deref(), Some(expected));
        }
    }

    #[test]
    fn what_is_no_host_is_none() {
        for text in [
            "",
            ".",
            "-",
            "$HOST",
            "a b",
            "a/b",
            "1.2.3.4.5",
            "256.1.1.1",
            "08",
            "[::1",
            "%zz.com",
            "%ff.com",
            "-x",
            "a\u{7}b",
            "{a,b}",
            "99999999999",
        ] {
            assert_eq!(Host::read(text), None, "{text:?}");
        }
        assert_eq!(Host::read(&"a.".repeat(400)), None);
    }
}
