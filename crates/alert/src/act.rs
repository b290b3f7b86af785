//! What people and programs do to an alert.

use std::convert::Infallible;
use std::str::FromStr;

use bergfried_event::Timestamp;
use serde_json::{Value, json};

use crate::alert::Alert;
use crate::bounds::merge_attributes;
use crate::history::{Entry, EntryKind};
use crate::hold;
use crate::receive::{ends, hold_timeout};
use crate::settings::Settings;
use crate::status::Status;
use crate::transition::{self, Next, Refused, Standing};

/// The attribute that says who acknowledged an alert.
const ACKED_BY: &str = "acked-by";

/// Something to do to an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are the original's")]
pub enum Action {
    Open,
    Assign,
    Ack,
    Unack,
    Shelve,
    Unshelve,
    Close,
    /// A word that means something to somebody else; it is remembered and changes nothing.
    Other(String),
}

impl Action {
    /// The word.
    pub fn name(&self) -> &str {
        match self {
            Action::Open => "open",
            Action::Assign => "assign",
            Action::Ack => "ack",
            Action::Unack => "unack",
            Action::Shelve => "shelve",
            Action::Unshelve => "unshelve",
            Action::Close => "close",
            Action::Other(word) => word,
        }
    }

    fn entry_kind(&self) -> EntryKind {
        match self {
            Action::Open => EntryKind::Open,
            Action::Assign => EntryKind::Assign,
            Action::Ack => EntryKind::Ack,
            Action::Unack => EntryKind::Unack,
            Action::Shelve => EntryKind::Shelve,
            Action::Unshelve => EntryKind::Unshelve,
            Action::Close => EntryKind::Close,
            Action::Other(_) => EntryKind::Action,
        }
    }
}

impl FromStr for Action {
    type Err = Infallible;

    fn from_str(word: &str) -> Result<Self, Infallible> {
        Ok(match word {
            "open" => Action::Open,
            "assign" => Action::Assign,
            "ack" => Action::Ack,
            "unack" => Action::Unack,
            "shelve" => Action::Shelve,
            "unshelve" => Action::Unshelve,
            "close" => Action::Close,
            other => Action::Other(other.to_owned()),
        })
    }
}

/// An action, and who wants it why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// What to do.
    pub action: Action,
    /// Why, for a person.
    pub text: String,
    /// Seconds after which an acknowledgement or shelving ends, 0: never; none: what the settings say.
    pub timeout: Option<u32>,
    /// Who wants it.
    pub user: Option<String>,
    /// The id of the entry in the history.
    pub id: String,
}

/// A status that somebody sets by hand, past the rules of the alarm model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetStatus {
    /// The status.
    pub status: Status,
    /// Why, for a person.
    pub text: String,
    /// Seconds after which an acknowledgement or shelving ends; for other statuses the alert's own
    /// timeout from now on. None: what the settings say, and the alert's timeout stays.
    pub timeout: Option<u32>,
    /// Who wants it.
    pub user: Option<String>,
    /// The id of the entry in the history.
    pub id: String,
}

/// Does something to an alert.
///
/// # Errors
/// Where it makes no sense for the alert as it stands; then nothing is changed.
pub fn act(
    settings: &Settings,
    alert: &mut Alert,
    act: Act,
    now: Timestamp,
) -> Result<(), Refused> {
    let standing = Standing {
        status: alert.status,
        back: alert.back(),
        severity: &alert.severity,
        previous_severity: &alert.previous_severity,
    };
    let Next { status, severity } = transition::acted(&settings.model, &standing, &act.action)?;
    if let Some(severity) = severity {
        alert.previous_severity = std::mem::replace(&mut alert.severity, severity);
    }
    let begins = matches!(act.action, Action::Ack | Action::Shelve) && hold::holds(status);
    if status != alert.status {
        alert.update_time = now;
        if begins {
            alert.hold(status, ends(settings, status, act.timeout, now));
        } else {
            alert.leave(status);
        }
    }
    if settings.acked_by {
        let by = match act.action {
            Action::Ack => act.user.as_ref().map(|user| json!(user)),
            Action::Unack => Some(Value::Null),
            _ => None,
        };
        // Where there is no room for it, it is left out: the history has it too.
        let by = by.map(|by| (ACKED_BY.to_owned(), by)).into_iter().collect();
        merge_attributes(&mut alert.attributes, by);
    }
    let timeout = begins.then(|| hold_timeout(settings, status, act.timeout)).flatten();
    let entry = Entry {
        id: act.id,
        text: act.text,
        kind: act.action.entry_kind(),
        user: act.user,
        timeout: timeout.unwrap_or(alert.timeout),
        ..Entry::of(alert, now)
    };
    alert.record(settings, entry);
    Ok(())
}

/// Gives an alert a status, whatever the rules of the alarm model say.
///
/// # Errors
/// Where the model does not have the status; then nothing is changed.
pub fn set_status(
    settings: &Settings,
    alert: &mut Alert,
    set: SetStatus,
    now: Timestamp,
) -> Result<(), Refused> {
    let SetStatus { status, text, timeout, user, id } = set;
    let model = &settings.model;
    if !model.statuses().contains(&status) {
        return Err(Refused::NoSuchStatus { status, model: model.name });
    }
    if alert.status != status {
        alert.update_time = now;
    }
    if hold::holds(status) {
        alert.hold(status, ends(settings, status, timeout, now));
    } else {
        alert.leave(status);
    }
    let held = hold_timeout(settings, status, timeout);
    if held.is_none() {
        alert.timeout = timeout.unwrap_or(alert.timeout);
    }
    let entry = Entry {
        id,
        text,
        kind: EntryKind::Status,
        user,
        timeout: held.unwrap_or(alert.timeout),
        ..Entry::of(alert, now)
    };
    alert.record(settings, entry);
    Ok(())
}
