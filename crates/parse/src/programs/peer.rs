//! The other end of a connection, as OpenSSH and others write it: `ADDRESS port N`.

use bergfried_event::{Event, Field};

use crate::text::{is_host_name, is_ip, port, unmapped};

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer<'a> {
    pub(super) address: &'a str,
    pub(super) port: Option<i64>,
}

impl<'a> Peer<'a> {
    /// Sets `source.ip`, or `source.address` where it is a name, and `source.port`.
    pub(super) fn push(self, event: &mut Event<'a>) {
        push_address(event, self.address);
        // `UNKNOWN port 65535`: the connection was gone before sshd could ask.
        if let Some(port) = self.port.filter(|_| self.address != "UNKNOWN") {
            event.push(Field::SourcePort, port);
        }
    }
}

/// Reads `… ADDRESS port N` or `… ADDRESS` at the end; gives what stands before the address.
pub(super) fn at_end(text: &str) -> Option<(&str, Peer<'_>)> {
    let (head, last) = text.rsplit_once(' ').unwrap_or(("", text));
    let (text, port) = match (port(last), head.strip_suffix(" port")) {
        (Some(port), Some(head)) => (head, Some(port)),
        _ => (text, None),
    };
    let (before, address) = text.rsplit_once(' ').unwrap_or(("", text));
    (!address.is_empty()).then_some((before, Peer { address, port }))
}

/// Reads `ADDRESS port N…` or `ADDRESS…` in front; gives what follows.
///
/// An address ends at a space, or at `:` or `,` before a space.
pub(super) fn at_start(text: &str) -> (Peer<'_>, &str) {
    let (word, rest) = match text.split_once(' ') {
        Some((word, _)) => text.split_at(word.len()),
        None => (text, ""),
    };
    let address = word.strip_suffix([':', ',']).unwrap_or(word);
    if let Some(after) = rest.strip_prefix(" port ") {
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        if let Some((number, after)) = after.split_at_checked(digits)
            && let Some(port) = port(number)
        {
            return (Peer { address, port: Some(port) }, after);
        }
    }
    let rest = text.get(address.len()..).unwrap_or_default();
    (Peer { address, port: None }, rest)
}

/// Splits `1.2.3.4:5543` or `[2001:db8::1]:5543`.
pub(super) fn with_colon(text: &str) -> Peer<'_> {
    if let Some((address, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        return Peer { address, port: rest.strip_prefix(':').and_then(port) };
    }
    match text.rsplit_once(':') {
        Some((address, number)) if port(number).is_some() && !address.is_empty() => {
            Peer { address, port: port(number) }
        }
        _ => Peer { address: text, port: None },
    }
}

/// Sets `source.ip`, or `source.address` where it is a name; neither for anything else.
pub(super) fn push_address<'a>(event: &mut Event<'a>, address: &'a str) {
    let address = unmapped(address);
    if is_ip(address) {
        event.push(Field::SourceIp, address);
    } else if is_name(address) {
        event.push(Field::SourceAddress, address);
    }
}

/// [`push_address`] for text that the event cannot borrow.
pub(crate) fn push_address_owned(event: &mut Event<'_>, address: &str) {
    let address = unmapped(address);
    if is_ip(address) {
        event.push(Field::SourceIp, address.to_owned());
    } else if is_name(address) {
        event.push(Field::SourceAddress, address.to_owned());
    }
}

fn is_name(address: &str) -> bool {
    is_host_name(address) && !matches!(address, "UNKNOWN" | "?" | "-")
}
