//! The packet filter of pfSense and OPNsense: `filterlog` writes what pf logs as fields with commas
//! between them (Netgate's documentation, "Raw Filter Log Format"). All of it is pf's own: numbers,
//! addresses and names that the administrator gave.
//!
//! A line that ends early keeps the fields that it has; counts in it are never used to find others.

mod transport;

use bergfried_event::{Event, Field, Value};

use super::Program;
use super::packets::{Flow, Verdict, address, push_own, push_told};
use crate::text::number;

pub(super) const PROGRAM: Program = Program { name: "filterlog", tags: &["filterlog"], read };

/// The fields of a line, one after the other; empty ones past the end.
struct Fields<'a> {
    rest: Option<&'a str>,
}

impl<'a> Fields<'a> {
    fn next(&mut self) -> &'a str {
        let Some(rest) = self.rest else { return "" };
        let (field, rest) = match rest.split_once(',') {
            Some((field, rest)) => (field, Some(rest)),
            None => (rest, None),
        };
        self.rest = rest;
        field.trim_matches(' ')
    }

    /// All that is left, with its commas.
    fn rest(&mut self) -> &'a str {
        self.rest.take().unwrap_or_default().trim_matches([' ', ','])
    }
}

/// What every line begins with.
struct Head<'a> {
    number: &'a str,
    sub_number: &'a str,
    anchor: &'a str,
    tracker: &'a str,
    interface: &'a str,
    reason: &'a str,
    verdict: Verdict,
    direction: Option<&'static str>,
    version: &'a str,
}

impl<'a> Head<'a> {
    /// None where the line is no packet's.
    fn read(fields: &mut Fields<'a>) -> Option<Head<'a>> {
        let (number, sub_number) = (fields.next(), fields.next());
        let (anchor, tracker) = (fields.next(), fields.next());
        let (interface, reason) = (fields.next(), fields.next());
        let verdict = match fields.next() {
            "pass" => Verdict::Allowed,
            "block" | "synproxy-drop" => Verdict::Blocked,
            "reject" => Verdict::Rejected,
            "scrub" | "noscrub" | "nat" | "nonat" | "binat" | "nobinat" | "rdr" | "nordr"
            | "match" | "defer" => Verdict::Logged,
            _ => return None,
        };
        let direction = match fields.next() {
            "in" => Some("ingress"),
            "out" => Some("egress"),
            "in/out" => None,
            _ => return None,
        };
        let version = fields.next();
        Some(Head {
            number,
            sub_number,
            anchor,
            tracker,
            interface,
            reason,
            verdict,
            direction,
            version,
        })
    }

    fn push(&self, event: &mut Event<'a>) {
        self.verdict.push("pfsense", event);
        super::push_text(event, Field::EventReason, self.reason);
        // The number of a rule changes with every reload, what it is tracked by does not.
        let has_tracker = !matches!(self.tracker, "" | "0");
        let id = if has_tracker { self.tracker } else { self.number };
        if !id.is_empty() {
            push_own(event, "rule.id", id);
        }
        if let Some(product) = product(self.tracker) {
            push_own(event, "observer.product", product);
        }
        push_told(event, "pfsense.rule.number", self.number);
        push_told(event, "pfsense.rule.sub_number", self.sub_number);
        push_told(event, "pfsense.rule.anchor", self.anchor);
    }
}

/// Whose line it is, by what tracks its rules: pfSense's are numbers from a billion on (a time, or one
/// of its own rules), OPNsense's the digits of a hash or a UUID.
fn product(tracker: &str) -> Option<&'static str> {
    if number(tracker.as_bytes()).is_some_and(|number| number >= 1_000_000_000) {
        return Some("pfSense");
    }
    let digits = tracker.bytes().filter(u8::is_ascii_hexdigit).count();
    let rest = tracker.bytes().filter(|byte| *byte != b'-').count();
    (digits == 32 && rest == 32).then_some("OPNsense")
}

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    let mut fields = Fields { rest: Some(message) };
    let Some(head) = Head::read(&mut fields) else { return };
    let mut flow = Flow { direction: head.direction, ..Flow::default() };
    match head.direction {
        Some("egress") => flow.egress = head.interface,
        _ => flow.ingress = head.interface,
    }
    head.push(event);
    let mut flags = Vec::new();
    let (name, id) = match head.version {
        "4" => version_4(&mut fields, &mut flags, event),
        "6" => version_6(&mut fields, event),
        _ => return flow.push(event),
    };
    let known = super::packets::protocol(id).0.is_some();
    // The name of a number that is known; where a header of IPv6 stands before the packet's own, the
    // name may be that header's.
    flow.protocol = if known && id != "112" { id } else { protocol_name(name, id) };
    flow.bytes = number(fields.next().as_bytes());
    flow.source = address(fields.next());
    flow.destination = address(fields.next());
    transport::read(&mut fields, &mut flow, &mut flags, event);
    if !flags.is_empty() {
        push_own(event, "pfsense.flags", Value::List(flags));
    }
    flow.push(event);
}

/// The name of the protocol, or the number where the name is none or that of what is no protocol.
fn protocol_name<'a>(name: &'a str, id: &'a str) -> &'a str {
    let is_header = ["Options", "HBH", "hopopt", "unknown", "IPv6-Opts", "fragment", "frag"]
        .iter()
        .any(|word| word.eq_ignore_ascii_case(name));
    let is_name = name.bytes().next().is_some_and(|first| first.is_ascii_alphabetic());
    if is_name && !is_header && name.len() <= 16 { name } else { id }
}

/// `tos, ecn, ttl, id, offset, flags, protocol number, protocol name`.
fn version_4<'a>(
    fields: &mut Fields<'a>,
    flags: &mut Vec<Value<'a>>,
    event: &mut Event<'a>,
) -> (&'a str, &'a str) {
    for name in ["pfsense.tos", "pfsense.ecn", "pfsense.ttl", "pfsense.id", "pfsense.offset"] {
        push_told(event, name, fields.next());
    }
    // `+` says that more fragments follow.
    match fields.next() {
        "DF" => flags.push("DF".into()),
        "+" | "MF" => flags.push("MF".into()),
        _ => {}
    }
    let id = fields.next();
    (fields.next(), id)
}

/// `class, flow label, hop limit, protocol name, protocol number`.
fn version_6<'a>(fields: &mut Fields<'a>, event: &mut Event<'a>) -> (&'a str, &'a str) {
    for name in ["pfsense.traffic_class", "pfsense.flow_label", "pfsense.ttl"] {
        push_told(event, name, fields.next());
    }
    let name = fields.next();
    (name, fields.next())
}

#[cfg(test)]
mod tests;
