//! What stands behind the addresses of a line, by the protocol of the packet.

use bergfried_event::{Event, Value};

use super::Fields;
use crate::programs::packets::{Flow, address, protocol, push_own, push_told};
use crate::text::port;

/// Reads the fields of the packet's protocol; those of others are kept as they are.
pub(super) fn read<'a>(
    fields: &mut Fields<'a>,
    flow: &mut Flow<'a>,
    flags: &mut Vec<Value<'a>>,
    event: &mut Event<'a>,
) {
    match flow.protocol.to_ascii_lowercase().as_str() {
        "tcp" | "6" => {
            ports(fields, flow, event);
            flags.extend(tcp_flags(fields.next()));
            for name in [
                "pfsense.sequence",
                "pfsense.acknowledgement",
                "pfsense.window",
                "pfsense.urgent_pointer",
                "pfsense.tcp_options",
            ] {
                push_told(event, name, fields.next());
            }
        }
        "udp" | "17" | "udplite" | "136" | "sctp" | "132" => ports(fields, flow, event),
        "icmp" | "1" => icmp(fields, event),
        "icmpv6" | "ipv6-icmp" | "icmp6" | "58" => icmp(fields, event),
        "carp" | "vrrp" | "112" => {
            for name in [
                "pfsense.carp.type",
                "pfsense.carp.ttl",
                "pfsense.carp.vhid",
                "pfsense.carp.version",
                "pfsense.carp.advskew",
                "pfsense.carp.advbase",
            ] {
                push_told(event, name, fields.next());
            }
        }
        _ => {
            let rest = fields.rest();
            match rest.strip_prefix("datalength=") {
                Some(length) => push_told(event, "pfsense.data_length", length),
                None => push_told(event, "pfsense.options", rest),
            }
        }
    }
}

/// `source port, destination port, length of what is sent`.
fn ports<'a>(fields: &mut Fields<'a>, flow: &mut Flow<'a>, event: &mut Event<'a>) {
    flow.source_port = port(fields.next());
    flow.destination_port = port(fields.next());
    push_told(event, "pfsense.data_length", fields.next());
}

/// The letters of flags and their names; of an odd text none.
fn tcp_flags(text: &str) -> Vec<Value<'static>> {
    const LETTERS: [(char, &str); 8] = [
        ('S', "SYN"),
        ('A', "ACK"),
        ('F', "FIN"),
        ('R', "RST"),
        ('P', "PSH"),
        ('U', "URG"),
        ('E', "ECE"),
        ('W', "CWR"),
    ];
    let named = |letter: char| {
        // tcpdump's own mark for ACK, and the other letter for CWR.
        let letter = match letter {
            '.' => 'A',
            'C' => 'W',
            letter => letter,
        };
        LETTERS.iter().find(|(known, _)| *known == letter).map(|(_, name)| *name)
    };
    if text.len() > LETTERS.len() {
        return Vec::new();
    }
    let mut found: Vec<&str> = Vec::new();
    for letter in text.chars() {
        match named(letter) {
            Some(name) if !found.contains(&name) => found.push(name),
            Some(_) => {}
            None => return Vec::new(),
        }
    }
    found.into_iter().map(Value::from).collect()
}

/// The kind of message, then what this kind has.
fn icmp<'a>(fields: &mut Fields<'a>, event: &mut Event<'a>) {
    let kind = fields.next();
    push_told(event, "pfsense.icmp.type", kind);
    let names: &[&'static str] = match kind {
        "request" | "reply" | "tstamp" => &["pfsense.icmp.id", "pfsense.icmp.sequence"],
        "tstampreply" => &[
            "pfsense.icmp.id",
            "pfsense.icmp.sequence",
            "pfsense.icmp.originate_time",
            "pfsense.icmp.receive_time",
            "pfsense.icmp.transmit_time",
        ],
        "unreachproto" | "unreachport" | "needfrag" => {
            quoted(fields, kind, event);
            &[]
        }
        _ => &[],
    };
    for name in names {
        push_told(event, name, fields.next());
    }
    push_told(event, "pfsense.icmp.description", fields.rest());
}

/// Where the packet was to go that the message is about, and why it did not get there.
fn quoted<'a>(fields: &mut Fields<'a>, kind: &str, event: &mut Event<'a>) {
    if let Some(address) = address(fields.next()) {
        push_own(event, "pfsense.inner.destination.ip", address);
    }
    if kind == "needfrag" {
        return push_told(event, "pfsense.icmp.mtu", fields.next());
    }
    if let (Some(name), _) = protocol(fields.next()) {
        push_own(event, "pfsense.inner.transport", name);
    }
    if kind == "unreachport"
        && let Some(port) = port(fields.next())
    {
        push_own(event, "pfsense.inner.destination.port", port);
    }
}
