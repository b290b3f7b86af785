//! What people are told of one alert: everything that a message may show, and what changed.
//!
//! A notice stands for itself: it is what the outbox keeps, so a message says what was so when the
//! change happened, however late it is sent. Its text is as attackers may have written it; whoever
//! renders a notice neutralises it for the place where it is shown.

use std::collections::BTreeMap;

use bergfried_alert::{Alert, Evidence, Model, Status};
use bergfried_event::{Severity, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What happened to an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// There was no such alert before.
    New,
    /// It was said again.
    Repeated,
    /// It had been over and wants attention again.
    Reopened,
    /// It is more or less severe; the words are the alert's.
    SeverityChanged {
        /// What it was.
        from: String,
        /// What it is.
        to: String,
    },
    /// Somebody looks at it.
    Acknowledged,
    /// Nobody looks at it any more.
    Unacknowledged,
    /// Somebody was given it.
    Assigned,
    /// It is put aside for a time.
    Shelved,
    /// It is no longer put aside.
    Unshelved,
    /// It is over.
    Closed,
    /// Nothing was heard of it for too long.
    Expired,
    /// Its status changed in another way.
    StatusChanged {
        /// What it was.
        from: Status,
        /// What it is.
        to: Status,
    },
    /// Somebody wrote something beside it.
    Noted,
    /// It is still open and nobody looks at it.
    Reminder {
        /// For how many seconds.
        after: u64,
    },
    /// It was not acknowledged in time, so more people are told.
    Escalated {
        /// The step of the escalation, from 1 on.
        step: u32,
        /// How many seconds after the first message.
        after: u64,
    },
}

impl Change {
    /// Whether a person who has seen the alert should be called again, not just shown its new state.
    pub fn is_loud(&self, model: &Model) -> bool {
        match self {
            Change::New | Change::Reopened => true,
            Change::Reminder { .. } | Change::Escalated { .. } => true,
            Change::SeverityChanged { from, to } => model.code(to) < model.code(from),
            _ => false,
        }
    }
}

/// What people are told of one alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// The alert's id.
    pub id: String,
    /// What happened to it.
    pub change: Change,
    /// Whether people should be called, not just shown: see [`Change::is_loud`].
    pub loud: bool,
    /// When that was.
    pub time: Timestamp,
    /// Who did it, where a person or a key did.
    pub by: Option<String>,
    /// What they said, where they said something.
    pub comment: Option<String>,
    /// Where the alert belongs, such as `Production`.
    pub environment: String,
    /// What it is about.
    pub resource: String,
    /// What happened there.
    pub event: String,
    /// How bad it is, in the five words of rules.
    pub severity: Severity,
    /// How bad it is, in the alert's own word.
    pub severity_word: String,
    /// The alert's word of before.
    pub previous_severity: Option<String>,
    /// Where it stands in its life.
    pub status: Status,
    /// Whether nobody needs to do anything more: it is closed or expired, or its severity is normal.
    pub over: bool,
    /// What suffers.
    pub service: Vec<String>,
    /// What kind of thing it is about.
    pub group: String,
    /// The measured value.
    pub value: Option<String>,
    /// One sentence for a person.
    pub text: String,
    /// Words without values.
    pub tags: Vec<String>,
    /// Anything else, by name.
    pub attributes: BTreeMap<String, Value>,
    /// Who said it.
    pub origin: String,
    /// Whose it is.
    pub customer: Option<String>,
    /// How often it was said since its severity last changed.
    pub times: u64,
    /// When its sender first made it, or last with another severity.
    pub created: Timestamp,
    /// When it was last heard of.
    pub last_received: Timestamp,
    /// What rules found, where it was made of findings.
    pub evidence: Option<Box<Evidence>>,
    /// The alert in the console.
    pub link: Option<String>,
}

/// The longest text that a notice keeps of an alert, in bytes.
const MAX_TEXT: usize = 4_096;
/// The most tags and services that it keeps.
const MAX_LIST: usize = 32;
/// How many bytes of attributes it keeps.
const MAX_ATTRIBUTES: usize = 8 * 1024;

fn clip(text: &str) -> String {
    if text.len() <= MAX_TEXT {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(MAX_TEXT - '…'.len_utf8());
    format!("{}…", text.get(..end).unwrap_or_default())
}

fn first(list: &[String]) -> Vec<String> {
    list.iter().take(MAX_LIST).cloned().collect()
}

/// The attributes by name, as far as there is room: thousands of notices wait at once.
fn attributes(alert: &Alert) -> BTreeMap<String, Value> {
    let mut left = MAX_ATTRIBUTES;
    let fits = |(name, value): &(&String, &Value)| {
        let bytes = name.len() + value.to_string().len();
        let fits = bytes <= left;
        left -= if fits { bytes } else { 0 };
        fits
    };
    let kept = alert.attributes.iter().filter(fits);
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

impl Notice {
    /// What there is to tell of `alert`, to which `change` happened at `time`.
    pub fn new(alert: &Alert, model: &Model, change: Change, time: Timestamp) -> Notice {
        let over = model.is_normal(&alert.severity)
            || matches!(alert.status, Status::Closed | Status::Expired | Status::Norm);
        Notice {
            id: alert.id.clone(),
            loud: change.is_loud(model),
            change,
            time,
            by: None,
            comment: None,
            environment: alert.environment.clone(),
            resource: alert.resource.clone(),
            event: alert.event.clone(),
            severity: model.as_rule(&alert.severity),
            severity_word: alert.severity.clone(),
            previous_severity: Some(alert.previous_severity.clone()),
            status: alert.status,
            over,
            service: first(&alert.service),
            group: alert.group.clone(),
            value: alert.value.as_deref().map(clip),
            text: clip(&alert.text),
            tags: first(&alert.tags),
            attributes: attributes(alert),
            origin: alert.origin.clone(),
            customer: alert.customer.clone(),
            times: alert.duplicate_count.saturating_add(1),
            created: alert.create_time,
            last_received: alert.last_receive_time,
            evidence: alert.evidence.clone(),
            link: None,
        }
    }

    /// With the name of who did it, and what they said.
    #[must_use]
    pub fn by(self, who: Option<String>, comment: Option<String>) -> Notice {
        let comment = comment.filter(|text| !text.is_empty()).map(|text| clip(&text));
        Notice { by: who, comment, ..self }
    }

    /// With a link into the console at this address, where the hub knows it:
    /// `<console>/alerts/<id>`.
    #[must_use]
    pub fn linked(self, console: Option<&str>) -> Notice {
        let link = console.map(|base| format!("{}/alerts/{}", base.trim_end_matches('/'), self.id));
        Notice { link, ..self }
    }
}
