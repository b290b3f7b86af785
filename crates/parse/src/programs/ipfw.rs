//! ipfw, the packet filter of FreeBSD: `ipfw: 100 Deny TCP 192.0.2.1:4321 192.0.2.2:22 in via em0`
//! (ipfw(8), "verbose"). The kernel writes all of it: numbers, addresses and its own words.

use bergfried_event::Event;

use super::Program;
use super::packets::{Flow, Verdict, address, push_own, push_told};
use crate::text::{number, port};

pub(super) const PROGRAM: Program = Program { name: "ipfw", tags: &["ipfw"], read };

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    if let Some(packet) = Packet::read(message) {
        packet.push(event);
    }
}

/// Reads a message of the kernel that is ipfw's; true where it is.
pub(super) fn read_kernel<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let Some(packet) = message.strip_prefix("ipfw: ").and_then(Packet::read) else { return false };
    packet.push(event);
    true
}

/// What a rule did, by the kernel's word for it; every other word let the packet go on.
const VERDICTS: [(&str, Verdict); 10] = [
    ("Deny", Verdict::Blocked),
    ("Drop", Verdict::Blocked),
    ("Reject", Verdict::Rejected),
    ("Reset", Verdict::Rejected),
    ("Reset6", Verdict::Rejected),
    ("Unreach", Verdict::Rejected),
    ("Unreach6", Verdict::Rejected),
    ("Abort", Verdict::Rejected),
    ("Accept", Verdict::Allowed),
    ("Allow", Verdict::Allowed),
];

struct Packet<'a> {
    rule: &'a str,
    verdict: Verdict,
    icmp: Option<(&'a str, &'a str)>,
    flow: Flow<'a>,
}

impl<'a> Packet<'a> {
    /// Reads what stands behind `ipfw: `. What was done with the packet is one word or several, up to
    /// the protocol, behind which both addresses stand.
    fn read(message: &'a str) -> Option<Packet<'a>> {
        let mut words = message.split_ascii_whitespace();
        let rule = words.next()?;
        number(rule.as_bytes())?;
        let word = words.next()?;
        let known = VERDICTS.iter().find(|(known, _)| *known == word);
        let verdict = known.map_or(Verdict::Logged, |(_, verdict)| *verdict);
        let mut words = words.take(MOST_WORDS);
        let mut before = word;
        let source = loop {
            let word = words.next()?;
            if let Some(source) = endpoint(word) {
                break source;
            }
            before = word;
        };
        let (destination, destination_port) = endpoint(words.next()?)?;
        let (protocol, detail) = before.split_once(':').unwrap_or((before, ""));
        let (protocol, icmp) = match protocol {
            "P" => (detail, None),
            protocol => (protocol, detail.split_once('.')),
        };
        let direction = words.next();
        let interface = words.next().filter(|word| *word == "via").and_then(|_| words.next());
        let interface = interface.unwrap_or_default();
        let is_in = direction == Some("in");
        Some(Packet {
            rule,
            verdict,
            icmp,
            flow: Flow {
                source: Some(source.0),
                source_port: source.1,
                destination: Some(destination),
                destination_port,
                protocol,
                ingress: if is_in { interface } else { "" },
                egress: if is_in { "" } else { interface },
                direction: match direction {
                    Some("in") => Some("ingress"),
                    Some("out") => Some("egress"),
                    _ => None,
                },
                bytes: None,
            },
        })
    }

    fn push(self, event: &mut Event<'a>) {
        self.verdict.push("ipfw", event);
        push_own(event, "rule.id", self.rule);
        if let Some((kind, code)) = self.icmp {
            push_told(event, "ipfw.icmp.type", kind);
            push_told(event, "ipfw.icmp.code", code);
        }
        self.flow.push(event);
    }
}

/// More words than any action has.
const MOST_WORDS: usize = 16;

type Endpoint<'a> = (bergfried_event::Value<'a>, Option<i64>);

/// `192.0.2.1:4321`, `[2001:db8::1]:4321`, and both without a port.
fn endpoint(word: &str) -> Option<Endpoint<'_>> {
    if let Some((inside, rest)) = word.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return Some((address(inside)?, rest.strip_prefix(':').and_then(port)));
    }
    if let Some((before, after)) = word.split_once(':')
        && let Some(port) = port(after)
    {
        return Some((address(before)?, Some(port)));
    }
    Some((address(word)?, None))
}

#[cfg(test)]
mod tests {
    use bergfried_event::Timestamp;

    use super::*;

    #[test]
    fn packets_and_what_became_of_them_are_read() {
        for (message, expected) in [
            (
                "ipfw: 100 Deny TCP 192.0.2.1:4321 198.51.100.2:22 in via em0",
                "blocked 100 tcp 192.0.2.1 4321 198.51.100.2 22 ingress em0",
            ),
            (
                "ipfw: 65000 Accept UDP [2001:db8::1]:53 [2001:db8::2]:4000 out via em1",
                "allowed 65000 udp 2001:db8::1 53 2001:db8::2 4000 egress em1",
            ),
            (
                "ipfw: 200 Unreach 3 TCP 192.0.2.1:1 192.0.2.2:2 in via em0",
                "rejected 200 tcp 192.0.2.1 1 192.0.2.2 2 ingress em0",
            ),
            ("ipfw: 300 Forward to 192.0.2.9:3128 TCP 192.0.2.1:1 192.0.2.2:80 in via em0", ""),
            (
                "ipfw: 400 Deny ICMP:8.0 192.0.2.1 192.0.2.2 in via em0",
                "blocked 400 icmp 192.0.2.1 - 192.0.2.2 - ingress em0",
            ),
            (
                "ipfw: 500 SkipTo 600 P:47 192.0.2.1 192.0.2.2 out via tun0",
                "logged 500 gre 192.0.2.1 - 192.0.2.2 - egress tun0",
            ),
            ("ipfw: 1 Deny", ""),
            ("ipfw: x Deny TCP 192.0.2.1:1 192.0.2.2:2 in via em0", ""),
            ("ipfw: 1 Deny TCP nobody:1 192.0.2.2:2 in via em0", ""),
            ("ipfw2 initialized", ""),
        ] {
            let mut event = Event::new(Timestamp::from_seconds(0), "");
            crate::programs::read(Some("kernel"), None, message, &mut event);
            let event = serde_json::to_value(&event).unwrap();
            let text = |name: &str| match &event[name] {
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Null => "-".to_owned(),
                other => other.to_string(),
            };
            let interface = match text("observer.ingress.interface.name").as_str() {
                "-" => text("observer.egress.interface.name"),
                name => name.to_owned(),
            };
            let found = [
                text("event.action"),
                text("rule.id"),
                text("network.transport"),
                text("source.ip"),
                text("source.port"),
                text("destination.ip"),
                text("destination.port"),
                text("network.direction"),
                interface,
            ];
            let found = found.join(" ");
            let expected = if expected.is_empty() { "- - - - - - - - -" } else { expected };
            assert_eq!(found, expected, "{message}");
        }
    }
}
