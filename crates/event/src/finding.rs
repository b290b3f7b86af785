//! A finding: a rule's statement about one or more events.

use serde::{Deserialize, Serialize};

use crate::severity::Severity;
use crate::time::Timestamp;

/// A rule's statement about one or more events.
///
/// Serialized with the keys that `bergfried scan --format json` documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's id (a UUID in Sigma).
    #[serde(rename = "rule.id")]
    pub rule_id: String,
    /// The rule's title.
    #[serde(rename = "rule.name")]
    pub rule_name: String,
    /// How bad it is.
    pub severity: Severity,
    /// The host that the events happened on.
    #[serde(rename = "host.name")]
    pub host: Option<String>,
    /// The user who acts or tries to log in.
    #[serde(rename = "user.name")]
    pub user: Option<String>,
    /// The address (or name, where the log has only that) that it came from.
    #[serde(rename = "source.ip")]
    pub source: Option<String>,
    /// The program that logged it.
    #[serde(rename = "process.name")]
    pub program: Option<String>,
    /// How many events it stands on.
    pub count: u64,
    /// When the first of them happened.
    pub first_seen: Timestamp,
    /// When the last of them happened.
    pub last_seen: Timestamp,
    /// MITRE ATT&CK technique ids (`T1110.001`).
    #[serde(rename = "threat.technique.id")]
    pub techniques: Vec<String>,
    /// The values that the rule grouped by, with their full field names; empty without grouping.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group: Vec<(String, String)>,
    /// One of the lines, the last one.
    pub example: String,
    /// Ids of the events, where they are stored: the last ones, at most 100.
    #[serde(rename = "event.id", default, skip_serializing_if = "Vec::is_empty")]
    pub event_ids: Vec<u64>,
}

impl Finding {
    /// The most event ids that one finding keeps; the last ones stay.
    pub const MAX_EVENT_IDS: usize = 100;

    /// Takes in a later finding about the same thing: counts add up, times widen, the later example
    /// and event ids stay. What the two do not share (host, user, source, program) becomes unknown.
    pub fn absorb(&mut self, later: Finding) {
        self.count = self.count.saturating_add(later.count);
        self.severity = self.severity.max(later.severity);
        self.first_seen = self.first_seen.min(later.first_seen);
        if later.last_seen >= self.last_seen {
            self.last_seen = later.last_seen;
            self.example = later.example;
        }
        for (mine, other) in [
            (&mut self.host, later.host),
            (&mut self.user, later.user),
            (&mut self.source, later.source),
            (&mut self.program, later.program),
        ] {
            if *mine != other {
                *mine = None;
            }
        }
        self.event_ids.extend(later.event_ids);
        let surplus = self.event_ids.len().saturating_sub(Self::MAX_EVENT_IDS);
        self.event_ids.drain(..surplus);
    }
}
