//! What people work on: an alert, and how it came to be what it is.

use std::fmt;
use std::str::FromStr;

use bergfried_event::{Severity, Timestamp};
use serde::{Deserialize, Serialize};

use crate::seen::Seen;

/// The most entries that an alert's history keeps; the oldest go first.
pub const MAX_HISTORY: usize = 100;
/// The most event ids that an alert keeps; the oldest go first.
pub const MAX_EVENT_IDS: usize = 100;
/// The most bytes of a name: resource, event, host, user, source, program, rule.
pub const MAX_NAME: usize = 256;
/// The most bytes of an example line.
pub const MAX_EXAMPLE: usize = 4096;
/// The most ATT&CK techniques that an alert keeps.
pub const MAX_TECHNIQUES: usize = 32;
/// The most grouped-by values that an alert keeps.
pub const MAX_GROUP: usize = 16;
/// The most tags that an alert keeps.
pub(crate) const MAX_TAGS: usize = 32;
/// The most notes on false positives that an alert keeps.
pub(crate) const MAX_NOTES: usize = 8;
/// The most bytes of a note on false positives.
pub(crate) const MAX_NOTE: usize = 512;

/// Whether an alert still wants someone's attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It does.
    Open,
    /// Somebody closed it; a new finding opens it again.
    Closed,
}

impl Status {
    /// The lower-case word.
    pub fn name(self) -> &'static str {
        match self {
            Status::Open => "open",
            Status::Closed => "closed",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Status {
    type Err = String;

    /// Reads one of the two words; the error says which words there are.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "open" => Ok(Status::Open),
            "closed" => Ok(Status::Closed),
            _ => Err(format!("unknown status `{}`, expected open or closed", word.escape_debug())),
        }
    }
}

/// What changed in an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// The alert came into being.
    New,
    /// Its severity.
    Severity,
    /// Its status.
    Status,
}

/// One entry of an alert's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// When the hub made the change.
    pub at: Timestamp,
    /// What changed.
    pub kind: ChangeKind,
    /// The word it was before; absent for a new alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The word it is now.
    pub to: String,
    /// Why, for a person: the alert's text at that time, or who did it.
    pub text: String,
}

/// Findings about the same thing, as one matter to work on.
///
/// What is the same thing is its (environment, resource, event): see [`crate::identity`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Its number in the control store; 0 until it is stored.
    pub id: u64,
    /// Where it belongs, such as `Production`.
    pub environment: String,
    /// What it is about: the host, else the source, else `unknown`.
    pub resource: String,
    /// What happened there: the rule's title.
    pub event: String,
    /// How bad the last finding was.
    pub severity: Severity,
    /// The severity before the last change of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_severity: Option<Severity>,
    /// Whether it still wants attention.
    pub status: Status,
    /// How many events its findings stand on.
    pub count: u64,
    /// How many findings were folded into it.
    pub received: u64,
    /// When the first of its events happened.
    pub first_seen: Timestamp,
    /// When the last of its events happened.
    pub last_seen: Timestamp,
    /// When the hub last folded a finding into it or someone changed it.
    pub updated: Timestamp,
    /// The id of the rule.
    pub rule_id: String,
    /// One sentence for a person, about the last finding.
    pub text: String,
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
    #[serde(default)]
    pub tags: Vec<String>,
    /// When such findings mean nothing, in the words of the rule's author.
    #[serde(default)]
    pub falsepositives: Vec<String>,
    /// What the last finding was grouped by.
    pub group: Vec<(String, String)>,
    /// The fields and values that made the last finding's event match.
    #[serde(default)]
    pub matched: Vec<(String, String)>,
    /// Ids of its last events.
    pub event_ids: Vec<u64>,
    /// A line of the last finding.
    pub example: String,
    /// What changed and when, oldest first.
    pub history: Vec<Change>,
    /// How many older entries the history no longer holds.
    pub history_dropped: u64,
}

impl Alert {
    /// Appends to the history, at the cost of its oldest entry where it is full.
    pub(crate) fn record(&mut self, change: Change) {
        if self.history.len() >= MAX_HISTORY {
            self.history.remove(0);
            self.history_dropped = self.history_dropped.saturating_add(1);
        }
        self.history.push(change);
    }

    /// Closes an open alert and says who did it; false where it was closed already.
    pub fn close(&mut self, who: &str, now: Timestamp) -> bool {
        if self.status == Status::Closed {
            return false;
        }
        self.set_status(Status::Closed, format!("closed by {}", clip(who, MAX_NAME)), now);
        self.updated = now;
        true
    }

    pub(crate) fn set_status(&mut self, to: Status, text: String, now: Timestamp) {
        let from = std::mem::replace(&mut self.status, to);
        self.record(Change {
            at: now,
            kind: ChangeKind::Status,
            from: Some(from.name().to_owned()),
            to: to.name().to_owned(),
            text,
        });
    }
}

/// At most `limit` bytes of `text`, cut between characters; `…` stands for what is missing.
pub(crate) fn clip(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut end = limit.saturating_sub('…'.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut cut = text.get(..end).unwrap_or_default().to_owned();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clip_cuts_between_characters() {
        let cases = [
            ("short", 10, "short"),
            ("exactly_10", 10, "exactly_10"),
            ("eleven chars", 11, "eleven c…"),
            ("ääääää", 9, "äää…"),
            ("ääääää", 10, "äää…"),
        ];
        for (text, limit, expected) in cases {
            let cut = clip(text, limit);
            assert_eq!(cut, expected);
            assert!(cut.len() <= limit);
        }
    }

    #[test]
    fn status_reads_back_and_names_unknown_words() {
        for status in [Status::Open, Status::Closed] {
            assert_eq!(status.name().parse(), Ok(status));
        }
        assert!("shut".parse::<Status>().unwrap_err().contains("`shut`"));
    }
}
