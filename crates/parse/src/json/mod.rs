//! JSON log lines: one object becomes one event, whatever program wrote it.
//!
//! Text without escapes is borrowed from the line; no tree is built. What an object means is read
//! from what it carries, never from a setting:
//!
//! | shape | told by | fields |
//! |---|---|---|
//! | Windows, nested | `Event.System`, `Event.EventData`, `Event.UserData` | short original names and ECS |
//! | Windows, flat (also NXLog) | `EventID` | original names and ECS |
//! | Winlogbeat | `winlog.event_data` | short original names and ECS |
//! | journald | `__REALTIME_TIMESTAMP` | as [`crate::SourceKind::Journald`] |
//! | Falco, Suricata, Docker's events, Pi-hole's rows, macOS' log | the names that each always writes | see the module `products` |
//! | a log line in a document | `message`, `log`, `MESSAGE` | see the module `shipped` |
//! | anything else | | dotted names, ECS where the name is ECS or an alias of it |
//!
//! Rules of all shapes: objects nest as dotted names; arrays become lists; a name that comes twice
//! (also `a.b` of an array of objects) becomes the list of all its values, so that no value hides
//! another. The fields that only the hub may set (`event.id`, `event.ingested`, `log.flags`) are
//! kept under `original.`.
//!
//! Bounds: [`MAX_DEPTH`], [`MAX_NAME`], [`MAX_VALUES`] and [`MAX_TEXT`]; what does not fit is left out, and
//! `log.flags` says so. What was kept is still matched.

mod fields;
mod flag;
mod products;
mod reader;
mod shipped;
mod slot;
mod system;
mod time;
mod walk;
mod windows;

use bergfried_event::{Event, Field, Value};

use crate::text::number;
use crate::{Context, push_host};
pub(crate) use fields::Fields;
pub(crate) use flag::Flag;
use reader::Fault;
pub(crate) use system::{attribute_name, is_named_by};

/// Objects and arrays nested deeper than this are left out.
pub(crate) const MAX_DEPTH: usize = 32;
/// The most values of one event, all elements of lists counted.
pub(crate) const MAX_VALUES: usize = 4096;
/// The longest dotted name of a field, in bytes; a field with a longer one is left out.
pub(crate) const MAX_NAME: usize = 1024;
/// The longest text of one value, in bytes; the rest is cut off.
pub(crate) const MAX_TEXT: usize = 256 * 1024;

/// What came of reading a text as JSON.
pub(crate) enum Read<'a> {
    /// The event of the object.
    Event(Event<'a>),
    /// An entry of a journal, to be read as one.
    Journal,
    /// No JSON object.
    Nothing,
}

/// Reads one object; one that ends in the middle gives what came before, flagged.
pub(crate) fn read<'a>(text: &'a str, context: &Context<'_>) -> Read<'a> {
    let mut fields = Fields::new(context);
    match walk::object(text, &mut fields) {
        Ok(()) => {}
        Err(Fault::Cut) if !fields.is_empty() => fields.raise(Flag::Cut),
        Err(Fault::Journal) => return Read::Journal,
        Err(Fault::Cut | Fault::Broken) => return Read::Nothing,
    }
    Read::Event(finish(fields, text))
}

/// The event of what was gathered.
pub(crate) fn finish<'a>(mut fields: Fields<'a, '_>, text: &'a str) -> Event<'a> {
    windows::complete(&mut fields);
    let shipped = !fields.is_windows();
    let original = fields.original.take();
    let (context, has_time) = (fields.context, fields.has_time());
    let mut event = fields.into_event(text);
    if shipped && !products::complete(&mut event, has_time) {
        shipped::complete(&mut event, original, context);
    }
    if event.get(Field::HostName).is_none() {
        push_host(&mut event, None, context);
    }
    event
}

/// A whole number, also where it is written as a text.
fn whole(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Text(text) => number(text.as_bytes()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
