//! What people work on: alerts, their life, and what is known of senders that should be heard of.
//!
//! Pure: the time comes in as an argument, random ids too, and the same receives and actions in the
//! same order always give the same alert. Text that an attacker can write is kept as it came, cut to
//! a length; whoever shows an alert neutralises it for the place where it is shown.
//!
//! The model is Alerta's (an alert is an environment, a resource and an event of one customer), with
//! the evidence that rules found beside it. [`Alert`] is the thing, [`Incoming`] what is said of it,
//! [`Model`] the words for its severity and status.

mod act;
mod agent;
mod alert;
mod blackout;
mod bounds;
mod due;
mod edit;
mod evidence;
pub mod exception;
mod finding;
mod heartbeat;
mod history;
mod hold;
mod incoming;
mod isa;
mod model;
pub mod query;
mod receive;
mod recurrence;
mod relation;
mod schedule;
mod seen;
mod settings;
mod status;
mod transition;

pub use act::{Act, Action, SetStatus, act, set_status};
pub use alert::{Alert, Note, Trend};
pub use blackout::{Blackout, BlackoutState};
pub use bounds::{
    MAX_ATTRIBUTES, MAX_ATTRIBUTES_BYTES, MAX_LIST, MAX_NAME, MAX_NOTES, MAX_RAW_DATA, MAX_TEXT,
    TooMuch,
};
pub use due::{Step, due, step};
pub use evidence::{Evidence, MAX_EVENT_IDS};
pub use finding::of_finding;
pub use heartbeat::{Heartbeat, Pulse, UnfitHeartbeat};
pub use history::{Entry, EntryKind};
pub use hold::Hold;
pub use incoming::Incoming;
pub use model::{Machine, Model, UnknownSeverity};
pub use receive::{Received, receive, update};
pub use recurrence::InvalidRecurrence;
pub use relation::{Relation, related, relation};
pub use schedule::{InvalidSchedule, Schedule};
pub use seen::{MAX_SEEN, Seen};
pub use settings::Settings;
pub use status::{Status, UnknownStatus};
pub use transition::Refused;
