//! What the writer is asked to do, and what it answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use bergfried_alert::exception::Exception;
use bergfried_alert::{Act, Alert, Blackout, Heartbeat, Incoming, Note, Received, SetStatus};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::error::{ChangeError, Failed};

/// What became of something received.
#[derive(Clone, Debug, PartialEq)]
pub enum Receipt {
    /// There is an alert of it.
    Kept {
        /// The alert with it.
        alert: Arc<Alert>,
        /// What it was to the alert.
        received: Received,
    },
    /// A blackout does not want it; there is no alert of it.
    Suppressed {
        /// The id that it came with.
        id: String,
    },
}

/// What to change of an alert.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// What a person does.
    Act(Act),
    /// Another status, whatever the state machine thinks.
    Status(SetStatus),
    /// More tags.
    Tag(Vec<String>),
    /// Fewer tags.
    Untag(Vec<String>),
    /// Attributes by name; a null takes one away.
    Attributes(BTreeMap<String, Value>),
    /// Another note; it is made when it is written, whatever it says of itself.
    AddNote(Note),
    /// Another text of a note.
    ChangeNote {
        /// The note's id.
        id: String,
        /// What is written.
        text: String,
    },
    /// One note less.
    RemoveNote {
        /// The note's id.
        id: String,
        /// Who removes it.
        user: Option<String>,
    },
}

/// What became of a change of one alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    /// The id as it was given.
    pub id: String,
    /// The alert as it is now.
    pub result: Result<Arc<Alert>, ChangeError>,
}

/// What housekeeping did, each a list of ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Housekept {
    /// Alerts deleted.
    pub deleted: Vec<String>,
    /// Alerts that expired.
    pub expired: Vec<String>,
    /// Alerts that came back from the shelf.
    pub unshelved: Vec<String>,
    /// Alerts whose acknowledgement ended.
    pub unacked: Vec<String>,
}

pub(crate) type Reply<T> = oneshot::Sender<Result<T, Failed>>;

#[derive(Debug)]
pub(crate) enum Command {
    Receive(Box<Incoming>, Reply<Receipt>),
    Change(Vec<String>, Change, Reply<Vec<Changed>>),
    Delete(Vec<String>, Reply<Vec<String>>),
    Heartbeat(Box<Heartbeat>, Reply<Arc<Heartbeat>>),
    DeleteHeartbeat(String, Reply<bool>),
    PutBlackout(Box<Blackout>, Reply<Arc<Blackout>>),
    DeleteBlackout(String, Reply<bool>),
    AddException(Box<Exception>, Reply<Arc<Exception>>),
    /// By its whole id.
    DeleteException(String, Reply<Option<Arc<Exception>>>),
    Housekeeping {
        expired: Option<u32>,
        info: Option<u32>,
        reply: Reply<Housekept>,
    },
}

impl Command {
    /// About how many bytes it holds.
    pub(crate) fn weight(&self) -> usize {
        let texts = |texts: &[String]| texts.iter().map(String::len).sum::<usize>();
        match self {
            Command::Receive(incoming, _) => {
                incoming.text.len()
                    + incoming.raw_data.as_ref().map_or(0, String::len)
                    + texts(&incoming.tags)
                    + incoming.attributes.values().map(size).sum::<usize>()
            }
            Command::Change(ids, change, _) => {
                let change = match change {
                    Change::Tag(tags) | Change::Untag(tags) => texts(tags),
                    Change::Attributes(attributes) => attributes.values().map(size).sum(),
                    _ => 0,
                };
                texts(ids) + change
            }
            Command::Delete(ids, _) => texts(ids),
            Command::Heartbeat(heartbeat, _) => heartbeat.attributes.values().map(size).sum(),
            _ => 0,
        }
    }
}

/// About how many bytes a value takes.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(values) => values.iter().map(size).sum::<usize>() + 16,
        Value::Object(values) => {
            values.iter().map(|(key, value)| key.len() + size(value)).sum::<usize>() + 16
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 16,
    }
}
