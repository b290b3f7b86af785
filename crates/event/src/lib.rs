//! The words that every other crate speaks: records, events, findings, severities, field names.
//!
//! Nothing here reads a file, a socket or a clock; time always comes in as an argument.

mod event;
mod field;
mod finding;
mod record;
mod severity;
mod shape;
mod time;
mod value;

pub use event::{Event, MAX_FIELDS};
pub use field::{Field, FieldName, nearest};
pub use finding::Finding;
pub use record::{Origin, Peer, Record, SourceKind, SpeaksFor, readable};
pub use severity::{Severity, UnknownSeverity};
pub use shape::AlertShape;
pub use time::{InvalidTimestamp, Timestamp};
pub use value::Value;
