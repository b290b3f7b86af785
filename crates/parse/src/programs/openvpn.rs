//! OpenVPN servers: who came, with which certificate or name, and why they were refused.
//!
//! A line is `[CN/]ADDRESS:PORT MESSAGE`; the common name is from a certificate that the server has
//! checked, but for the lines before that, which have none. The address is read behind its last `/`.

use bergfried_event::{Event, Field, FieldName};

use super::{FAILURE, Program, SUCCESS, classify, outcome, peer, push_text};
use crate::Context;
use crate::line::Line;
use crate::stamp;
use crate::text::{is_ip, port};

pub(super) const PROGRAM: Program = Program { name: "openvpn", tags: &["openvpn"], read };

/// Phrases, `event.action` and `event.outcome`; the first that a message has counts.
const PHRASES: [(&str, &str, &str); 24] = [
    ("TLS Auth Error: Auth Username/Password verification failed", "vpn_login", FAILURE),
    ("TLS Auth Error:", "vpn_login", FAILURE),
    ("AUTH_FAILED", "vpn_login", FAILURE),
    ("Auth Username/Password was not provided by peer", "vpn_login", FAILURE),
    ("WARNING: Failed running command (--auth-user-pass-verify)", "vpn_login", FAILURE),
    ("PLUGIN_AUTH_USER_PASS_VERIFY status=1", "vpn_login", FAILURE),
    ("Incorrect password supplied for LDAP DN", "vpn_login", FAILURE),
    ("TLS: Username/Password authentication succeeded", "vpn_login", SUCCESS),
    ("VERIFY ERROR:", "vpn_certificate", FAILURE),
    ("VERIFY X509NAME ERROR", "vpn_certificate", FAILURE),
    ("VERIFY OK:", "vpn_certificate", SUCCESS),
    ("Authenticate/Decrypt packet error: packet HMAC authentication failed", "vpn_packet", FAILURE),
    ("TLS Error: cannot locate HMAC in incoming packet", "vpn_packet", FAILURE),
    ("TLS Error: incoming packet authentication failed", "vpn_packet", FAILURE),
    ("tls-crypt unwrap error", "vpn_packet", FAILURE),
    ("TLS Error:", "vpn_handshake", FAILURE),
    ("TLS_ERROR:", "vpn_handshake", FAILURE),
    ("Peer Connection Initiated with", "vpn_connected", SUCCESS),
    ("TLS: Initial packet from", "vpn_connection", ""),
    ("TCP connection established with", "vpn_connection", ""),
    ("received, client-instance", "vpn_disconnected", ""),
    ("Connection reset, restarting", "vpn_disconnected", ""),
    ("Initialization Sequence Completed", "vpn_started", SUCCESS),
    ("MULTI: Learn: ", "vpn_address", SUCCESS),
];

/// A line of the log that `log-append` names: a time, and what only OpenVPN writes.
pub(super) fn own<'a>(text: &'a str, context: &Context<'_>) -> Option<Line<'a>> {
    // Both forms of its time have a space here, the one of syslog does not.
    if text.as_bytes().get(10) != Some(&b' ') {
        return None;
    }
    let (created, rest) = stamp::read(text, context)?;
    let message = without_fraction(rest.strip_prefix(' ')?);
    let is_one = peer_of(message).is_some()
        || ["OpenVPN 2.", "Initialization Sequence Completed", "TLS Error: ", "AUTH-PAM: "]
            .iter()
            .any(|start| message.starts_with(start))
        || message.starts_with("TCP connection established with [AF_INET");
    if !is_one {
        return None;
    }
    let mut line = Line::bare(message, created.unwrap_or(context.received));
    line.program = Some("openvpn".into());
    Some(line)
}

/// Without the microseconds that `verb 4` and more put behind the time: `us=123456 `.
fn without_fraction(message: &str) -> &str {
    let fraction = message.strip_prefix("us=").and_then(|rest| rest.split_once(' '));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    fraction.filter(|(number, _)| is_number(number)).map_or(message, |(_, rest)| rest)
}

/// The client of a message: common name, address and port, and what follows.
fn peer_of(message: &str) -> Option<(&str, &str, i64, &str)> {
    let (token, rest) = message.split_once(' ')?;
    let (name, place) = token.rsplit_once('/').unwrap_or(("", token));
    let (address, port) = place_of(place)?;
    Some((name, address, port, rest))
}

/// `[AF_INET]192.0.2.1:1194`, `udp4:192.0.2.1:1194`.
fn place_of(text: &str) -> Option<(&str, i64)> {
    let bare =
        text.strip_prefix('[').and_then(|text| text.split_once(']')).map_or(text, |(_, bare)| bare);
    let (address, number) = bare.rsplit_once(':')?;
    let port = port(number)?;
    if is_ip(address) {
        return Some((address, port));
    }
    let (_, address) = address.split_once(':')?;
    is_ip(address).then_some((address, port))
}

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    let message = unstamped(message);
    let (name, peer, said) = match peer_of(message) {
        Some((name, address, port, rest)) => (name, Some((address, port)), rest),
        None => ("", None, message),
    };
    let user = user_of(said);
    let Some((action, result)) = verdict(said) else { return };
    let category = if action == "vpn_login" { "authentication" } else { "network" };
    classify(event, category, action);
    if !result.is_empty() {
        outcome(event, result);
    }
    if result == FAILURE {
        push_text(event, Field::EventReason, said);
    }
    event.push(Field::EventModule, "openvpn");
    // `[bob] Peer Connection Initiated with [AF_INET]192.0.2.1:1194`
    let initiated = said.strip_prefix('[').and_then(|said| said.split_once("] Peer "));
    let name = initiated.map_or(name, |(name, _)| name);
    push_text(event, Field::UserName, user.unwrap_or(name));
    if user.is_some() && !name.is_empty() {
        event.push_named(FieldName::Other("openvpn.common_name".into()), name);
    }
    let named =
        || said.rsplit(' ').next().and_then(|last| place_of(last.trim_end_matches([',', ':'])));
    let after_from = || {
        let (_, rest) = said.rsplit_once(" from ")?;
        place_of(rest.split([' ', ',']).next()?)
    };
    if let Some((address, port)) = peer.or_else(after_from).or_else(named) {
        peer::push_address(event, address);
        event.push(Field::SourcePort, port);
    }
}

/// What a message says. What a client typed stands in quotation marks behind `user`, where only the end
/// of the message counts.
fn verdict(said: &str) -> Option<(&'static str, &'static str)> {
    let said = said.strip_prefix("AUTH-PAM: BACKGROUND: ").unwrap_or(said);
    if let Some((_, end)) = said.strip_prefix("user '").and_then(|rest| rest.rsplit_once("' ")) {
        return match end {
            "authenticated" => Some(("vpn_login", SUCCESS)),
            _ if end.starts_with("could not authenticate")
                || end.starts_with("failed to authenticate") =>
            {
                Some(("vpn_login", FAILURE))
            }
            _ => None,
        };
    }
    let fits = |(phrase, action, result): &&(&str, &str, &str)| {
        // A login succeeded only where the message begins so.
        if *result == SUCCESS && *action == "vpn_login" {
            said.starts_with(phrase)
        } else {
            said.contains(phrase)
        }
    };
    let found = PHRASES.iter().find(fits);
    found.map(|(_, action, result)| (*action, *result))
}

/// The name in `username 'bob' [CN SET]`, `user 'bob' authenticated`: what a client typed ends at the
/// last quotation mark.
fn user_of(said: &str) -> Option<&str> {
    let start =
        ["username '", "user '"].iter().find_map(|key| said.find(key).map(|at| at + key.len()))?;
    let rest = said.get(start..)?;
    rest.rsplit_once('\'').map(|(user, _)| user).filter(|user| !user.is_empty())
}

/// The message without the time that OpenVPN itself puts before it.
fn unstamped(message: &str) -> &str {
    let (weekday, rest) = message.split_once(' ').unwrap_or((message, ""));
    let is_stamp = weekday.len() == 3 && rest.as_bytes().get(6) == Some(&b' ');
    // `Sun May 14 17:49:12 2017 `
    match rest.get(20..) {
        Some(after) if is_stamp && rest.as_bytes().get(9) == Some(&b':') => after.trim_start(),
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    use bergfried_event::Timestamp;

    use super::*;

    #[test]
    fn names_of_clients_decide_nothing() {
        for (message, outcome, user) in [
            (
                "user 'TLS: Username/Password authentication succeeded' could not authenticate.",
                FAILURE,
                "TLS: Username/Password authentication succeeded",
            ),
            ("user 'x' authenticated' could not authenticate.", FAILURE, "x' authenticated"),
            ("user 'AUTH_FAILED' authenticated", SUCCESS, "AUTH_FAILED"),
            (
                "192.0.2.1:5 TLS: Username/Password authentication succeeded for username 'a' from [AF_INET]6.6.6.6:6'",
                SUCCESS,
                "a' from [AF_INET]6.6.6.6:6",
            ),
        ] {
            let mut event = Event::new(Timestamp::from_seconds(0), "");
            read(message, &mut event);
            assert_eq!(event.text(Field::EventOutcome), Some(outcome), "{message}");
            assert_eq!(event.text(Field::UserName), Some(user), "{message}");
            let address = event.text(Field::SourceIp);
            assert_eq!(address, message.starts_with("192").then_some("192.0.2.1"), "{message}");
        }
    }

    #[test]
    fn places_of_every_family_are_read() {
        for (text, place) in [
            ("192.0.2.1:1194", Some(("192.0.2.1", 1194))),
            ("[AF_INET]192.0.2.1:1194", Some(("192.0.2.1", 1194))),
            ("[AF_INET6]2001:db8::1:1194", Some(("2001:db8::1", 1194))),
            ("udp4:192.0.2.1:1194", Some(("192.0.2.1", 1194))),
            ("udp6:2001:db8::1:1194", Some(("2001:db8::1", 1194))),
            ("name:1194", None),
            ("192.0.2.1", None),
            ("", None),
        ] {
            assert_eq!(place_of(text), place, "{text}");
        }
    }
}
