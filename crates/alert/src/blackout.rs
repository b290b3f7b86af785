//! Times in which alerts are not wanted.

use std::fmt;

use bergfried_event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incoming::Incoming;
use crate::schedule::Schedule;

/// A time in which alerts that it names are not wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Blackout {
    /// Its id, a UUID.
    pub id: String,
    /// The environment of the alerts.
    pub environment: String,
    /// All of these services must be among the alert's.
    pub service: Vec<String>,
    /// The alert's resource, where it matters.
    pub resource: Option<String>,
    /// The alert's event, where it matters.
    pub event: Option<String>,
    /// The alert's group, where it matters.
    pub group: Option<String>,
    /// All of these tags must be among the alert's.
    pub tags: Vec<String>,
    /// The alert's origin, where it matters.
    pub origin: Option<String>,
    /// Whose alerts, where it matters.
    pub customer: Option<String>,
    /// When it is.
    #[serde(flatten)]
    pub schedule: Schedule,
    /// Who made it.
    pub user: Option<String>,
    /// When.
    pub create_time: Timestamp,
    /// Why.
    pub text: String,
}

/// Where a blackout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlackoutState {
    /// It begins later, or begins again.
    Pending,
    /// It is now.
    Active,
    /// It is over for good.
    Expired,
}

impl BlackoutState {
    /// Every state.
    pub const ALL: [BlackoutState; 3] =
        [BlackoutState::Pending, BlackoutState::Active, BlackoutState::Expired];

    /// The word: `pending`, `active` or `expired`.
    pub fn name(self) -> &'static str {
        match self {
            BlackoutState::Pending => "pending",
            BlackoutState::Active => "active",
            BlackoutState::Expired => "expired",
        }
    }
}

impl fmt::Display for BlackoutState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Blackout {
    /// Whether it takes in what is said, by the time at which that was made.
    pub fn covers(&self, incoming: &Incoming) -> bool {
        let same = |wanted: &Option<String>, given: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == given)
        };
        let all =
            |wanted: &[String], given: &[String]| wanted.iter().all(|one| given.contains(one));
        self.environment == incoming.environment
            && same(&self.resource, &incoming.resource)
            && same(&self.event, &incoming.event)
            && same(&self.group, &incoming.group)
            && same(&self.origin, &incoming.origin)
            && (self.customer.is_none() || self.customer == incoming.customer)
            && all(&self.service, &incoming.service)
            && all(&self.tags, &incoming.tags)
            // Last, because it may cost the most.
            && self.schedule.covers(incoming.create_time)
    }

    /// Where it stands now.
    pub fn state(&self, now: Timestamp) -> BlackoutState {
        if self.schedule.covers(now) {
            BlackoutState::Active
        } else if self.schedule.next_start(now).is_some() {
            BlackoutState::Pending
        } else {
            BlackoutState::Expired
        }
    }

    /// Whole seconds that are left of it: of its whole length while it is pending.
    pub fn remaining(&self, now: Timestamp) -> i64 {
        match (self.schedule.window(now), self.state(now)) {
            (Some((_, end)), _) => end.since(now) / Timestamp::SECOND,
            (None, BlackoutState::Pending) => self.schedule.duration(),
            (None, _) => 0,
        }
    }

    /// When its state next changes; none: never again.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        match self.schedule.window(now) {
            Some((_, end)) => Some(end),
            None => self.schedule.next_start(now),
        }
    }

    /// How narrow it is, as Alerta counts: from 0, a whole environment, to 8. It decides nothing.
    pub fn priority(&self) -> u8 {
        match self {
            Blackout { resource: Some(_), event: None, .. } => 2,
            Blackout { service, .. } if !service.is_empty() => 3,
            Blackout { resource: None, event: Some(_), .. } => 4,
            Blackout { group: Some(_), .. } => 5,
            Blackout { resource: Some(_), event: Some(_), .. } => 6,
            Blackout { tags, origin, .. } if !tags.is_empty() => 7 + u8::from(origin.is_some()),
            Blackout { origin: Some(_), .. } => 1,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::status::Status;

    const START: i64 = 1_800_000_000;

    fn blackout(recurrence: Option<&str>) -> Blackout {
        let start = Timestamp::from_seconds(START);
        Blackout {
            id: "one".to_owned(),
            environment: "Production".to_owned(),
            service: Vec::new(),
            resource: None,
            event: None,
            group: None,
            tags: Vec::new(),
            origin: None,
            customer: None,
            schedule: Schedule::new(start, start.plus_micros(3_600_000_000), recurrence, None)
                .unwrap(),
            user: None,
            create_time: start,
            text: String::new(),
        }
    }

    fn incoming() -> Incoming {
        let words =
            |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        Incoming {
            id: "new".to_owned(),
            environment: "Production".to_owned(),
            resource: "web1".to_owned(),
            event: "NodeDown".to_owned(),
            severity: "major".to_owned(),
            correlate: Vec::new(),
            status: Status::Open,
            service: words(&["Web", "Mail"]),
            group: "Network".to_owned(),
            value: None,
            text: String::new(),
            tags: words(&["dc=one", "linux"]),
            attributes: BTreeMap::new(),
            origin: "script".to_owned(),
            kind: "exceptionAlert".to_owned(),
            create_time: Timestamp::from_seconds(START),
            timeout: 0,
            raw_data: None,
            customer: Some("acme".to_owned()),
            evidence: None,
        }
    }

    #[test]
    fn every_field_that_is_set_must_be_the_same() {
        type Change = fn(&mut Blackout);
        let cases: &[(&str, Change, bool)] = &[
            ("environment alone", |_| (), true),
            ("another environment", |blackout| blackout.environment = "Development".into(), false),
            ("resource", |blackout| blackout.resource = Some("web1".into()), true),
            ("part of a resource", |blackout| blackout.resource = Some("web".into()), false),
            ("event", |blackout| blackout.event = Some("NodeDown".into()), true),
            ("another event", |blackout| blackout.event = Some("NodeUp".into()), false),
            ("group", |blackout| blackout.group = Some("Network".into()), true),
            ("another group", |blackout| blackout.group = Some("network".into()), false),
            ("origin", |blackout| blackout.origin = Some("script".into()), true),
            ("another origin", |blackout| blackout.origin = Some("cron".into()), false),
            ("one service", |blackout| blackout.service = vec!["Mail".into()], true),
            (
                "a service too many",
                |blackout| blackout.service = vec!["Mail".into(), "Chat".into()],
                false,
            ),
            ("tags", |blackout| blackout.tags = vec!["linux".into(), "dc=one".into()], true),
            (
                "a tag too many",
                |blackout| blackout.tags = vec!["linux".into(), "arm".into()],
                false,
            ),
            ("customer", |blackout| blackout.customer = Some("acme".into()), true),
            ("another customer", |blackout| blackout.customer = Some("umbrella".into()), false),
        ];
        for (name, change, expected) in cases {
            let mut blackout = blackout(None);
            change(&mut blackout);
            assert_eq!(blackout.covers(&incoming()), *expected, "{name}");
        }
    }

    #[test]
    fn the_time_is_that_of_the_alert() {
        let at = |blackout: &Blackout, seconds| {
            let create_time = Timestamp::from_seconds(START + seconds);
            blackout.covers(&Incoming { create_time, ..incoming() })
        };
        let (once, daily) = (blackout(None), blackout(Some("FREQ=DAILY")));
        for (seconds, expected) in [(-1, false), (0, true), (3_599, true), (3_600, false)] {
            assert_eq!(at(&once, seconds), expected, "{seconds}");
            assert_eq!(at(&daily, seconds), expected, "{seconds}");
            assert!(!at(&once, seconds + 86_400));
            assert_eq!(at(&daily, seconds + 86_400), expected);
        }
    }

    #[test]
    fn state_and_what_remains_follow_the_clock() {
        use BlackoutState::{Active, Expired, Pending};
        for (recurrence, seconds, state, remaining, next_change) in [
            (None, -10, Pending, 3_600, Some(0)),
            (None, 0, Active, 3_600, Some(3_600)),
            (None, 3_590, Active, 10, Some(3_600)),
            (None, 3_600, Expired, 0, None),
            (Some("FREQ=DAILY;COUNT=2"), 3_600, Pending, 3_600, Some(86_400)),
            (Some("FREQ=DAILY;COUNT=2"), 86_410, Active, 3_590, Some(90_000)),
            (Some("FREQ=DAILY;COUNT=2"), 90_000, Expired, 0, None),
        ] {
            let blackout = blackout(recurrence);
            let now = Timestamp::from_seconds(START + seconds);
            let next = next_change.map(|seconds| Timestamp::from_seconds(START + seconds));
            assert_eq!(blackout.state(now), state, "{recurrence:?} {seconds}");
            assert_eq!(blackout.remaining(now), remaining, "{recurrence:?} {seconds}");
            assert_eq!(blackout.next_change(now), next, "{recurrence:?} {seconds}");
        }
    }

    #[test]
    fn reads_back_as_it_was_stored() {
        for recurrence in [None, Some("FREQ=DAILY")] {
            let blackout = blackout(recurrence);
            let text = serde_json::to_string(&blackout).unwrap();
            assert_eq!(serde_json::from_str::<Blackout>(&text).unwrap(), blackout);
        }
    }
}
