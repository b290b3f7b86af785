//! RouterOS of MikroTik: `firewall,info PREFIX input: in:ether1 out:(unknown 0), … proto TCP (SYN),
//! 192.0.2.1:4321->192.0.2.2:22, len 60`. The prefix is what the administrator gave the rule and says, as
//! with netfilter, what became of the packet; all behind it is the router's.

use bergfried_event::{Event, Field, Value};

use crate::programs::packets::{Flow, Verdict, address, push_own, push_told};
use crate::programs::{Program, push_text};
use crate::text::{number, port};

pub(in crate::programs) const PROGRAM: Program =
    Program { name: "mikrotik", tags: &["mikrotik"], read };

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    // The topics may have passed for the program.
    if !read_topics(message, event) {
        read_packet(message, event);
    }
}

/// Reads a message with its topics; true where it is a packet's.
pub(super) fn read_topics<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let packet = message.strip_prefix("firewall,").and_then(|rest| rest.split_once(' '));
    packet.is_some_and(|(_, packet)| read_packet(packet.trim_start(), event).is_some())
}

fn read_packet<'a>(text: &'a str, event: &mut Event<'a>) -> Option<()> {
    // The prefix is free text; the router's own words are those that come last.
    let (before, rest) = text.rsplit_once(": in:")?;
    let (prefix, chain) = before.rsplit_once(' ').unwrap_or(("", before));
    let (ingress, rest) = rest.split_once(" out:")?;
    let (egress, rest) = rest.split_once(", ")?;
    let (_, rest) = rest.split_once("proto ")?;
    let end = rest.find([' ', ','])?;
    let (protocol, rest) = rest.split_at_checked(end)?;
    let (detail, rest) = match rest.strip_prefix(" (").and_then(|rest| rest.split_once(')')) {
        Some((detail, rest)) => (detail, rest),
        None => ("", rest),
    };
    let mut parts = rest.strip_prefix(", ")?.split(", ");
    let (source, destination) = parts.next()?.split_once("->")?;
    let (source, source_port) = endpoint(source)?;
    let (destination, destination_port) = endpoint(destination)?;
    let bytes = parts.find_map(|part| number(part.strip_prefix("len ")?.as_bytes()));
    let prefix = prefix.trim();
    Verdict::of(prefix).push("mikrotik", event);
    push_text(event, Field::RuleName, prefix.trim_end_matches(':'));
    push_told(event, "mikrotik.chain", chain);
    if let Some((kind, code)) = detail.strip_prefix("type ").and_then(|d| d.split_once(", code ")) {
        push_told(event, "mikrotik.icmp.type", kind);
        push_told(event, "mikrotik.icmp.code", code);
    } else if !detail.is_empty() {
        let flags: Vec<Value<'_>> = detail.split(',').take(MOST_FLAGS).map(Value::from).collect();
        push_own(event, "mikrotik.flags", Value::List(flags));
    }
    let interface = |name: &'a str| if name.starts_with("(unknown") { "" } else { name };
    let flow = Flow {
        source: Some(source),
        source_port,
        destination: Some(destination),
        destination_port,
        protocol,
        ingress: interface(ingress),
        egress: interface(egress),
        direction: match chain {
            "input" => Some("ingress"),
            "output" => Some("egress"),
            _ => None,
        },
        bytes,
    };
    flow.push(event);
    Some(())
}

const MOST_FLAGS: usize = 8;

/// `192.0.2.1:4321`, `[2001:db8::1]:4321`, and both without a port.
fn endpoint(text: &str) -> Option<(Value<'_>, Option<i64>)> {
    if let Some((inside, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return Some((address(inside)?, rest.strip_prefix(':').and_then(port)));
    }
    if let Some(address) = address(text) {
        return Some((address, None));
    }
    let (before, after) = text.rsplit_once(':')?;
    Some((address(before)?, port(after)))
}
