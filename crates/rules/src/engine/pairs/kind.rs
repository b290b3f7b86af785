//! The kinds of pairs, and the events that teach them.

use std::borrow::Cow;
use std::net::IpAddr;

use bergfried_event::{Event, Field, FieldName, Value};

/// The most bytes of a value that are remembered; longer ones that begin alike are one.
const MAX_VALUE: usize = 256;

/// One kind of pair.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// What it is, in words.
    pub(super) about: &'static str,
    /// Whether logins teach it, or else starts of programs.
    pub(super) of_logins: bool,
    /// What must be known for a day before a pair with it is new.
    pub(super) baseline: Part,
    pub(super) other: Part,
}

/// One half of a pair.
pub(super) enum Part {
    User,
    Host,
    /// The /24 of an IPv4 address, the /64 of an IPv6 address.
    Network,
    Country,
    Program,
}

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "user-host",
        about: "user.name logs in to host.name",
        of_logins: true,
        baseline: Part::Host,
        other: Part::User,
    },
    Kind {
        name: "user-network",
        about: "user.name logs in from the network of source.ip (/24, of IPv6 /64)",
        of_logins: true,
        baseline: Part::User,
        other: Part::Network,
    },
    Kind {
        name: "user-country",
        about: "user.name logs in from source.geo.country_iso_code",
        of_logins: true,
        baseline: Part::User,
        other: Part::Country,
    },
    Kind {
        name: "network-host",
        about: "somebody logs in to host.name from the network of source.ip (/24, of IPv6 /64)",
        of_logins: true,
        baseline: Part::Host,
        other: Part::Network,
    },
    Kind {
        name: "process-host",
        about: "process.executable starts on host.name",
        of_logins: false,
        baseline: Part::Host,
        other: Part::Program,
    },
    Kind {
        name: "user-process",
        about: "user.name starts process.executable",
        of_logins: false,
        baseline: Part::User,
        other: Part::Program,
    },
];

/// Whether somebody came in: what failed teaches nothing.
pub(super) fn is_login(event: &Event<'_>) -> bool {
    event.text(Field::EventOutcome) == Some("success")
        && (is_of(event, "authentication") || is_of(event, "session"))
}

/// Whether a program started.
pub(super) fn is_start(event: &Event<'_>) -> bool {
    event.get(Field::ProcessExecutable).is_some()
        && event.text(Field::EventOutcome) != Some("failure")
        && is_of(event, "process")
}

fn is_of(event: &Event<'_>, category: &str) -> bool {
    match event.get(Field::EventCategory) {
        Some(Value::Text(text)) => text == category,
        Some(Value::List(all)) => all.iter().any(|one| one.as_str() == Some(category)),
        _ => false,
    }
}

impl Part {
    /// Its text; `None` where the event does not say it.
    pub(super) fn text<'e>(&self, event: &'e Event<'_>) -> Option<Cow<'e, str>> {
        let text = |field: Field| {
            let value = event.text(field).filter(|text| !text.is_empty())?;
            value.get(..value.floor_char_boundary(MAX_VALUE)).map(Cow::Borrowed)
        };
        match self {
            Part::User => text(Field::UserName),
            Part::Host => text(Field::HostName),
            Part::Program => text(Field::ProcessExecutable),
            Part::Country => {
                let name = FieldName::Other("source.geo.country_iso_code".into());
                event.get_named(&name).map(Value::to_text).filter(|text| text.len() == 2)
            }
            Part::Network => {
                text(Field::SourceIp)?.parse().ok().map(|address| network(address).into())
            }
        }
    }
}

fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}")
        }
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
    }
}
