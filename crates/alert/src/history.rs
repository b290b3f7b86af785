//! What changed in an alert, and when.

use bergfried_event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alert::Alert;
use crate::bounds::{MAX_NAME, clip};
use crate::settings::Settings;
use crate::status::Status;

/// The most bytes of an entry's text and value.
const MAX_ENTRY: usize = 1_024;
/// How many changes of severity are no flapping yet.
const FLAPPING_CHANGES: usize = 2;
/// The seconds in which they are counted.
const FLAPPING_WINDOW: i64 = 1_800;

/// Why an entry was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words are the original's")]
pub enum EntryKind {
    New,
    Severity,
    Status,
    Value,
    Open,
    Assign,
    Ack,
    Unack,
    Shelve,
    Unshelve,
    Close,
    Action,
    Note,
    Dismiss,
    Expired,
    Timeout,
}

/// One entry of an alert's history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The id that the receive or the note came with.
    pub id: String,
    /// The event at that time.
    pub event: String,
    /// The severity that it then had.
    pub severity: String,
    /// The status that it then had.
    pub status: Status,
    /// The value that it then had.
    pub value: Option<String>,
    /// Why, for a person.
    pub text: String,
    /// Why, for a program.
    pub kind: EntryKind,
    /// When the hub made the entry.
    pub time: Timestamp,
    /// Who did it, where a person or a key did.
    pub user: Option<String>,
    /// Seconds after which an acknowledgement or shelving ends, or else the alert expires; 0: never.
    pub timeout: u32,
}

impl Entry {
    /// An entry that says how the alert is now, to be completed with why.
    pub(crate) fn of(alert: &Alert, now: Timestamp) -> Entry {
        Entry {
            id: String::new(),
            event: alert.event.clone(),
            severity: alert.severity.clone(),
            status: alert.status,
            value: alert.value.clone(),
            text: String::new(),
            kind: EntryKind::Action,
            time: now,
            user: None,
            timeout: alert.timeout,
        }
    }
}

impl Alert {
    /// Appends to the history, at the cost of its oldest entries where it is full.
    ///
    /// An entry is never earlier than the one before it, even where the clock was put back; its texts
    /// are cut, because an alert has many.
    pub(crate) fn record(&mut self, settings: &Settings, mut entry: Entry) {
        if let Some(last) = self.history.last() {
            entry.time = entry.time.max(last.time);
        }
        entry.text = clip(&entry.text, MAX_ENTRY);
        entry.value = entry.value.map(|value| clip(&value, MAX_ENTRY));
        entry.user = entry.user.map(|user| clip(&user, MAX_NAME));
        entry.id = clip(&entry.id, MAX_NAME);
        self.history.push(entry);
        let surplus = self.history.len().saturating_sub(settings.history_limit);
        self.history.drain(..surplus);
    }

    /// Whether it goes to and fro: more than two changes of severity within half an hour.
    pub fn is_flapping(&self, now: Timestamp) -> bool {
        let since = now.plus_micros(-FLAPPING_WINDOW * Timestamp::SECOND);
        let recent = self.history.iter().rev().take_while(|entry| entry.time > since);
        recent.filter(|entry| entry.kind == EntryKind::Severity).count() > FLAPPING_CHANGES
    }
}
