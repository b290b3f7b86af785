//! Cisco's ASA, PIX and FTD, and the access lists of IOS: connections that were let through or denied
//! (Cisco ASA Series Syslog Messages, 106001 to 106100, 302013, 302015, 302020, 313001 to 313005, 401004,
//! 710003, 710005), hosts that scan (733101), and in [`logins`] who came in.

mod logins;

use bergfried_event::{Event, Field, Value};

use crate::programs::packets::{Flow, Verdict, address, push_own, push_told};
use crate::programs::{Program, push_text};
use crate::text::{is_ip, port};

pub(in crate::programs) const PROGRAM: Program = Program { name: "cisco", tags: &["cisco"], read };

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    if logins::read(message, event).is_none() && read_scan(message, event).is_none() {
        read_flow(message, event);
    }
}

/// `Host 192.0.2.1 is attacking. Current burst rate is 200 per second, …`, of threat detection.
fn read_scan<'a>(message: &'a str, event: &mut Event<'a>) -> Option<()> {
    let (host, _) = message.strip_prefix("Host ")?.split_once(" is attacking.")?;
    let source = address(host)?;
    event.push(Field::EventModule, "cisco");
    event.push(Field::EventKind, "alert");
    let categories = ["intrusion_detection", "network"].map(Value::from);
    event.push(Field::EventCategory, Value::List(categories.to_vec()));
    event.push(Field::EventAction, "port-scan");
    event.push(Field::EventType, "info");
    event.push(Field::SourceIp, source);
    Some(())
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
    let word = word.strip_suffix(':').filter(|word| is_ip(word)).unwrap_or(word);
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
const FLOWS: [(&str, Verdict, usize); 17] = [
    ("Denied ICMP ", Verdict::Blocked, 1),
    ("No matching connection for ICMP error message: ", Verdict::Blocked, 7),
    ("Shunned packet: ", Verdict::Blocked, usize::MAX),
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
    // A list that looks at sources alone says no protocol.
    let protocol = if endpoint(word(3)).is_some() { usize::MAX } else { 3 };
    let listed = match word(0) {
        "access-list" | "list" => match word(2) {
            "denied" => Some((Verdict::Blocked, protocol, word(1))),
            "permitted" | "est-allowed" => Some((Verdict::Allowed, protocol, word(1))),
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
    if message.starts_with("Built outbound ")
        && let Some(to) = destination.as_mut()
    {
        std::mem::swap(&mut source, to);
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
    push_icmp(message, event);
    let interface = after(" on interface ").split([' ', '.']).next().unwrap_or_default();
    let (destination, destination_port, egress) = match destination {
        Some(end) => (Some(end.address), end.port, end.interface),
        None => (None, None, ""),
    };
    let flow = Flow {
        protocol: word(protocol),
        ingress: if source.interface.is_empty() { interface } else { source.interface },
        egress,
        source: Some(source.address),
        source_port: source.port,
        destination,
        destination_port,
        direction: None,
        bytes: None,
    };
    flow.push(event);
}

/// More words than a message of one connection has.
const MOST_WORDS: usize = 64;

/// `(type 8, code 0)`, `type 8 code 0` at the end, or `ICMP type=8, code=0`.
fn push_icmp<'a>(message: &'a str, event: &mut Event<'a>) {
    for (before, between) in [("(type ", ", code "), (" type ", " code "), (" type=", " code=")] {
        let Some((_, rest)) = message.split_once(before) else { continue };
        let number = |text: &'a str| text.split([' ', ',', ')']).next().unwrap_or_default();
        push_told(event, "cisco.icmp.type", number(rest));
        if let Some((_, code)) = rest.split_once(between) {
            push_told(event, "cisco.icmp.code", number(code));
        }
        return;
    }
}

/// Both ends: around an arrow, or behind `src`, `from` or `for`, and behind `dst` or `to`. A list that
/// looks at sources alone names no destination, and neither does an echo that the box itself refused.
fn ends<'a>(words: &[&'a str]) -> Option<(Endpoint<'a>, Option<Endpoint<'a>>)> {
    if let Some(arrow) = words.iter().position(|word| matches!(*word, "->" | "==>")) {
        let source = words.get(arrow.checked_sub(1)?)?;
        return Some((endpoint(source)?, Some(endpoint(words.get(arrow + 1)?)?)));
    }
    // `for faddr 192.0.2.1/0 gaddr 192.0.2.2/0 laddr 10.0.0.2/0`: the outside, and the host behind
    // the box. What looks like a port is the number of an echo.
    let after = |key: &str| {
        let at = words.iter().position(|word| *word == key)?;
        endpoint(words.get(at + 1)?)
    };
    if let Some(outside) = after("faddr") {
        let without_port = |end| Endpoint { port: None, ..end };
        return Some((without_port(outside), Some(without_port(after("laddr")?))));
    }
    if words.first() == Some(&"list") {
        return Some((endpoint(words.get(3)?)?, None));
    }
    let is_first = |word: &&str| matches!(*word, "src" | "from" | "for");
    let first = words.iter().enumerate().filter(|(_, word)| is_first(word)).find_map(|(at, _)| {
        let next = words.get(at + 1)?;
        let at = if *next == "laddr" { at + 1 } else { at };
        Some((at, endpoint(words.get(at + 1)?)?))
    });
    let (first, source) = first?;
    let rest = words.get(first + 2..)?;
    let second = rest.iter().position(|word| matches!(*word, "dst" | "to"));
    let destination = second.and_then(|second| endpoint(rest.get(second + 1)?));
    let may_be_alone = words.get(..2) == Some(&["Denied", "ICMP"]);
    (destination.is_some() || may_be_alone).then_some((source, destination))
}
