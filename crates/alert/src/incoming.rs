//! What is said of an alert, before it is known whether there is such an alert already.

use std::collections::BTreeMap;

use bergfried_event::Timestamp;
use serde_json::Value;

use crate::evidence::Evidence;
use crate::status::Status;

/// What a sender, a rule or the hub itself says of one matter.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    /// The id that it comes with, a UUID; a new alert keeps it.
    pub id: String,
    /// Where it belongs.
    pub environment: String,
    /// What it is about.
    pub resource: String,
    /// What happened there.
    pub event: String,
    /// How bad it is, in a word of the [`Model`](crate::Model).
    pub severity: String,
    /// Events that are the same matter; the event itself is among them where there are any.
    pub correlate: Vec<String>,
    /// The status that the sender wants, [`Status::Open`] where it says none.
    pub status: Status,
    /// What suffers.
    pub service: Vec<String>,
    /// What kind of thing it is about (`Misc`).
    pub group: String,
    /// The measured value.
    pub value: Option<String>,
    /// One sentence for a person.
    pub text: String,
    /// Words without values.
    pub tags: Vec<String>,
    /// Anything else, by name; a null takes the attribute away.
    pub attributes: BTreeMap<String, Value>,
    /// Who says it.
    pub origin: String,
    /// What kind of alert it is (`exceptionAlert`).
    pub kind: String,
    /// When its sender made it.
    pub create_time: Timestamp,
    /// Seconds after which it expires; 0: never.
    pub timeout: u32,
    /// The data that it was made of.
    pub raw_data: Option<String>,
    /// Whose it is.
    pub customer: Option<String>,
    /// What a rule found.
    pub evidence: Option<Box<Evidence>>,
}
