//! Cisco's ASA, PIX and FTD, and the access lists of IOS: connections that were let through or denied
//! (Cisco ASA Series Syslog Messages, 106001 to 106100, 302013, 302015, 710003, 710005), and logins to
//! the box (605004, 605005, 113004, 113005, 113012, 113015).
//!
//! Names of users stand at the end, in quotation marks, or before an address that ends the line; all
//! else is the box's own.

use bergfried_event::{Event, Field, Value};

use crate::programs::packets::{Flow, Verdict, address, push_own, push_told};
use crate::programs::{FAILURE, Program, SUCCESS, classify, outcome, peer, push_text};
use crate::text::{is_ip, port};

pub(in crate::programs) const PROGRAM: Program = Program { name: "cisco", tags: &["cisco"], read };

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    if read_login(message, event).is_none() && read_access(message, event).is_none() {
        read_flow(message, event);
    }
}

/// `Login denied from 192.0.2.1/4321 to outside:192.0.2.2/ssh for user "name"`.
fn read_login<'a>(message: &'a str, event: &mut Event<'a>) -> Option<()> {
    let (rest, result) = match message.strip_prefix("Login denied from ") {
        Some(rest) => (rest, FAILURE),
        None => (message.strip_prefix("Login permitted from ")?, SUCCESS),
    };
    let (from, rest) = rest.split_once(" to ")?;
    let source = endpoint(from)?;
    let (to, user) = rest.split_once(" for user ")?;
    push_session(event, result);
    event.push(Field::SourceIp, source.address);
    if let Some(port) = source.port {
        event.push(Field::SourcePort, port);
    }
    push_text(event, Field::UserName, user.trim_end().trim_matches('"'));
    push_text(event, Field::ServiceName, to.rsplit_once('/').map_or("", |(_, service)| service));
    Some(())
}

/// `AAA user authentication Rejected : reason = … : server = … : user = name : user IP = 192.0.2.1`.
fn read_access<'a>(message: &'a str, event: &mut Event<'a>) -> Option<()> {
    let rest = message.strip_prefix("AAA user authentication ")?;
    let result = match rest.split([' ', ':']).next()? {
        "Rejected" => FAILURE,
        "Successful" => SUCCESS,
        _ => return None,
    };
    let (rest, address) = match rest.rsplit_once("user IP = ") {
        Some((rest, address)) if is_ip(address.trim()) => (rest, address.trim()),
        _ => (rest, ""),
    };
    let user = ["user = ", "User = "].iter().find_map(|key| rest.split_once(key));
    push_session(event, result);
    if let Some((_, user)) = user {
        push_text(event, Field::UserName, user.trim_end_matches([' ', ':']));
    }
    peer::push_address(event, address);
    Some(())
}

fn push_session(event: &mut Event<'_>, result: &'static str) {
    event.push(Field::EventModule, "cisco");
    event.push(Field::EventKind, "event");
    classify(event, "authentication", "remote_login");
    outcome(event, result);
}

/// One end of a connection as the box writes it.
struct Endpoint<'a> {
    interface: &'a str,
    address: Value<'a>,
    port: Option<i64>,
}

/// `outside:192.0.2.1/4321`, `192.0.2.1/4321`, `outside/192.0.2.1(4321)`, `192.0.2.1(4321)`, without
/// ports too; a name of a user in brackets may follow.
fn endpoint(word: &str) -> Option<Endpoint<'_>> {
    let word = word.trim_end_matches([',', '.', ';']);
    let word = word.strip_prefix('(').and_then(|word| word.strip_suffix(')')).unwrap_or(word);
    let (head, behind) = word.split_once('(').unwrap_or((word, ""));
    let behind = behind.split(')').next().and_then(port);
    if let Some((interface, last)) = head.rsplit_once('/') {
        if is_ip(last) {
            return Some(Endpoint { interface, address: address(last)?, port: behind });
        }
        return plain(interface, port(last));
    }
    plain(head, behind)
}

/// An address with or without its interface.
fn plain(text: &str, port: Option<i64>) -> Option<Endpoint<'_>> {
    if let Some(address) = address(text) {
        return Some(Endpoint { interface: "", address, port });
    }
    let (interface, rest) = text.split_once(':')?;
    Some(Endpoint { interface, address: address(rest)?, port })
}

/// What was done, by the words that a message begins with, and at which word the protocol stands.
const FLOWS: [(&str, Verdict, usize); 14] = [
    ("Deny inbound protocol ", Verdict::Blocked, 3),
    ("Deny inbound ", Verdict::Blocked, 2),
    ("Deny outbound ", Verdict::Blocked, 2),
    ("Deny protocol ", Verdict::Blocked, 2),
    ("Deny IP spoof ", Verdict::Blocked, usize::MAX),
    ("Deny ", Verdict::Blocked, 1),
    ("Inbound TCP connection denied ", Verdict::Blocked, 1),
    ("TCP access denied by ACL ", Verdict::Blocked, 0),
    ("UDP access denied by ACL ", Verdict::Blocked, 0),
    ("TCP request discarded ", Verdict::Blocked, 0),
    ("UDP request discarded ", Verdict::Blocked, 0),
    ("Built inbound ", Verdict::Allowed, 2),
    ("Built outbound ", Verdict::Allowed, 2),
    ("Built ", Verdict::Allowed, 1),
];

/// A message about a connection, by its words.
fn read_flow<'a>(message: &'a str, event: &mut Event<'a>) {
    let words: Vec<&str> = message.split_ascii_whitespace().take(MOST_WORDS).collect();
    let word = |at: usize| words.get(at).copied().unwrap_or_default();
    let listed = match word(0) {
        "access-list" | "list" => match word(2) {
            "denied" => Some((Verdict::Blocked, 3, word(1))),
            "permitted" | "est-allowed" => Some((Verdict::Allowed, 3, word(1))),
            _ => None,
        },
        _ => None,
    };
    let told = listed.or_else(|| {
        let flow = FLOWS.iter().find(|(start, ..)| message.starts_with(start))?;
        Some((flow.1, flow.2, ""))
    });
    let Some((verdict, protocol, list)) = told else { return };
    let Some((mut source, mut destination)) = ends(&words) else { return };
    // The box names the outside first; of a connection to there that is where it goes.
    if message.starts_with("Built outbound ") {
        std::mem::swap(&mut source, &mut destination);
    }
    verdict.push("cisco", event);
    let group = message.split_once("by access-group \"").and_then(|(_, rest)| rest.split_once('"'));
    push_text(event, Field::RuleName, group.map_or(list, |(name, _)| name));
    let after = |key: &str| message.rsplit_once(key).map_or("", |(_, rest)| rest);
    let flags: Vec<Value<'_>> = after(" flags ")
        .split_ascii_whitespace()
        .take_while(|word| word.bytes().all(|byte| byte.is_ascii_uppercase()))
        .map(Value::from)
        .collect();
    if !flags.is_empty() {
        push_own(event, "cisco.flags", Value::List(flags));
    }
    if let Some((kind, code)) = after("(type ").split_once(", code ") {
        push_told(event, "cisco.icmp.type", kind);
        push_told(event, "cisco.icmp.code", code.split(')').next().unwrap_or_default());
    }
    let interface = after(" on interface ").split([' ', '.']).next().unwrap_or_default();
    let flow = Flow {
        protocol: word(protocol),
        ingress: if source.interface.is_empty() { interface } else { source.interface },
        egress: destination.interface,
        source: Some(source.address),
        source_port: source.port,
        destination: Some(destination.address),
        destination_port: destination.port,
        direction: None,
        bytes: None,
    };
    flow.push(event);
}

/// More words than a message of one connection has.
const MOST_WORDS: usize = 64;

/// Both ends: around `->`, or behind `src`, `from` or `for`, and behind `dst` or `to`.
fn ends<'a>(words: &[&'a str]) -> Option<(Endpoint<'a>, Endpoint<'a>)> {
    if let Some(arrow) = words.iter().position(|word| *word == "->") {
        let source = words.get(arrow.checked_sub(1)?)?;
        return Some((endpoint(source)?, endpoint(words.get(arrow + 1)?)?));
    }
    let first = words.iter().position(|word| matches!(*word, "src" | "from" | "for"))?;
    let source = endpoint(words.get(first + 1)?)?;
    let rest = words.get(first + 2..)?;
    let second = rest.iter().position(|word| matches!(*word, "dst" | "to"))?;
    Some((source, endpoint(rest.get(second + 1)?)?))
}
