//! What the events of one group commit say of hosts: gathered beside the events, so that a run of
//! events of one host costs a comparison each.

use std::collections::HashMap;
use std::net::IpAddr;

use bergfried_control::HostHealth;
use bergfried_event::{Event, Field, FieldName, SourceKind, Timestamp, Value};
use bergfried_heimdall::OsType;

/// The longest name of a host (RFC 1035, section 2.3.4); what is longer names none.
const MAX_NAME: usize = 255;
/// How many events of a host are looked at for what system it is, in one group commit.
const LOOKS: u8 = 16;
/// The dataset of events that say how a host is.
pub(crate) const STATUS: &str = "system.status";

/// How a host is heard; the surer way comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Via {
    /// Lines name it.
    Lines,
    /// An agent of Heimdall's names it.
    Heimdall,
    /// An agent of Bergfried's runs on it.
    Agent,
}

impl Via {
    const ALL: [Via; 3] = [Via::Lines, Via::Heimdall, Via::Agent];

    /// The word: `lines`, `heimdall` or `agent`.
    pub fn name(self) -> &'static str {
        match self {
            Via::Lines => "lines",
            Via::Heimdall => "heimdall",
            Via::Agent => "agent",
        }
    }

    pub(crate) fn from_name(word: &str) -> Via {
        Via::ALL.into_iter().find(|via| via.name() == word).unwrap_or(Via::Lines)
    }
}

/// How sure a system is; the surest comes last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sure {
    /// Nothing says anything.
    #[default]
    Unknown,
    /// A packet filter logged, which a Linux host has too.
    Filter,
    /// Its events are of that kind.
    Guessed,
    /// It says so itself.
    Said,
}

impl Sure {
    pub(crate) fn from_rank(rank: u8) -> Sure {
        match rank {
            0 => Sure::Unknown,
            1 => Sure::Filter,
            2 => Sure::Guessed,
            _ => Sure::Said,
        }
    }
}

/// What was seen of one host.
#[derive(Debug)]
pub(crate) struct Sighting {
    pub(crate) events: u64,
    pub(crate) via: Via,
    pub(crate) os: Option<(Sure, OsType)>,
    pub(crate) address: Option<String>,
    pub(crate) health: Option<HostHealth>,
    looks: u8,
}

impl Sighting {
    pub(crate) fn new(via: Via) -> Sighting {
        Sighting { events: 0, via, os: None, address: None, health: None, looks: 0 }
    }

    /// Takes in what an event says of its host beside its name.
    fn look(&mut self, event: &Event<'_>) {
        self.looks = self.looks.saturating_add(1);
        let said = os_of(event);
        if said.map(|(sure, _)| sure) > self.os.map(|(sure, _)| sure) {
            self.os = said;
        }
        // A document may say whatever it likes there, and the registry keeps it.
        let address = event.text(Field::ObserverIp).filter(|_| self.address.is_none());
        if let Some(address) = address.and_then(|text| text.parse::<IpAddr>().ok()) {
            self.address = Some(address.to_canonical().to_string());
        }
    }

    fn is_done(&self) -> bool {
        self.looks >= LOOKS || matches!(self.os, Some((Sure::Said, _)))
    }
}

/// Whose events they are, as far as the batch says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'b> {
    /// The host that an agent of Bergfried's runs on, where one sent the batch.
    pub(crate) agent_host: Option<&'b str>,
}

/// The hosts of the events of a group commit.
#[derive(Debug, Default)]
pub(crate) struct Sightings {
    hosts: HashMap<String, Sighting>,
    /// The host of the run of events that is being counted, and how many there are of it.
    run: String,
    run_events: u64,
    run_done: bool,
}

impl Sightings {
    /// Takes note of an event that will have this id.
    pub(crate) fn see(&mut self, event: &Event<'_>, id: u64, source: Source<'_>, now: Timestamp) {
        let Some(host) = event.text(Field::HostName) else { return };
        if host == self.run && !host.is_empty() {
            self.run_events += 1;
        } else {
            if host.is_empty() || host.len() > MAX_NAME {
                return;
            }
            self.end_run();
            host.clone_into(&mut self.run);
            self.run_events = 1;
            self.run_done = false;
        }
        let is_status = event.text(Field::EventDataset) == Some(STATUS);
        if self.run_done && !is_status {
            return;
        }
        if !self.hosts.contains_key(host) {
            self.hosts.insert(host.to_owned(), Sighting::new(Via::Lines));
        }
        let Some(sighting) = self.hosts.get_mut(host) else { return };
        self.run_done = sighting.is_done();
        if self.run_done && !is_status {
            return;
        }
        sighting.look(event);
        sighting.via = sighting.via.max(via_of(event, host, source));
        if is_status {
            sighting.health = Some(health_of(event, id, now));
        }
        self.run_done = sighting.is_done();
    }

    fn end_run(&mut self) {
        if self.run_events > 0
            && let Some(sighting) = self.hosts.get_mut(&self.run)
        {
            sighting.events += self.run_events;
        }
        self.run_events = 0;
    }

    /// Takes note of an agent's host, also where none of the events is of it.
    pub(crate) fn agent(&mut self, host: &str, address: Option<String>) {
        if host.is_empty() || host.len() > MAX_NAME {
            return;
        }
        let sighting =
            self.hosts.entry(host.to_owned()).or_insert_with(|| Sighting::new(Via::Agent));
        sighting.via = Via::Agent;
        sighting.address = address.or(sighting.address.take());
    }

    /// Every host, with what was seen of it.
    pub(crate) fn take(mut self) -> HashMap<String, Sighting> {
        self.end_run();
        self.hosts
    }
}

fn via_of(event: &Event<'_>, host: &str, source: Source<'_>) -> Via {
    if source.agent_host == Some(host) {
        Via::Agent
    } else if event.text(Field::InputType) == Some(SourceKind::Heimdall.name()) {
        Via::Heimdall
    } else {
        Via::Lines
    }
}

fn os_of(event: &Event<'_>) -> Option<(Sure, OsType)> {
    let module = event.text(Field::EventModule).unwrap_or_default();
    let stamped = event.text(Field::HeimdallOsType).and_then(OsType::from_name);
    let own = event.get_named(&FieldName::Other("host.os.type".into())).and_then(Value::as_str);
    let own = own.and_then(|word| match word {
        "linux" => Some(OsType::Linux),
        "windows" => Some(OsType::Windows),
        "macos" => Some(OsType::Macos),
        _ => None,
    });
    match (stamped, own, module) {
        (Some(os), _, "heimdall" | "pfsense" | "pihole") => Some((Sure::Said, os)),
        (_, Some(os), _) => Some((Sure::Said, os)),
        (Some(OsType::Firewall), None, _) => Some((Sure::Filter, OsType::Firewall)),
        (Some(os), None, _) => Some((Sure::Guessed, os)),
        (None, None, _) => None,
    }
}

/// A number of bytes.
fn bytes(value: &Value<'_>) -> Option<u64> {
    match value {
        Value::Int(bytes) => u64::try_from(*bytes).ok(),
        other => other.as_str().and_then(|text| text.parse().ok()),
    }
}

/// What a status says in short.
pub(super) fn health_of(event: &Event<'_>, id: u64, now: Timestamp) -> HostHealth {
    let named = |name: &'static str| event.get_named(&FieldName::Other(name.into()));
    let used = list(named("system.filesystem.used.pct"));
    let mounts = list(named("system.filesystem.mount_point"));
    let fullest = used
        .iter()
        .enumerate()
        .filter_map(|(place, value)| Some((place, part(value)?)))
        .max_by(|(_, one), (_, other)| one.total_cmp(other));
    let mount = fullest.and_then(|(place, _)| mounts.get(place)?.as_str());
    HostHealth {
        event: id,
        time: now,
        cpu: named("host.cpu.usage").and_then(part),
        memory: named("system.memory.used.pct").and_then(part),
        disk: fullest.map(|(_, part)| part),
        disk_mount: mount.map(|mount| mount.chars().take(MAX_NAME).collect()),
        spool: named("agent.spool.bytes").and_then(bytes),
        lag: Some(now.since(event.created()).max(0)),
    }
}

/// A part of a whole.
#[expect(clippy::cast_precision_loss, reason = "0 and 1 alone are whole")]
fn part(value: &Value<'_>) -> Option<f64> {
    let part = match value {
        Value::Float(part) => *part,
        Value::Int(part) => *part as f64,
        _ => return None,
    };
    (0.0..=1.0).contains(&part).then_some(part)
}

fn list<'v, 'e>(value: Option<&'v Value<'e>>) -> &'v [Value<'e>] {
    match value {
        Some(Value::List(values)) => values,
        Some(one) => std::slice::from_ref(one),
        None => &[],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(7);
    const LINES: Source<'_> = Source { agent_host: None };

    fn event(host: &str) -> Event<'static> {
        let mut event = Event::new(Timestamp::from_seconds(0), "line");
        event.set(Field::HostName, host.to_owned());
        event
    }

    proptest! {
        #[test]
        fn runs_count_as_a_plain_count_does(hosts in proptest::collection::vec("[a-c]?", 0..60)) {
            let mut sightings = Sightings::default();
            let mut expected: BTreeMap<String, u64> = BTreeMap::new();
            for host in &hosts {
                sightings.see(&event(host), 1, LINES, NOW);
                if !host.is_empty() {
                    *expected.entry(host.clone()).or_default() += 1;
                }
            }
            let counted: BTreeMap<String, u64> =
                sightings.take().into_iter().map(|(host, seen)| (host, seen.events)).collect();
            prop_assert_eq!(counted, expected);
        }
    }

    #[test]
    fn the_surest_word_on_the_system_counts() {
        let with = |fields: &[(&'static str, &'static str)]| {
            let mut event = event("h");
            for (name, value) in fields {
                event.set_named(FieldName::new(*name), *value);
            }
            event
        };
        let filter = with(&[("event.module", "netfilter"), ("heimdall.os_type", "FIREWALL")]);
        let login = with(&[("event.module", "sshd"), ("heimdall.os_type", "LINUX")]);
        let own = with(&[("host.os.type", "macos"), ("heimdall.os_type", "LINUX")]);
        let pfsense = with(&[("event.module", "pfsense"), ("heimdall.os_type", "FIREWALL")]);
        for (events, expected) in [
            (vec![&filter], Some((Sure::Filter, OsType::Firewall))),
            (vec![&filter, &login, &filter], Some((Sure::Guessed, OsType::Linux))),
            (vec![&login, &own, &login], Some((Sure::Said, OsType::Macos))),
            (vec![&login, &pfsense], Some((Sure::Said, OsType::Firewall))),
            (vec![&with(&[])], None),
        ] {
            let mut sightings = Sightings::default();
            for event in events {
                sightings.see(event, 1, LINES, NOW);
            }
            assert_eq!(sightings.take()["h"].os, expected);
        }
    }

    #[test]
    fn a_status_is_kept_in_short_wherever_it_stands() {
        let mut status = event("h");
        status.set(Field::EventDataset, STATUS);
        status.set_named(FieldName::new("host.cpu.usage"), Value::Float(0.5));
        status.set_named(FieldName::new("system.memory.used.pct"), Value::Float(f64::NAN));
        let words = |words: &[&'static str]| {
            Value::List(words.iter().map(|word| Value::from(*word)).collect())
        };
        let parts =
            |parts: &[f64]| Value::List(parts.iter().map(|part| Value::Float(*part)).collect());
        status.set_named(FieldName::new("system.filesystem.mount_point"), words(&["/", "/srv"]));
        status
            .set_named(FieldName::new("system.filesystem.used.pct"), parts(&[0.2, 0.9, f64::NAN]));
        let mut sightings = Sightings::default();
        for id in 1..=40 {
            sightings.see(&event("h"), id, LINES, NOW);
        }
        sightings.see(&status, 41, Source { agent_host: Some("h") }, NOW);
        sightings.agent("idle", Some("192.0.2.7".to_owned()));
        let seen = sightings.take();
        let health = seen["h"].health.clone().unwrap();
        assert_eq!((health.event, health.cpu, health.memory), (41, Some(0.5), None));
        assert_eq!((health.disk, health.disk_mount.as_deref()), (Some(0.9), Some("/srv")));
        assert_eq!((seen["h"].via, seen["h"].events), (Via::Agent, 41));
        assert_eq!((seen["idle"].via, seen["idle"].events), (Via::Agent, 0));
        assert_eq!(seen["idle"].address.as_deref(), Some("192.0.2.7"));
    }

    #[test]
    fn hosts_that_take_turns_are_looked_at_no_more_often() {
        let mut sightings = Sightings::default();
        for id in 0..2_000 {
            sightings.see(&event(if id % 2 == 0 { "a" } else { "b" }), id, LINES, NOW);
        }
        let seen = sightings.take();
        assert_eq!((seen["a"].events, seen["a"].looks), (1_000, LOOKS));
        assert_eq!((seen["b"].events, seen["b"].looks), (1_000, LOOKS));
    }

    #[test]
    fn what_is_no_address_is_none_of_a_host() {
        let long = "x".repeat(1 << 20);
        for (said, expected) in
            [("192.0.2.7", Some("192.0.2.7")), (long.as_str(), None), ("\u{1b}[2J", None)]
        {
            let mut event = event("h");
            event.set(Field::ObserverIp, said.to_owned());
            let mut sightings = Sightings::default();
            sightings.see(&event, 1, LINES, NOW);
            assert_eq!(sightings.take()["h"].address.as_deref(), expected);
        }
    }

    #[test]
    fn what_is_no_name_is_no_host() {
        let mut sightings = Sightings::default();
        sightings.see(&event(""), 1, LINES, NOW);
        sightings.see(&event(&"x".repeat(256)), 2, LINES, NOW);
        sightings.agent("", None);
        assert!(sightings.take().is_empty());
    }
}
