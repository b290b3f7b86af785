//! An alert, as it is kept.

use std::collections::BTreeMap;

use bergfried_event::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::evidence::Evidence;
use crate::history::Entry;
use crate::hold::Hold;
use crate::status::Status;

/// Whether an alert got worse when it last changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Trend {
    /// It is more severe than it was.
    MoreSevere,
    /// It is as severe as it was.
    NoChange,
    /// It is less severe than it was.
    LessSevere,
}

/// What a person wrote beside an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// Its id, a UUID.
    pub id: String,
    /// What was written.
    pub text: String,
    /// Who wrote it.
    pub user: Option<String>,
    /// When.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Option<Timestamp>,
}

/// One matter to work on.
///
/// There is one for each environment, resource, event and customer, unless another became the same
/// event by correlation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Its id, a UUID; it stays through duplicates and changes of severity.
    pub id: String,
    /// Where it belongs, such as `Production`.
    pub environment: String,
    /// What it is about, such as a host.
    pub resource: String,
    /// What happened there.
    pub event: String,
    /// How bad it is, in a word of the [`Model`](crate::Model).
    pub severity: String,
    /// Events that are the same matter.
    pub correlate: Vec<String>,
    /// Where it stands in its life.
    pub status: Status,
    /// What suffers, such as `sshd`.
    pub service: Vec<String>,
    /// What kind of thing it is about.
    pub group: String,
    /// The measured value, where there is one.
    pub value: Option<String>,
    /// One sentence for a person.
    pub text: String,
    /// Words without values.
    pub tags: Vec<String>,
    /// Anything else, by name.
    pub attributes: BTreeMap<String, Value>,
    /// Who said it.
    pub origin: String,
    /// What kind of alert it is, such as `exceptionAlert`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When its sender made it.
    pub create_time: Timestamp,
    /// Seconds after which it expires when nothing more is heard of it; 0: never.
    pub timeout: u32,
    /// The data that it was made of.
    pub raw_data: Option<String>,
    /// Whose it is, where the hub serves several.
    pub customer: Option<String>,
    /// How often it was said again since its severity last changed.
    pub duplicate_count: u64,
    /// Whether what was last heard was a duplicate.
    pub repeat: bool,
    /// How bad it was before.
    pub previous_severity: String,
    /// Whether it got worse.
    pub trend: Trend,
    /// When it was first received, or last with another severity.
    pub receive_time: Timestamp,
    /// The id that the last thing said of it came with.
    pub last_receive_id: String,
    /// When that was.
    pub last_receive_time: Timestamp,
    /// When its status last changed.
    pub update_time: Timestamp,
    /// What changed, oldest first; at most [`Settings::history_limit`](crate::Settings::history_limit).
    pub history: Vec<Entry>,
    /// What people wrote beside it, oldest first.
    #[serde(default)]
    pub notes: Vec<Note>,
    /// Why it does not stand open, the strongest reason last; at most one for each status that holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Hold>,
    /// What rules found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Box<Evidence>>,
    /// Rises with every change of any alert; orders changes for who follows them.
    pub revision: u64,
}
