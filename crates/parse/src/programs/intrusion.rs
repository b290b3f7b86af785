//! Snort and Suricata: alerts as one line, from syslog, `alert_fast`, `fast.log` and the CSV that
//! pfSense keeps. Suricata's JSON is read in `json/suricata.rs`.
//!
//! The message of an alert comes from a rule, not from the packet; the addresses stand at the end and
//! are read from there.

use bergfried_event::{Event, Field, FieldName, Value};

use super::{FAILURE, Program, SUCCESS, outcome, push_text};
use crate::Context;
use crate::line::Line;
use crate::stamp;
use crate::text::{is_ip, number, port};

pub(super) const SNORT: Program =
    Program { name: "snort", tags: &["snort", "snort3"], read: read_snort };
pub(super) const SURICATA: Program =
    Program { name: "suricata", tags: &["suricata"], read: read_suricata };

fn read_snort<'a>(message: &'a str, event: &mut Event<'a>) {
    read("snort", message, event);
}

fn read_suricata<'a>(message: &'a str, event: &mut Event<'a>) {
    read("suricata", message, event);
}

/// `05/30-19:09:10.917356  [**] …` of Snort, with four digits of a year Suricata's, and pfSense's
/// `09/03/21-12:37:16.428952 ,1,2403488,…`.
pub(super) fn own<'a>(text: &'a str, context: &Context<'_>) -> Option<Line<'a>> {
    let (created, rest) = stamp::month_slash(text, context)?;
    let rest = rest.trim_start();
    let is_alert = rest.starts_with(['[', ',']) && (rest.starts_with(',') || rest.contains("[**]"));
    if !is_alert {
        return None;
    }
    let mut line = Line::bare(rest, created.unwrap_or(context.received));
    let stamp = text.split(' ').next().unwrap_or_default();
    let year = stamp.get(6..).and_then(|rest| rest.split_once('-')).map_or("", |(year, _)| year);
    line.program = Some(if year.len() == 4 { "suricata" } else { "snort" }.into());
    Some(line)
}

fn read<'a>(module: &'static str, message: &'a str, event: &mut Event<'a>) {
    if let Some(row) = message.strip_prefix(',') {
        read_row(module, row, event);
        return;
    }
    let Some(alert) = Alert::read(message) else { return };
    alert.push(module, event);
}

/// What an alert says.
#[derive(Default)]
struct Alert<'a> {
    /// Generator, number and revision of the rule.
    rule: [&'a str; 3],
    message: &'a str,
    classification: &'a str,
    priority: Option<i64>,
    protocol: &'a str,
    source: Option<&'a str>,
    destination: Option<&'a str>,
    ports: [Option<i64>; 2],
    dropped: bool,
}

impl<'a> Alert<'a> {
    /// Reads `[Drop] [**] [1:527:8] MESSAGE [**] [Classification: …] [Priority: 2] {UDP} a:1 -> b:2`.
    fn read(text: &'a str) -> Option<Alert<'a>> {
        let mut alert = Alert::default();
        let mut rest = text.trim_start();
        // What became of the packet: `[Drop]`, and `[drop]`, `[would_drop]` and more of Snort 3.
        if let Some((mark, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'))
            && !mark.is_empty()
            && mark.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        {
            let is_end = |end: &&str| mark.eq_ignore_ascii_case(end);
            alert.dropped = ["drop", "block", "reject"].iter().any(is_end);
            rest = after.trim_start();
        }
        rest = rest.strip_prefix("[**]").unwrap_or(rest).trim_start();
        let (numbers, rest) = rest.strip_prefix('[')?.split_once(']')?;
        let mut parts = numbers.splitn(3, ':');
        for part in &mut alert.rule {
            *part = parts.next().filter(|part| number(part.as_bytes()).is_some())?;
        }
        let mut rest = rest.trim();
        if let Some((before, flow)) = rest.rsplit_once('{')
            && let Some((protocol, peers)) = flow.split_once('}')
        {
            alert.protocol = protocol;
            alert.peers(peers);
            rest = before.trim_end();
        }
        // What stands in brackets behind the message, from the end.
        while let Some((before, last)) = rest.rsplit_once('[') {
            let inside = last.split_once(']').map_or(last, |(inside, _)| inside);
            match inside.split_once(": ") {
                Some(("Priority", value)) => alert.priority = number(value.as_bytes()),
                Some(("Classification", value)) => alert.classification = value,
                Some(("AppID" | "Xref", _)) => {}
                _ if inside == "**" => {}
                _ => break,
            }
            rest = before.trim_end();
        }
        let message = rest.trim_matches(['"', ' ']);
        alert.message = message.strip_suffix("[**]").unwrap_or(message).trim_end();
        Some(alert)
    }

    fn peers(&mut self, text: &'a str) {
        let Some((source, destination)) = text.trim().split_once(" -> ") else { return };
        let has_ports = matches!(self.protocol, "TCP" | "UDP" | "SCTP" | "tcp" | "udp" | "sctp");
        let split = |text: &'a str| match text.rsplit_once(':') {
            Some((address, number)) if has_ports && is_ip(address) => (address, port(number)),
            // Behind the addresses of ICMP stand its type and its code.
            Some((address, _)) if !is_ip(text) && is_ip(address) => (address, None),
            _ => (text, None),
        };
        let (source, source_port) = split(source.trim());
        let (destination, destination_port) = split(destination.trim());
        (self.source, self.destination) = (Some(source), Some(destination));
        self.ports = [source_port, destination_port];
    }

    fn push(self, module: &'static str, event: &mut Event<'a>) {
        event.push(Field::EventModule, module);
        event.push(Field::EventKind, "alert");
        event.push(Field::EventCategory, words(["intrusion_detection", "network"]));
        event.push(Field::EventAction, if self.dropped { "blocked" } else { "alert" });
        if self.dropped {
            event.push(Field::EventType, words(["info", "denied"]));
            outcome(event, FAILURE);
        } else {
            event.push(Field::EventType, "info");
        }
        push_text(event, Field::RuleName, self.message);
        push_text(event, Field::EventReason, self.message);
        if let [generator, id, revision] = self.rule
            && !id.is_empty()
        {
            other(event, "rule.id", id);
            other(event, "rule.version", revision);
            // As Suricata's JSON calls them.
            other(event, "alert.gid", generator);
            other(event, "alert.signature_id", id);
            other(event, "alert.signature", self.message);
        }
        if !self.classification.is_empty() {
            other(event, "rule.category", self.classification);
        }
        if let Some(priority) = self.priority {
            event.push(Field::EventSeverity, priority);
        }
        if !self.protocol.is_empty() {
            event.push(Field::NetworkTransport, transport(self.protocol));
        }
        for (address, address_field, port, port_field) in [
            (self.source, Field::SourceIp, self.ports[0], Field::SourcePort),
            (self.destination, Field::DestinationIp, self.ports[1], Field::DestinationPort),
        ] {
            if let Some(address) = address.and_then(super::packets::address) {
                event.push(address_field, address);
                if let Some(port) = port {
                    event.push(port_field, port);
                }
            }
        }
    }
}

fn words(words: [&'static str; 2]) -> Value<'static> {
    Value::List(words.into_iter().map(Value::from).collect())
}

fn other<'a>(event: &mut Event<'a>, name: &'static str, value: &'a str) {
    event.push_named(FieldName::Other(name.into()), value);
}

/// The name of a transport as ECS has it.
pub(crate) fn transport(name: &str) -> Value<'static> {
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "ipv6-icmp" | "icmpv6" | "icmp6" => "ipv6-icmp".into(),
        _ => lower.into(),
    }
}

/// `1,2403488,68499,"MESSAGE",TCP,a,1,b,2,54321,CLASSIFICATION,2,alert,Allow`
fn read_row<'a>(module: &'static str, row: &'a str, event: &mut Event<'a>) {
    let Some((numbers, rest)) = row.split_once(",\"") else { return };
    let Some((message, rest)) = rest.split_once("\",") else { return };
    let mut alert = Alert { message, ..Alert::default() };
    for (part, text) in alert.rule.iter_mut().zip(numbers.splitn(3, ',')) {
        *part = text;
    }
    let mut cells = rest.split(',');
    let mut next = || cells.next().unwrap_or_default().trim();
    alert.protocol = next();
    alert.source = Some(next());
    let source_port = port(next());
    alert.destination = Some(next());
    alert.ports = [source_port, port(next())];
    next();
    alert.classification = next();
    alert.priority = number(next().as_bytes());
    next();
    let disposition = next();
    alert.dropped = disposition.eq_ignore_ascii_case("drop");
    alert.push(module, event);
    if disposition.eq_ignore_ascii_case("allow") {
        outcome(event, SUCCESS);
    }
}

#[cfg(test)]
mod tests {
    use bergfried_event::{SourceKind, Timestamp};

    use super::*;

    fn read(line: &str) -> serde_json::Value {
        let context = Context {
            received: Timestamp::from_seconds(1_795_262_400),
            host: "h",
            time_zone: jiff::tz::TimeZone::UTC,
            year: None,
        };
        serde_json::to_value(crate::parse(SourceKind::File, line, &context)).unwrap()
    }

    #[test]
    fn every_form_gives_the_same_alert() {
        let said = "[1:2012811:2] ET DNS Query to a .tk domain";
        let tail = "[Classification: Potentially Bad Traffic] [Priority: 2]";
        let peers = "{UDP} 192.0.2.10:1029 -> 198.51.100.3:53";
        for (line, module) in [
            (format!("05/30-19:09:28.472094  [**] {said} [**] {tail} {peers}"), "snort"),
            (format!("05/30/21-19:09:28.472094  [**] {said} [**] {tail} {peers}"), "snort"),
            (format!("05/30/2021-19:09:28.472094  [**] {said} [**] {tail} {peers}"), "suricata"),
            (format!("May 30 19:09:28 h snort[7]: {said} {tail} {peers}"), "snort"),
            (format!("May 30 19:09:28 h snort: {said} {tail}: {peers}"), "snort"),
            (format!("May 30 19:09:28 h suricata[7]: {said} {tail} {peers}"), "suricata"),
            (
                "05/30-19:09:28.472094 [**] [1:2012811:2] \"ET DNS Query to a .tk domain\" [**] [Classification: Potentially Bad Traffic] [Priority: 2] [AppID: DNS] {UDP} 192.0.2.10:1029 -> 198.51.100.3:53".to_owned(),
                "snort",
            ),
            (
                "05/30/21-19:09:28.472094 ,1,2012811,2,\"ET DNS Query to a .tk domain\",UDP,192.0.2.10,1029,198.51.100.3,53,5,Potentially Bad Traffic,2,alert,Allow".to_owned(),
                "snort",
            ),
        ] {
            let event = read(&line);
            for (name, expected) in [
                ("event.module", module.into()),
                ("event.kind", serde_json::json!("alert")),
                ("event.action", "alert".into()),
                ("event.severity", 2.into()),
                ("rule.name", "ET DNS Query to a .tk domain".into()),
                ("rule.id", "2012811".into()),
                ("rule.version", "2".into()),
                ("rule.category", "Potentially Bad Traffic".into()),
                ("network.transport", "udp".into()),
                ("source.ip", "192.0.2.10".into()),
                ("source.port", 1029.into()),
                ("destination.ip", "198.51.100.3".into()),
                ("destination.port", 53.into()),
            ] {
                assert_eq!(event[name], expected, "{name} of {line}");
            }
        }
    }

    #[test]
    fn odd_alerts_are_read_as_far_as_they_go() {
        let event = read(
            "10/20-20:43:39.741995  [Drop] [**] [1:10000002:0] cmd.exe [x] -> {y} [**] [Priority: 0] {TCP} 192.0.2.2:59244 -> 192.0.2.9:80",
        );
        assert_eq!(
            (&event["event.action"], &event["rule.name"]),
            (&"blocked".into(), &"cmd.exe [x] -> {y}".into())
        );
        assert_eq!(event["source.ip"], "192.0.2.2");
        let event = read(
            "05/30-19:09:10.9  [**] [1:477:3] ICMP Packet [**] [Priority: 0] {ICMP} 192.0.2.5 -> 192.0.2.6",
        );
        assert_eq!(
            (&event["source.ip"], &event["source.port"]),
            (&"192.0.2.5".into(), &serde_json::Value::Null)
        );
        let event = read(
            "01/02/2026-10:00:00.5  [**] [1:1:1] six [**] [Classification: (null)] [Priority: 3] {TCP} 2001:0db8:0000:0000:0000:0000:0000:0001:80 -> 2001:0db8:0000:0000:0000:0000:0000:0002:443",
        );
        assert_eq!(
            (&event["source.ip"], &event["destination.port"]),
            (&"2001:db8::1".into(), &443.into())
        );
        let event = read(
            "May 30 19:09:28 h snort: [1:469:3] ICMP PING NMAP [Classification: Attempted Information",
        );
        assert_eq!(event["rule.name"], "ICMP PING NMAP");
        assert_eq!(event["rule.category"], "Attempted Information");
        for line in [
            "May 30 19:09:28 h snort: Initializing Output Plugins!",
            "05/30-19:09:10 something else",
            "05/30-19:09:10.9  [**] [x:y:z] no [**]",
            "05/30-19:09:10.9 ,1,2",
            "05/30-19:09:10.9  [**] [1:1:1",
        ] {
            assert_eq!(read(line)["event.module"], serde_json::Value::Null, "{line}");
        }
    }
}
