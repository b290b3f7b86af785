//! What rules found, gathered beside an alert.

use std::collections::BTreeMap;

use bergfried_event::{Finding, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::bounds::{MAX_NAME, clip};
use crate::seen::Seen;

/// The most event ids that an alert keeps; the oldest go first.
pub const MAX_EVENT_IDS: usize = 100;
/// The most bytes of an example line.
const MAX_EXAMPLE: usize = 4_096;
/// The most ATT&CK techniques.
const MAX_TECHNIQUES: usize = 32;
/// The most grouped-by values.
const MAX_GROUP: usize = 16;
/// The most tags of a rule.
const MAX_RULE_TAGS: usize = 32;
/// The most notes on false positives.
const MAX_FALSE_POSITIVES: usize = 8;
/// The most bytes of such a note.
const MAX_FALSE_POSITIVE: usize = 512;

/// What the rules found, where an alert was made of findings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The id of the rule.
    pub rule_id: String,
    /// How many events the findings stand on.
    pub count: u64,
    /// How many findings came.
    pub received: u64,
    /// When the first of the events happened.
    pub first_seen: Timestamp,
    /// When the last of them happened.
    pub last_seen: Timestamp,
    /// The host of the last finding that named one.
    pub host: Option<String>,
    /// The user of the last finding that named one.
    pub user: Option<String>,
    /// The address or name that the last finding that named one came from.
    pub source: Option<String>,
    /// The program that logged it.
    pub program: Option<String>,
    /// Every user seen.
    pub users: Seen,
    /// Every source seen.
    pub sources: Seen,
    /// MITRE ATT&CK technique ids.
    pub techniques: Vec<String>,
    /// The rule's tags.
    pub tags: Vec<String>,
    /// When such findings mean nothing, in the words of the rule's author.
    pub falsepositives: Vec<String>,
    /// What the last finding was grouped by.
    pub group: Vec<(String, String)>,
    /// The fields and values that made the last finding's event match.
    pub matched: Vec<(String, String)>,
    /// Ids of its last events.
    pub event_ids: Vec<u64>,
    /// A line of the last finding.
    pub example: String,
}

impl Evidence {
    /// What one finding says.
    pub fn of(finding: &Finding) -> Evidence {
        let texts = |texts: &[String], most: usize, limit: usize| -> Vec<String> {
            texts.iter().take(most).map(|text| clip(text, limit)).collect()
        };
        let seen = |name: &Option<String>| {
            let mut seen = Seen::default();
            name.iter().for_each(|name| seen.add(name));
            seen
        };
        let (user, source) = (name(&finding.user), name(&finding.source));
        let mut evidence = Evidence {
            rule_id: clip(&finding.rule_id, MAX_NAME),
            count: finding.count,
            received: 1,
            first_seen: finding.first_seen,
            last_seen: finding.last_seen,
            host: name(&finding.host),
            users: seen(&user),
            sources: seen(&source),
            user,
            source,
            program: name(&finding.program),
            techniques: texts(&finding.techniques, MAX_TECHNIQUES, MAX_NAME),
            tags: texts(&finding.tags, MAX_RULE_TAGS, MAX_NAME),
            falsepositives: texts(&finding.falsepositives, MAX_FALSE_POSITIVES, MAX_FALSE_POSITIVE),
            group: pairs(&finding.group, MAX_GROUP),
            matched: pairs(&finding.matched, Finding::MAX_MATCHED),
            event_ids: finding.event_ids.clone(),
            example: clip(&finding.example, MAX_EXAMPLE),
        };
        evidence.forget_oldest_events();
        evidence
    }

    /// The fields that people search on from one alert to the next, in the names that events have; a
    /// dot is no part of an attribute's name, so a `_` stands for it.
    pub fn attributes(&self) -> BTreeMap<String, Value> {
        let mut attributes = BTreeMap::from([("rule_id".to_owned(), json!(self.rule_id))]);
        for (field, value) in self.matched.iter().chain(&self.group) {
            attributes.insert(field.replace(['.', '$'], "_"), json!(value));
        }
        for (key, value) in [
            ("host_name", &self.host),
            ("user_name", &self.user),
            ("source_ip", &self.source),
            ("process_name", &self.program),
        ] {
            if let Some(value) = value {
                attributes.insert(key.to_owned(), json!(value));
            }
        }
        attributes
    }

    /// Takes in what was found later.
    ///
    /// Counts add up (at most `u64::MAX`) and the time span widens; of names that a later finding
    /// lacks the last one stays; what only one finding can have is that of the later one.
    pub fn absorb(&mut self, later: Evidence) {
        self.rule_id = later.rule_id;
        self.count = self.count.saturating_add(later.count);
        self.received = self.received.saturating_add(later.received);
        self.first_seen = self.first_seen.min(later.first_seen);
        self.last_seen = self.last_seen.max(later.last_seen);
        for (mine, later) in [
            (&mut self.host, later.host),
            (&mut self.user, later.user),
            (&mut self.source, later.source),
            (&mut self.program, later.program),
        ] {
            *mine = later.or_else(|| mine.take());
        }
        self.users.absorb(&later.users);
        self.sources.absorb(&later.sources);
        for technique in later.techniques {
            if self.techniques.len() < MAX_TECHNIQUES && !self.techniques.contains(&technique) {
                self.techniques.push(technique);
            }
        }
        self.tags = later.tags;
        self.falsepositives = later.falsepositives;
        self.group = later.group;
        self.matched = later.matched;
        self.event_ids.extend(later.event_ids);
        self.forget_oldest_events();
        self.example = later.example;
    }

    fn forget_oldest_events(&mut self) {
        let surplus = self.event_ids.len().saturating_sub(MAX_EVENT_IDS);
        self.event_ids.drain(..surplus);
    }
}

/// A name of at most [`MAX_NAME`] bytes; an empty one is none.
pub(crate) fn name(value: &Option<String>) -> Option<String> {
    value.as_deref().filter(|text| !text.is_empty()).map(|text| clip(text, MAX_NAME))
}

/// The first pairs of a field and a value, each at most [`MAX_NAME`] bytes.
fn pairs(all: &[(String, String)], most: usize) -> Vec<(String, String)> {
    let clipped =
        |(field, value): &(String, String)| (clip(field, MAX_NAME), clip(value, MAX_NAME));
    all.iter().take(most).map(clipped).collect()
}
