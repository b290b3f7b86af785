//! Connections to sshd: how they begin, break off and are misused.

use bergfried_event::{Event, Field};

use super::super::peer::{self, Peer};
use super::super::{FAILURE, SUCCESS, classify, outcome, push_text};
use super::{push_user, strip_invalid};

/// Reads a line about a connection; true where it is understood.
pub(super) fn read<'a>(text: &'a str, before_login: bool, event: &mut Event<'a>) -> bool {
    ended(text, before_login, event)
        || disconnecting(text, event)
        || received_disconnect(text, before_login, event)
        || scanned(text, event)
        || refused(text, event)
        || opened(text, event)
        || broken(text, before_login, event)
}

/// `Connection closed by …`, `Connection reset by …`, `Disconnected from …`.
fn ended<'a>(text: &'a str, before_login: bool, event: &mut Event<'a>) -> bool {
    let Some(rest) = text
        .strip_prefix("Connection closed by ")
        .or_else(|| text.strip_prefix("Connection reset by "))
        .or_else(|| text.strip_prefix("Disconnected from "))
        .or_else(|| text.strip_prefix("Closing connection to "))
        .or_else(|| text.strip_prefix("ssh_dispatch_run_fatal: Connection from "))
        .or_else(|| text.strip_prefix("ssh_dispatch_run_fatal: Connection to "))
        .or_else(|| text.strip_prefix("ssh_packet_read: Connection closed by "))
        .or_else(|| text.strip_prefix("packet_write_wait: Connection to "))
        .or_else(|| text.strip_prefix("Timeout, client not responding from "))
    else {
        return false;
    };
    // `ssh_dispatch_run_fatal` ends with `: ERROR`, and sshd's own error texts hold no port.
    let (who, reason) = match peer::at_end(rest) {
        Some((_, Peer { port: Some(_), .. })) => (rest, ""),
        _ => match rest.rsplit_once(": ") {
            Some((who, reason)) => (who, reason),
            None => (rest, ""),
        },
    };
    let tried = push_remote(who, before_login, event);
    push_text(event, Field::EventReason, reason);
    if tried || before_login {
        outcome(event, FAILURE);
    }
    true
}

/// Reads `[invalid user |authenticating user |user ]X ADDRESS port N`; true for a user who was
/// trying to log in.
fn push_remote<'a>(who: &'a str, before_login: bool, event: &mut Event<'a>) -> bool {
    let (rest, tried, named) = if let Some(rest) = who.strip_prefix("authenticating user ") {
        (rest, true, true)
    } else if let (rest, true) = strip_invalid(who) {
        (rest, true, true)
    } else if let Some(rest) = who.strip_prefix("user ") {
        (rest, false, true)
    } else {
        (who, false, false)
    };
    let category = match (tried || before_login, named) {
        (true, _) => "authentication",
        (false, true) => "session",
        (false, false) => "network",
    };
    classify(event, category, "ssh_disconnect");
    if named {
        if let Some((user, peer)) = peer::at_end(rest) {
            push_user(event, user);
            peer.push(event);
        }
    } else {
        peer::at_start(rest).0.push(event);
    }
    tried
}

/// `Disconnecting authenticating user X ADDRESS port N: REASON`,
/// `Disconnecting: Too many authentication failures for X`.
fn disconnecting<'a>(text: &'a str, event: &mut Event<'a>) -> bool {
    if let Some(reason) = text.strip_prefix("Disconnecting: ") {
        classify(event, "authentication", "ssh_disconnect");
        outcome(event, FAILURE);
        push_text(event, Field::EventReason, reason);
        // 6.8 to 7.0: `… for X from ADDRESS port N ssh2`.
        if let Some((user, peer)) = reason
            .strip_prefix("Too many authentication failures for ")
            .and_then(|rest| rest.strip_suffix(" ssh2"))
            .and_then(peer::at_end)
            .and_then(|(before, peer)| Some((before.strip_suffix(" from")?, peer)))
        {
            push_user(event, strip_invalid(user).0);
            peer.push(event);
            return true;
        }
        let user = reason
            .strip_prefix("Too many authentication failures for ")
            .or_else(|| reason.strip_prefix("Too many authentication failures for user "));
        if let Some(user) = user {
            push_user(event, strip_invalid(user).0);
        }
        return true;
    }
    let Some(rest) = text.strip_prefix("Disconnecting ") else { return false };
    // One reason quotes the peer; with it, a second place that looks like an address makes the
    // true one unknowable.
    let quotes_peer = rest.contains("Change of username or service not allowed");
    let mut found = None;
    let mut places = 0;
    for (at, _) in rest.match_indices(": ") {
        let (Some(who), Some(reason)) = (rest.get(..at), rest.get(at + 2..)) else { continue };
        if peer::at_end(who).is_some_and(|(_, peer)| peer.port.is_some()) {
            found = Some((who, reason));
            places += 1;
        }
    }
    let Some((who, reason)) = found else { return false };
    if quotes_peer && places > 1 {
        classify(event, "authentication", "ssh_disconnect");
    } else {
        push_remote(who, true, event);
        push_text(event, Field::EventReason, reason);
    }
    outcome(event, FAILURE);
    true
}

/// `Received disconnect from ADDRESS[ port N]:[ ]CODE: TEXT`; the text is the peer's.
fn received_disconnect<'a>(text: &'a str, before_login: bool, event: &mut Event<'a>) -> bool {
    let Some(rest) = text.strip_prefix("Received disconnect from ") else { return false };
    let (peer, rest) = peer::at_start(rest);
    let category = if before_login { "authentication" } else { "session" };
    classify(event, category, "ssh_disconnect");
    peer.push(event);
    let rest = rest.trim_start_matches([':', ' ']);
    let reason = match rest.split_once(':') {
        Some((code, reason)) if code.bytes().all(|byte| byte.is_ascii_digit()) => reason,
        _ => rest,
    };
    let reason = reason.trim_start_matches(' ');
    push_text(event, Field::EventReason, reason);
    if before_login || reason.contains("Auth fail") || reason.contains("Auth cancel") {
        outcome(event, FAILURE);
    }
    true
}

/// Peers that do not speak SSH, or only to learn about the server.
fn scanned<'a>(text: &'a str, event: &mut Event<'a>) -> bool {
    let read = if let Some(rest) = text.strip_prefix("Did not receive identification string from ")
    {
        Some(("no identification string", peer::at_start(rest).0))
    } else if text.starts_with("Bad protocol version identification '") {
        // The peer's own words stand in the quotes.
        text.rsplit_once("' from ")
            .map(|(_, rest)| ("bad protocol version identification", peer::at_start(rest).0))
    } else if let Some(rest) = text.strip_prefix("Unable to negotiate with ") {
        let (peer, rest) = peer::at_start(rest);
        Some((rest.trim_start_matches([':', ' ']), peer))
    } else if let Some(rest) = text.strip_prefix("banner exchange: Connection from ") {
        let (peer, rest) = peer::at_start(rest);
        Some((rest.trim_start_matches([':', ' ']), peer))
    } else if let Some(rest) = text
        .strip_prefix("Protocol major versions differ for ")
        .or_else(|| text.strip_prefix("scanned from "))
        .or_else(|| text.strip_prefix("probed from "))
    {
        let (peer, rest) = peer::at_start(rest);
        Some((rest.trim_start_matches([':', ' ']), peer))
    } else {
        None
    };
    let Some((reason, peer)) = read else { return false };
    classify(event, "network", "ssh_scan");
    outcome(event, FAILURE);
    peer.push(event);
    push_text(event, Field::EventReason, reason);
    true
}

/// Connections that sshd did not want, and lookups that do not agree.
fn refused<'a>(text: &'a str, event: &mut Event<'a>) -> bool {
    let read = if let Some(rest) = text.strip_prefix("refused connect from ") {
        // `NAME (ADDRESS)`: the name comes from the peer's DNS.
        let address = rest.rsplit_once(" (").map(|(_, address)| address.trim_end_matches(')'));
        Some(("refused by tcp wrappers", peer_of(address.unwrap_or(rest))))
    } else if let Some((rest, reason)) = text
        .strip_prefix("drop connection #")
        .and_then(|rest| rest.split_once(" from "))
        .and_then(|(_, rest)| rest.split_once(" on "))
    {
        let reason = reason.split_once(' ').map_or(reason, |(_, reason)| reason);
        Some((reason, peer::with_colon(rest)))
    } else if let Some(rest) = text.strip_prefix("srclimit_penalise: ") {
        let address = rest.split_once(": new ").map_or("", |(_, rest)| rest);
        let end = address.find(['/', ' ']).unwrap_or(address.len());
        Some((rest, peer_of(address.get(..end).unwrap_or_default())))
    } else if text.starts_with("reverse mapping checking getaddrinfo for ") {
        // `NAME [ADDRESS] failed`; very old ones leave the address out.
        let address = text.rsplit_once(" [").and_then(|(_, rest)| rest.split_once(']'));
        Some(("reverse mapping failed", peer_of(address.map_or("", |(address, _)| address))))
    } else if let Some(rest) = text.strip_prefix("Address ") {
        rest.split_once(" maps to ")
            .map(|(address, _)| ("reverse mapping failed", peer_of(address)))
    } else if text.starts_with("Nasty PTR record ") {
        let address = text.rsplit_once(" is set up for ").map(|(_, rest)| peer::at_start(rest).0);
        address.map(|peer| ("reverse mapping failed", peer))
    } else if let Some(rest) = text.strip_prefix("Timeout before authentication for ") {
        let rest = rest.strip_prefix("connection from ").unwrap_or(rest);
        Some(("timeout before authentication", peer::at_start(rest).0))
    } else {
        None
    };
    let Some((reason, peer)) = read else { return false };
    let category = if reason.starts_with("timeout") { "authentication" } else { "network" };
    classify(event, category, "ssh_connection");
    outcome(event, FAILURE);
    peer.push(event);
    push_text(event, Field::EventReason, reason);
    true
}

fn peer_of(address: &str) -> Peer<'_> {
    Peer { address, port: None }
}

/// `Connection from ADDRESS port N on ADDRESS port N rdomain ""`.
fn opened<'a>(text: &'a str, event: &mut Event<'a>) -> bool {
    let Some(rest) = text.strip_prefix("Connection from ") else { return false };
    classify(event, "network", "ssh_connection");
    outcome(event, SUCCESS);
    let (peer, rest) = peer::at_start(rest);
    peer.push(event);
    if let Some(rest) = rest.strip_prefix(" on ") {
        let (local, _) = peer::at_start(rest);
        if crate::text::is_ip(local.address) {
            event.push(Field::DestinationIp, local.address);
        }
        if let Some(port) = local.port {
            event.push(Field::DestinationPort, port);
        }
    }
    true
}

/// Connections that broke without saying whose they were.
fn broken<'a>(text: &'a str, before_login: bool, event: &mut Event<'a>) -> bool {
    let known = [
        "kex_exchange_identification: ",
        "kex_protocol_error: ",
        "Bad packet length ",
        "Corrupted MAC on input",
        "Corrupted check bytes on input",
        "Read from socket failed: ",
        "Read error from remote host",
        "Write failed: ",
        "no matching ",
        "no hostkey alg",
        "ssh_dispatch_run_fatal: ",
        "dispatch_protocol_error: ",
        "Disconnect",
    ];
    if !known.iter().any(|start| text.starts_with(start)) {
        return false;
    }
    // Where the user was about to log in, the login failed.
    let login_broke = before_login && text.starts_with("Read from socket failed: ");
    let action = if login_broke { "ssh_login" } else { "ssh_disconnect" };
    classify(event, "authentication", action);
    outcome(event, FAILURE);
    if let Some(rest) = text.strip_prefix("Read error from remote host ") {
        peer::at_start(rest).0.push(event);
    }
    push_text(event, Field::EventReason, text);
    true
}
