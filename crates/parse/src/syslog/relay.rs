//! What relays put around the message of a sender, who is the one that counts.
//!
//! Only a message without a program is taken apart: behind a tag stands what a program chose to
//! say, and what looks like a header there may be forged.

use std::borrow::Cow;

use super::rfc3164::stamped;
use super::{Opened, open, priority, rfc5424};
use crate::Context;
use crate::stamp;
use crate::text::{is_host_name, is_ip, port};

/// A message through more relays than this is read as the last of them sent it.
const MOST_RELAYS: usize = 4;

/// Takes off the headers of relays: another header with `<PRI>`, of RFC 5424 without it, or with a
/// stamp, a host and a tag.
pub(super) fn unwrap<'a>(opened: &mut Opened<'a>, context: &Context<'_>) {
    for _ in 0..MOST_RELAYS {
        let line = &mut opened.line;
        let (None, Cow::Borrowed(message)) = (&line.program, &line.message) else { return };
        let message: &'a str = message;
        if priority(message).is_some() {
            let mut inner = open(message, context);
            if inner.line.program.is_none() && inner.line.host.is_none() {
                return;
            }
            inner.line.host = inner.line.host.or_else(|| line.host.take());
            if inner.line.created == context.received {
                inner.line.created = line.created;
            }
            inner.message_id = inner.message_id.or(opened.message_id);
            inner.parameters.append(&mut opened.parameters);
            *opened = inner;
            continue;
        }
        if let Some(header) = behind_version(line.host.as_deref(), message)
            && let Some(mut inner) = rfc5424::versioned(None, header, context)
            && inner.line.host.is_some()
        {
            inner.line.facility = line.facility;
            inner.line.severity = line.severity;
            inner.line.has_priority = line.has_priority;
            *opened = inner;
            continue;
        }
        if line.host.is_none() {
            return;
        }
        let Some((Some(created), rest)) = stamp::read(message, context) else { return };
        let mut inner = stamped(rest, created, context);
        if inner.host.is_none() || inner.program.is_none() {
            return;
        }
        if inner.facility.is_none() {
            (inner.facility, inner.severity) = (line.facility, line.severity);
            inner.has_priority = line.has_priority;
        }
        *line = inner;
    }
}

/// What stands behind the version of RFC 5424, where an older relay has put its own stamp between
/// `<PRI>` and version. The version passes for a host then.
fn behind_version<'a>(host: Option<&str>, message: &'a str) -> Option<&'a str> {
    let header = match host {
        Some("1") => message,
        _ => message.strip_prefix("1 ")?,
    };
    // Words of a message look like a host and a program too: stamp and structured data do not.
    let mut words = header.splitn(6, ' ');
    let is_tagged = words.nth(2)?.ends_with(':');
    let data = words.nth(2)?;
    let is_whole = !header.starts_with('-') && (data.starts_with('[') || data.starts_with('-'));
    (is_whole && !is_tagged).then_some(header)
}

/// The host that a message began at, of the names that relays chained: `web1/relay1/relay2` and
/// `source@web1/relay1`, as syslog-ng writes with `chain-hostnames()`; `[192.0.2.1]` is an address.
pub(super) fn sender(token: &str) -> &str {
    if let Some(address) = bracketed(token) {
        return address;
    }
    // `192.0.2.1:514`, from where a relay had it.
    if let Some((address, number)) = token.rsplit_once(':')
        && !is_ip(token)
        && is_ip(address)
        && port(number).is_some()
    {
        return address;
    }
    let first = token.split_once('/').map_or(token, |(first, _)| first);
    let host = first.rsplit_once('@').map_or(first, |(_, host)| host);
    let chained = host.len() < token.len()
        && token.split(['/', '@']).all(|name| is_host_name(name) || name.is_empty());
    if chained && !host.is_empty() { host } else { token }
}

/// The address of `[192.0.2.1]`.
pub(super) fn bracketed(token: &str) -> Option<&str> {
    token.strip_prefix('[')?.strip_suffix(']').filter(|address| is_ip(address))
}

/// The host of `Message forwarded from web1: …` and `From web1: …`, as the syslogd of AIX relays.
pub(super) fn forwarded(text: &str) -> Option<(&str, &str)> {
    let after = text.strip_prefix("Message forwarded from ").or_else(|| text.strip_prefix("From "));
    after?.split_once(": ").filter(|(host, _)| is_host_name(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_chain_is_the_sender() {
        for (token, host) in [
            ("web1", "web1"),
            ("web1/relay", "web1"),
            ("192.0.2.1:514", "192.0.2.1"),
            ("web1:514", "web1:514"),
            ("2001:db8::1", "2001:db8::1"),
            ("web1.example.org/192.0.2.1/relay2", "web1.example.org"),
            ("s_net@web1/relay", "web1"),
            ("s_net@web1", "web1"),
            ("[192.0.2.1]", "192.0.2.1"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("/", "/"),
            ("a b/c", "a b/c"),
        ] {
            assert_eq!(sender(token), host);
        }
    }
}
