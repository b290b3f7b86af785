//! A finding: a rule's statement about one or more events.

use serde::{Deserialize, Serialize};

use crate::severity::Severity;
use crate::shape::AlertShape;
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
    /// The rule's tags as written, such as `attack.credential-access`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// When such a finding means nothing, in the words of the rule's author.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub falsepositives: Vec<String>,
    /// The values that the rule grouped by, with their full field names; empty without grouping.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group: Vec<(String, String)>,
    /// The fields and values that made the last event match, at most [`Finding::MAX_MATCHED`]; for
    /// a rule over several events what it grouped by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matched: Vec<(String, String)>,
    /// One of the lines, the last one.
    pub example: String,
    /// Ids of the events, where they are stored: the last ones, at most 100.
    #[serde(rename = "event.id", default, skip_serializing_if = "Vec::is_empty")]
    pub event_ids: Vec<u64>,
    /// How its alert is to look, where the rule says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<Box<AlertShape>>,
}

impl Finding {
    /// The most event ids that one finding keeps; the last ones stay.
    pub const MAX_EVENT_IDS: usize = 100;
    /// The most pairs of [`Finding::matched`].
    pub const MAX_MATCHED: usize = 16;
    /// The most characters of a value in [`Finding::matched`].
    pub const MAX_MATCHED_VALUE: usize = 256;

    /// Takes in a later finding about the same thing: counts add up, times widen, the later example,
    /// matched values and event ids stay. What the two do not share (host, user, source, program) becomes unknown.
    pub fn absorb(&mut self, later: Finding) {
        self.count = self.count.saturating_add(later.count);
        self.severity = self.severity.max(later.severity);
        self.first_seen = self.first_seen.min(later.first_seen);
        if later.last_seen >= self.last_seen {
            self.last_seen = later.last_seen;
            self.example = later.example;
            self.matched = later.matched;
            self.alert = later.alert;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_stored_before_tags_were_kept_are_read() {
        let stored = r#"{"rule.id":"1","rule.name":"a","severity":"low","host.name":null,
            "user.name":null,"source.ip":null,"process.name":null,"count":1,
            "first_seen":"1970-01-01T00:00:00Z","last_seen":"1970-01-01T00:00:00Z",
            "threat.technique.id":[],"example":"line"}"#;
        let mut finding: Finding = serde_json::from_str(stored).unwrap();
        assert!(finding.tags.is_empty() && finding.matched.is_empty());
        finding.tags = vec!["attack.t1110".to_owned()];
        finding.falsepositives = vec!["a typing error".to_owned()];
        finding.matched = vec![("user.name".to_owned(), "root".to_owned())];
        let text = serde_json::to_string(&finding).unwrap();
        assert_eq!(serde_json::from_str::<Finding>(&text).unwrap(), finding);
    }

    #[test]
    fn the_later_finding_says_what_matched() {
        let at = Timestamp::from_seconds;
        let finding = |last: i64, value: &str| Finding {
            rule_id: "1".to_owned(),
            rule_name: "a".to_owned(),
            severity: Severity::Low,
            host: None,
            user: None,
            source: None,
            program: None,
            count: 1,
            first_seen: at(last),
            last_seen: at(last),
            techniques: Vec::new(),
            tags: Vec::new(),
            falsepositives: Vec::new(),
            group: Vec::new(),
            matched: vec![("message".to_owned(), value.to_owned())],
            example: value.to_owned(),
            event_ids: Vec::new(),
            alert: None,
        };
        let mut first = finding(5, "new");
        first.absorb(finding(3, "old"));
        assert_eq!((first.count, first.example.as_str()), (2, "new"));
        first.absorb(finding(9, "newest"));
        assert_eq!(first.matched, [("message".to_owned(), "newest".to_owned())]);
    }
}
