//! What an event's destinations come to: fields that rules ask for.

use bergfried_event::{Event, Field, FieldName, Value};

use crate::command;
use crate::host::Host;
use crate::place::Places;
use crate::policy::{Mode, Policy};
use crate::url;

/// Those destinations of an event that are in none of the places that a site trusts: a list, absent
/// where there is none.
pub const UNLISTED: &str = "destination.unlisted";
/// `allowed` or `denied`; absent where there is no policy or no destination.
pub const VERDICT: &str = "network_policy.verdict";
/// Why a destination is denied.
pub const VERDICT_REASON: &str = "network_policy.reason";
/// The hosts that a command line names.
const URL_DOMAIN: &str = "url.domain";

/// The most hosts that a field lists.
const MAX_LISTED: usize = 32;

/// What a site trusts and allows.
#[derive(Clone, Debug, Default)]
pub struct Judge {
    safe: Places,
    policy: Policy,
}

/// What was found of one event.
#[derive(Default)]
struct Findings {
    named: Vec<String>,
    unlisted: Vec<String>,
    /// Whether there was any destination at all.
    any: bool,
    denied: Option<String>,
}

impl Judge {
    /// A judge by the places that are trusted, and a policy.
    pub fn new(safe: Places, policy: Policy) -> Judge {
        Judge { safe, policy }
    }

    /// Sets the fields that say where the event reaches: [`UNLISTED`], [`VERDICT`], [`VERDICT_REASON`]
    /// and, for hosts of a command line, `url.domain`.
    ///
    /// What an event says of itself in the first three is taken out: only this says it.
    pub fn apply(&self, event: &mut Event<'_>) {
        let Some(seen) = Seen::of(event) else { return };
        if seen.says_verdict {
            let own =
                |name: &FieldName<'_>| [UNLISTED, VERDICT, VERDICT_REASON].contains(&name.as_str());
            event.retain(|name| !own(name));
        }
        let mut findings = Findings::default();
        if seen.command {
            self.commands(event, &mut findings);
        }
        if seen.destination && is_outbound(event) {
            self.connections(event, &mut findings);
        }
        self.state(event, findings);
    }

    fn commands(&self, event: &Event<'_>, findings: &mut Findings) {
        let mut found = |host: Host, port: Option<u16>| {
            add(&mut findings.named, &host);
            findings.take(self, &host, port);
        };
        let executable = event.text(Field::ProcessExecutable);
        match event.get(Field::ProcessArgs) {
            Some(Value::List(words)) => {
                let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
                command::command(&words, executable, &mut found);
            }
            _ => {
                if let Some(line) = event.text(Field::ProcessCommandLine) {
                    command::text(line, &mut found);
                }
            }
        }
    }

    fn connections(&self, event: &Event<'_>, findings: &mut Findings) {
        let port = event.get(Field::DestinationPort).and_then(port);
        for field in [Field::DestinationIp, Field::DestinationDomain] {
            each_text(event.get(field), &mut |text| {
                if let Some(host) = Host::read(text) {
                    findings.take(self, &host, port);
                }
            });
        }
        for name in ["url.full", "url.original"] {
            each_text(event.get_named(&FieldName::new(name)), &mut |text| {
                url::within(text, &mut |host, port| findings.take(self, &host, port));
            });
        }
        let port = event.get_named(&FieldName::new("url.port")).and_then(self::port).or(port);
        each_text(event.get_named(&FieldName::new(URL_DOMAIN)), &mut |text| {
            if let Some(host) = Host::read(text) {
                findings.take(self, &host, port);
            }
        });
    }

    fn state(&self, event: &mut Event<'_>, findings: Findings) {
        let list = |hosts: Vec<String>| Value::List(hosts.into_iter().map(Value::from).collect());
        let domain = FieldName::new(URL_DOMAIN);
        if !findings.named.is_empty() && event.get_named(&domain).is_none() {
            event.push_named(domain, list(findings.named));
        }
        if !findings.unlisted.is_empty() {
            event.push_named(FieldName::new(UNLISTED), list(findings.unlisted));
        }
        if findings.any && self.policy.mode != Mode::Off {
            let verdict = if findings.denied.is_some() { "denied" } else { "allowed" };
            event.push_named(FieldName::new(VERDICT), verdict);
            if let Some(reason) = findings.denied {
                event.push_named(FieldName::new(VERDICT_REASON), reason);
            }
        }
    }
}

impl Findings {
    fn take(&mut self, judge: &Judge, host: &Host, port: Option<u16>) {
        self.any = true;
        if !host.is_own() && !judge.safe.contain(host) {
            add(&mut self.unlisted, host);
        }
        if self.denied.is_none() {
            self.denied = judge.policy.denies(host, port);
        }
    }
}

/// Which fields of destinations an event has, seen in one pass over them.
#[derive(Default)]
struct Seen {
    command: bool,
    destination: bool,
    says_verdict: bool,
}

impl Seen {
    /// `None` where it has none, as most events.
    fn of(event: &Event<'_>) -> Option<Seen> {
        let mut seen = Seen::default();
        for (name, _) in event.fields() {
            match name {
                FieldName::Known(Field::ProcessArgs | Field::ProcessCommandLine) => {
                    seen.command = true;
                }
                FieldName::Known(Field::DestinationIp | Field::DestinationDomain) => {
                    seen.destination = true;
                }
                FieldName::Known(_) => {}
                FieldName::Other(name) => match name.as_ref() {
                    UNLISTED | VERDICT | VERDICT_REASON => seen.says_verdict = true,
                    "url.full" | "url.original" | URL_DOMAIN => seen.destination = true,
                    _ => {}
                },
            }
        }
        (seen.command || seen.destination || seen.says_verdict).then_some(seen)
    }
}

/// Whether the event's destination is one that this host reaches for: a process connected, or a packet
/// left. What comes in (a packet, a request to a web server) has this host as its destination.
fn is_outbound(event: &Event<'_>) -> bool {
    let text = |name: &'static str| event.get_named(&FieldName::new(name)).and_then(Value::as_str);
    match text("network.direction") {
        Some("outbound" | "egress" | "external") => return true,
        Some(_) => return false,
        None => {}
    }
    if text("observer.egress.interface.name").is_some_and(|name| !name.is_empty()) {
        return true;
    }
    if text("observer.ingress.interface.name").is_some() {
        return false;
    }
    // Connections that others made to a process name it as well.
    let accepted = event.text(Field::EventAction).is_some_and(|action| {
        action.contains("accept") || action.contains("bind") || action.contains("bound")
    });
    let process = [Field::ProcessExecutable, Field::ProcessPid, Field::ProcessCommandLine];
    !accepted && process.into_iter().any(|field| event.get(field).is_some())
}

/// Adds the host to a list that has each once.
fn add(list: &mut Vec<String>, host: &Host) {
    if list.len() < MAX_LISTED {
        let host = host.to_string();
        if !list.contains(&host) {
            list.push(host);
        }
    }
}

/// Each text of a value or a list of them.
fn each_text(value: Option<&Value<'_>>, take: &mut dyn FnMut(&str)) {
    match value {
        Some(Value::List(values)) => values.iter().filter_map(Value::as_str).for_each(take),
        Some(value) => value.as_str().into_iter().for_each(take),
        None => {}
    }
}

fn port(value: &Value<'_>) -> Option<u16> {
    match value {
        Value::Int(number) => u16::try_from(*number).ok(),
        value => value.as_str()?.parse().ok(),
    }
}

#[cfg(test)]
mod tests;
