//! The packet in a line of the packet filter: `KEY=VALUE` and flags, in the order of the kernel.

use bergfried_event::{Event, Field, Value};

use crate::programs::packets::{address, protocol, push_own};
use crate::text::{number, port};

/// More words than any packet has.
const MOST_WORDS: usize = 96;

/// A packet as it is written; a packet in it is the one that an ICMP error is about.
#[derive(Default)]
pub(super) struct Packet<'a> {
    ingress: &'a str,
    egress: &'a str,
    mac: &'a str,
    source: Option<Value<'a>>,
    destination: Option<Value<'a>>,
    source_port: Option<i64>,
    destination_port: Option<i64>,
    protocol: &'a str,
    bytes: Option<i64>,
    is_v6: bool,
    flags: Vec<Value<'a>>,
    owner: Option<&'a str>,
    group: Option<&'a str>,
    /// Every other key under its name.
    rest: Vec<(&'static str, Value<'a>)>,
    inner: Option<Box<Packet<'a>>>,
}

/// Keys that are kept as they are, as numbers where they are numbers.
const KEPT: [(&str, &str); 20] = [
    ("PHYSIN", "netfilter.physical.ingress"),
    ("PHYSOUT", "netfilter.physical.egress"),
    ("TOS", "netfilter.tos"),
    ("PREC", "netfilter.precedence"),
    ("TC", "netfilter.traffic_class"),
    ("TTL", "netfilter.ttl"),
    ("HOPLIMIT", "netfilter.ttl"),
    ("FLOWLBL", "netfilter.flow_label"),
    ("ID", "netfilter.id"),
    ("SEQ", "netfilter.sequence"),
    ("ACK", "netfilter.acknowledgement"),
    ("WINDOW", "netfilter.window"),
    ("RES", "netfilter.reserved"),
    ("URGP", "netfilter.urgent_pointer"),
    ("TYPE", "netfilter.icmp.type"),
    ("CODE", "netfilter.icmp.code"),
    ("MTU", "netfilter.icmp.mtu"),
    ("GATEWAY", "netfilter.icmp.gateway"),
    ("SPI", "netfilter.spi"),
    ("MARK", "netfilter.mark"),
];

/// Words without a value: flags of IP and TCP.
const FLAGS: [&str; 11] =
    ["CE", "DF", "MF", "CWR", "ECE", "URG", "ACK", "PSH", "RST", "SYN", "FIN"];

impl<'a> Packet<'a> {
    /// Reads the text from `IN=` on; none where it names no packet.
    pub(super) fn read(text: &'a str) -> Option<Packet<'a>> {
        let mut packet = Packet::default();
        let mut inner = None;
        let mut words = text.split_ascii_whitespace().take(MOST_WORDS);
        while let Some(word) = words.next() {
            // ICMP errors quote the packet that they are about, in brackets.
            if let Some(first) = word.strip_prefix('[') {
                let mut quoted = Packet::default();
                quoted.word(first.trim_end_matches(']'));
                let mut ended = first.ends_with(']');
                while !ended && let Some(word) = words.next() {
                    ended = word.ends_with(']');
                    quoted.word(word.trim_end_matches(']'));
                }
                inner = quoted.source.is_some().then(|| Box::new(quoted));
            } else {
                packet.word(word);
            }
        }
        packet.inner = inner;
        (packet.source.is_some() || packet.destination.is_some()).then_some(packet)
    }

    /// Takes one word; of a key that comes twice the first counts, which is the one of the outer
    /// header.
    fn word(&mut self, word: &'a str) {
        let Some((key, value)) = word.split_once('=') else {
            if FLAGS.contains(&word) {
                self.flags.push(word.into());
            }
            return;
        };
        match key {
            "IN" if self.ingress.is_empty() => self.ingress = value,
            "OUT" if self.egress.is_empty() => self.egress = value,
            "MAC" if self.mac.is_empty() => self.mac = value,
            "SRC" | "IPSRC" if self.source.is_none() => {
                self.is_v6 = value.contains(':');
                self.source = address(value);
            }
            "DST" | "IPDST" if self.destination.is_none() => self.destination = address(value),
            "SPT" if self.source_port.is_none() => self.source_port = port(value),
            "DPT" if self.destination_port.is_none() => self.destination_port = port(value),
            "PROTO" if self.protocol.is_empty() => self.protocol = value,
            "LEN" if self.bytes.is_none() => self.bytes = number(value.as_bytes()),
            "LEN" => self.keep("netfilter.payload_length", value),
            "UID" if self.owner.is_none() => self.owner = Some(value),
            "GID" if self.group.is_none() => self.group = Some(value),
            _ => {
                if let Some((_, name)) = KEPT.iter().find(|(known, _)| *known == key) {
                    self.keep(name, value);
                }
            }
        }
    }

    fn keep(&mut self, name: &'static str, value: &'a str) {
        if value.is_empty() || self.rest.iter().any(|(known, _)| *known == name) {
            return;
        }
        let value = match number(value.as_bytes()) {
            Some(number) => Value::Int(number),
            None => Value::from(value),
        };
        self.rest.push((name, value));
    }

    /// Sets the fields of the packet.
    pub(super) fn push(self, event: &mut Event<'a>) {
        let (transport, iana) = protocol(self.protocol);
        for (field, value) in [
            (Field::SourceIp, self.source),
            (Field::SourcePort, self.source_port.map(Value::Int)),
            (Field::DestinationIp, self.destination),
            (Field::DestinationPort, self.destination_port.map(Value::Int)),
            (Field::NetworkTransport, transport),
            (Field::UserId, self.owner.filter(|id| !id.is_empty()).map(Value::from)),
            (Field::GroupId, self.group.filter(|id| !id.is_empty()).map(Value::from)),
        ] {
            if let Some(value) = value {
                event.push(field, value);
            }
        }
        if let Some(iana) = iana {
            push_own(event, "network.iana_number", iana);
        }
        push_own(event, "network.type", if self.is_v6 { "ipv6" } else { "ipv4" });
        // Seen from the host; a packet that passes through goes neither in nor out.
        match (self.ingress.is_empty(), self.egress.is_empty()) {
            (false, true) => push_own(event, "network.direction", "ingress"),
            (true, false) => push_own(event, "network.direction", "egress"),
            _ => {}
        }
        if let Some(bytes) = self.bytes {
            push_own(event, "network.bytes", bytes);
        }
        for (name, interface) in [
            ("observer.ingress.interface.name", self.ingress),
            ("observer.egress.interface.name", self.egress),
        ] {
            if !interface.is_empty() {
                push_own(event, name, interface);
            }
        }
        if let Some((destination, source)) = macs(self.mac) {
            push_own(event, "source.mac", source);
            push_own(event, "destination.mac", destination);
        }
        if !self.flags.is_empty() {
            push_own(event, "netfilter.flags", Value::List(self.flags));
        }
        for (name, value) in self.rest {
            push_own(event, name, value);
        }
        if let Some(inner) = self.inner {
            inner.push_as_inner(event);
        }
    }

    fn push_as_inner(self, event: &mut Event<'a>) {
        for (name, value) in [
            ("netfilter.inner.source.ip", self.source),
            ("netfilter.inner.source.port", self.source_port.map(Value::Int)),
            ("netfilter.inner.destination.ip", self.destination),
            ("netfilter.inner.destination.port", self.destination_port.map(Value::Int)),
            ("netfilter.inner.transport", protocol(self.protocol).0),
        ] {
            if let Some(value) = value {
                push_own(event, name, value);
            }
        }
    }
}

/// Receiver and sender of `MAC=`: six bytes each, then the type of the frame.
fn macs(text: &str) -> Option<(&str, &str)> {
    let (destination, source) = (text.get(..17)?, text.get(18..35)?);
    let is_mac = |text: &str| {
        text.split(':').count() == 6
            && text
                .split(':')
                .all(|two| two.len() == 2 && two.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    (is_mac(destination) && is_mac(source)).then_some((destination, source))
}
