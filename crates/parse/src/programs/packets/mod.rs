//! Words that all packet filters share: what became of a packet, from where to where it went, and the
//! names and numbers of protocols.

mod verdict;

use bergfried_event::{Event, Field, FieldName, Value};

use crate::text::{is_ip, number};

pub(super) use verdict::Verdict;

/// A packet or connection, as far as every packet filter tells it.
#[derive(Default)]
pub(super) struct Flow<'a> {
    pub(super) source: Option<Value<'a>>,
    pub(super) source_port: Option<i64>,
    pub(super) destination: Option<Value<'a>>,
    pub(super) destination_port: Option<i64>,
    /// Name or number.
    pub(super) protocol: &'a str,
    pub(super) ingress: &'a str,
    pub(super) egress: &'a str,
    /// `ingress` or `egress`, seen from the firewall itself.
    pub(super) direction: Option<&'static str>,
    pub(super) bytes: Option<i64>,
}

impl<'a> Flow<'a> {
    /// Sets the fields of the flow.
    pub(super) fn push(self, event: &mut Event<'a>) {
        let (transport, iana) = protocol(self.protocol);
        let is_v6 = |address: &Value<'_>| address.as_str().is_some_and(|text| text.contains(':'));
        let kind = self
            .source
            .as_ref()
            .or(self.destination.as_ref())
            .map(|address| Value::from(if is_v6(address) { "ipv6" } else { "ipv4" }));
        for (field, value) in [
            (Field::SourceIp, self.source),
            (Field::SourcePort, self.source_port.map(Value::Int)),
            (Field::DestinationIp, self.destination),
            (Field::DestinationPort, self.destination_port.map(Value::Int)),
            (Field::NetworkTransport, transport),
        ] {
            if let Some(value) = value {
                event.push(field, value);
            }
        }
        let interface = |name: &'a str| (!name.is_empty()).then(|| Value::from(name));
        for (name, value) in [
            ("network.iana_number", iana),
            ("network.type", kind),
            ("network.direction", self.direction.map(Value::from)),
            ("network.bytes", self.bytes.map(Value::Int)),
            ("observer.ingress.interface.name", interface(self.ingress)),
            ("observer.egress.interface.name", interface(self.egress)),
        ] {
            if let Some(value) = value {
                push_own(event, name, value);
            }
        }
    }
}

/// Sets a field that is none of the well-known ones.
pub(super) fn push_own<'a>(event: &mut Event<'a>, name: &'static str, value: impl Into<Value<'a>>) {
    event.push_named(FieldName::Other(name.into()), value);
}

/// Sets such a field unless the text is empty; as a number where the text is one.
pub(super) fn push_told<'a>(event: &mut Event<'a>, name: &'static str, text: &'a str) {
    if !text.is_empty() {
        push_own(event, name, told(text));
    }
}

/// A number where the text is one.
pub(super) fn told(text: &str) -> Value<'_> {
    match number(text.as_bytes()) {
        Some(number) => Value::Int(number),
        None => Value::from(text),
    }
}

/// An address as everything else writes it: the kernel of Linux prints all digits of IPv6.
pub(super) fn address(text: &str) -> Option<Value<'_>> {
    let text = text.trim_end_matches(',');
    if !is_ip(text) {
        return None;
    }
    if !text.contains(':') || text.contains('%') {
        return Some(Value::from(text));
    }
    let address: std::net::Ipv6Addr = text.parse().ok()?;
    let short = address.to_string();
    Some(if short == text { Value::from(text) } else { Value::from(short) })
}

/// Protocols by a name that packet filters print, the one of ECS and their number with IANA. Of a
/// number the first counts.
const PROTOCOLS: [(&str, &str, &str); 17] = [
    ("TCP", "tcp", "6"),
    ("UDP", "udp", "17"),
    ("ICMP", "icmp", "1"),
    ("ICMPv6", "ipv6-icmp", "58"),
    ("IPv6-ICMP", "ipv6-icmp", "58"),
    ("ICMP6", "ipv6-icmp", "58"),
    ("IGMP", "igmp", "2"),
    ("ESP", "esp", "50"),
    ("AH", "ah", "51"),
    ("GRE", "gre", "47"),
    ("SCTP", "sctp", "132"),
    ("UDPLITE", "udplite", "136"),
    ("OSPF", "ospf", "89"),
    ("PIM", "pim", "103"),
    ("IPIP", "ipip", "4"),
    ("VRRP", "vrrp", "112"),
    ("CARP", "carp", "112"),
];

/// The name and number of a protocol; those that a packet filter does not know it prints as numbers.
pub(super) fn protocol(text: &str) -> (Option<Value<'_>>, Option<Value<'_>>) {
    if text.is_empty() {
        return (None, None);
    }
    let known = PROTOCOLS
        .iter()
        .find(|(name, _, number)| name.eq_ignore_ascii_case(text) || *number == text);
    match known {
        Some((_, name, number)) => (Some((*name).into()), Some((*number).into())),
        None if number(text.as_bytes()).is_some_and(|number| number < 256) => {
            (None, Some(text.into()))
        }
        None => (Some(text.to_ascii_lowercase().into()), None),
    }
}
