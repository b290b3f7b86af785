//! Agents, and hosts without one, that should be heard of: the hub makes a heartbeat for each, so that
//! one that falls silent becomes an alert as every other sender does.

use std::collections::BTreeMap;

use bergfried_event::Timestamp;
use serde_json::Value;

use crate::heartbeat::Heartbeat;
use crate::settings::Settings;

/// The attribute that says when it was last heard of.
const LAST_HEARD: &str = "lastHeard";

/// What is missed: what its origin begins with, the tag of its heartbeats and alerts, their group.
struct Missed {
    origin: &'static str,
    tag: &'static str,
    group: &'static str,
}

const AGENT: Missed = Missed { origin: "agent/", tag: "agent", group: "Agents" };
/// A host that is known from lines, or from an agent of another product.
const HOST: Missed = Missed { origin: "host/", tag: "host", group: "Hosts" };

impl Missed {
    fn name<'n>(&self, origin: &'n str, tags: &[String]) -> Option<&'n str> {
        let is_one = tags.iter().any(|tag| tag == self.tag);
        origin.strip_prefix(self.origin).filter(|_| is_one)
    }
}

impl Heartbeat {
    /// The heartbeat of an agent that was heard of at `now` and counts as silent `timeout` seconds
    /// later.
    pub fn of_agent(
        settings: &Settings,
        agent: &str,
        timeout: u32,
        id: String,
        now: Timestamp,
    ) -> Heartbeat {
        Heartbeat::of(&AGENT, settings, (agent, timeout), id, now)
    }

    /// As [`Heartbeat::of_agent`], of a host without an agent of this program.
    pub fn of_host(
        settings: &Settings,
        host: &str,
        timeout: u32,
        id: String,
        now: Timestamp,
    ) -> Heartbeat {
        Heartbeat::of(&HOST, settings, (host, timeout), id, now)
    }

    fn of(
        missed: &Missed,
        settings: &Settings,
        (name, timeout): (&str, u32),
        id: String,
        now: Timestamp,
    ) -> Heartbeat {
        let attribute = |name: &str, value: Value| (name.to_owned(), value);
        Heartbeat {
            id,
            origin: format!("{}{name}", missed.origin),
            tags: vec![missed.tag.to_owned()],
            attributes: BTreeMap::from([
                attribute("environment", Value::from(settings.default_environment.as_str())),
                attribute("group", Value::from(missed.group)),
                attribute("service", Value::from(vec!["Bergfried"])),
                attribute(LAST_HEARD, Value::from(now.to_string())),
            ]),
            create_time: now,
            receive_time: now,
            timeout,
            customer: None,
        }
    }

    /// The name of the agent, where it is the heartbeat of one.
    pub fn agent(&self) -> Option<&str> {
        AGENT.name(&self.origin, &self.tags).filter(|_| self.customer.is_none())
    }

    /// The name of the host, where it is the heartbeat of one without an agent.
    pub fn host(&self) -> Option<&str> {
        HOST.name(&self.origin, &self.tags).filter(|_| self.customer.is_none())
    }
}

impl crate::Alert {
    /// The name of the agent that it says to be silent or alive, where it is about one.
    pub fn agent(&self) -> Option<&str> {
        AGENT.name(&self.resource, &self.tags).filter(|_| self.is_heartbeat())
    }

    /// The name of the host that it says to be silent or alive, where it is about one without an
    /// agent.
    pub fn host(&self) -> Option<&str> {
        HOST.name(&self.resource, &self.tags).filter(|_| self.is_heartbeat())
    }

    fn is_heartbeat(&self) -> bool {
        self.event.starts_with("Heartbeat") && self.customer.is_none()
    }

    /// When that agent or host was last heard of.
    pub fn agent_heard(&self) -> Option<Timestamp> {
        self.attributes.get(LAST_HEARD)?.as_str()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Pulse, receive};

    #[test]
    fn a_silent_agent_is_an_alert_that_names_it() {
        let settings = Settings::default();
        let now = Timestamp::from_seconds(1_700_000_000);
        let beat = Heartbeat::of_agent(&settings, "web1", 900, "b1".to_owned(), now);
        assert_eq!(beat.agent(), Some("web1"));
        let later = now.plus_micros(901 * Timestamp::SECOND);
        assert_eq!(beat.pulse(&settings, later), Pulse::Expired);
        let incoming = beat.alert(&settings, Pulse::Expired, "a1".to_owned(), later);
        let (alert, _) = receive(&settings, None, incoming, later);
        assert_eq!((alert.agent(), alert.event.as_str()), (Some("web1"), "HeartbeatFail"));
        assert_eq!(alert.agent_heard(), Some(now));
        assert_eq!(
            (alert.group.as_str(), alert.service.join(" ").as_str()),
            ("Agents", "Bergfried")
        );
        assert_eq!((alert.host(), beat.host()), (None, None));
        let host = Heartbeat::of_host(&settings, "db1", 900, "b2".to_owned(), now);
        assert_eq!((host.host(), host.agent()), (Some("db1"), None));
        let incoming = host.alert(&settings, Pulse::Expired, "a2".to_owned(), later);
        let (alert, _) = receive(&settings, None, incoming, later);
        assert_eq!(
            (alert.host(), alert.agent(), alert.agent_heard()),
            (Some("db1"), None, Some(now))
        );
        let other = Heartbeat { origin: "web1".to_owned(), ..beat.clone() };
        assert_eq!(other.agent(), None);
        let theirs = Heartbeat { customer: Some("acme".to_owned()), ..beat };
        assert_eq!(theirs.agent(), None);
    }
}
