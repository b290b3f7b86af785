//! What an action works with besides the event: its bounds, its counters, and who watches.

use std::borrow::Cow;

use bergfried_event::{Event, Field, FieldName, Value};
use bergfried_grok::Captures;
use bergfried_parse::Context;

use crate::meter::PatternMeter;
use crate::name;
use crate::trace::PatternTrace;

/// The longest text of one value that a chain sets, in bytes; the rest is cut off.
pub(crate) const MAX_TEXT: usize = 256 * 1024;
/// The most bytes that all chains together may set in one event; what comes after is left out.
pub(crate) const MAX_WRITTEN: usize = 4 << 20;
/// The most values of one list.
pub(crate) const MAX_LIST: usize = 1024;
/// The word in `log.flags` of an event in which something was cut or left out.
const CUT: &str = "too_long_value";

/// The surroundings of an action.
pub(crate) struct Scene<'s> {
    /// When the record was received, and its time zone.
    pub(crate) context: &'s Context<'s>,
    /// The counters of the step's patterns.
    pub(crate) patterns: &'s mut [PatternMeter],
    /// A clock in nanoseconds, where this event is one of those that are measured.
    pub(crate) clock: Option<&'s (dyn Fn() -> u64 + Send)>,
    /// Where somebody watches: what became of each pattern.
    pub(crate) watched: Option<&'s mut Vec<PatternTrace>>,
    /// Memory for the captures of one text.
    pub(crate) captures: &'s mut Captures,
    /// A number from 0 to 99 that goes round with the events that come to the step.
    pub(crate) turn: u64,
    pub(crate) room: &'s mut Room,
}

/// How much may still be set in an event.
#[derive(Debug)]
pub(crate) struct Room {
    bytes: usize,
    cut: bool,
}

impl Room {
    pub(crate) fn new() -> Room {
        Room { bytes: MAX_WRITTEN, cut: false }
    }

    /// The value as it is kept; `None` where there is no more room.
    fn admit<'e>(&mut self, value: Value<'e>) -> Option<Value<'e>> {
        let value = match value {
            Value::Text(text) => {
                let text = self.shortened(text);
                self.bytes = self.bytes.checked_sub(text.len()).or_else(|| {
                    self.cut = true;
                    None
                })?;
                Value::Text(text)
            }
            Value::List(values) => {
                self.cut |= values.len() > MAX_LIST;
                let kept = values.into_iter().take(MAX_LIST);
                Value::List(kept.filter_map(|value| self.admit(value)).collect())
            }
            other => other,
        };
        Some(value)
    }

    fn shortened<'e>(&mut self, text: Cow<'e, str>) -> Cow<'e, str> {
        if text.len() <= MAX_TEXT {
            return text;
        }
        self.cut = true;
        let end = text.floor_char_boundary(MAX_TEXT);
        match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.get(..end).unwrap_or(text)),
            Cow::Owned(mut text) => {
                text.truncate(end);
                Cow::Owned(text)
            }
        }
    }

    /// Says in the event that something was cut.
    pub(crate) fn flag(&self, event: &mut Event<'_>) {
        if self.cut {
            match event.get_named_mut(&FieldName::Known(Field::LogFlags)) {
                Some(flags) => join(flags, CUT.into()),
                None => event.set(Field::LogFlags, CUT),
            }
        }
    }
}

impl Scene<'_> {
    /// Sets a field, in place of what it had.
    pub(crate) fn set<'e>(
        &mut self,
        event: &mut Event<'e>,
        name: FieldName<'e>,
        value: impl Into<Value<'e>>,
    ) {
        if let Some(value) = self.room.admit(value.into()) {
            event.set_named(name, value);
        }
    }

    /// Adds a value to a field: what it had and this become a list.
    pub(crate) fn append<'e>(
        &mut self,
        event: &mut Event<'e>,
        name: FieldName<'e>,
        value: impl Into<Value<'e>>,
    ) {
        let Some(value) = self.room.admit(value.into()) else { return };
        match event.get_named_mut(&name) {
            Some(existing) => append(existing, value),
            None => event.set_named(name, value),
        }
    }

    /// Sets a field that the text of the event names, below the target where there is one.
    ///
    /// At the top a text cannot set what only the hub or the envelope says; see [`name::found`].
    pub(crate) fn found<'e>(
        &mut self,
        event: &mut Event<'e>,
        target: Option<&str>,
        name: &str,
        value: impl Into<Value<'e>>,
    ) {
        let name = match target {
            Some(target) => FieldName::new(format!("{target}.{name}")),
            None => name::found(name),
        };
        if let Some(name) = self.allowed(name) {
            self.set(event, name, value);
        }
    }

    /// The name under which a field that a text names may be set; none where it is too long.
    pub(crate) fn allowed(&mut self, name: FieldName<'static>) -> Option<FieldName<'static>> {
        if name.as_str().len() > name::MAX_NAME {
            self.room.cut = true;
            None
        } else if name::is_read_only(&name) {
            Some(FieldName::Other(format!("original.{}", name.as_str()).into()))
        } else {
            Some(name)
        }
    }
}

/// Adds to a value: both become a list, of at most [`MAX_LIST`].
pub(crate) fn append<'e>(existing: &mut Value<'e>, value: Value<'e>) {
    let mut list = match std::mem::replace(existing, Value::Null) {
        Value::List(list) => list,
        single => vec![single],
    };
    match value {
        Value::List(values) => list.extend(values),
        value => list.push(value),
    }
    list.truncate(MAX_LIST);
    *existing = Value::List(list);
}

/// Adds a word to a value where it is not among it yet; one alone stays alone.
fn join<'e>(existing: &mut Value<'e>, value: Value<'e>) {
    let known = match &*existing {
        Value::List(list) => list.contains(&value),
        single => *single == value,
    };
    if !known {
        append(existing, value);
    }
}

/// Adds a word to `tags`, unless it is there.
pub(crate) fn add_tag<'e>(event: &mut Event<'e>, tag: impl Into<Value<'e>>) {
    match event.get_named_mut(&FieldName::Known(Field::Tags)) {
        Some(tags) => join(tags, tag.into()),
        None => event.set(Field::Tags, Value::List(vec![tag.into()])),
    }
}

/// Removes a word from `tags`; the last one takes the field with it.
pub(crate) fn remove_tag(event: &mut Event<'_>, tag: &str) {
    let tags = FieldName::Known(Field::Tags);
    let empty = match event.get_named_mut(&tags) {
        Some(Value::List(list)) => {
            list.retain(|known| known.as_str() != Some(tag));
            list.is_empty()
        }
        Some(single) => single.as_str() == Some(tag),
        None => false,
    };
    if empty {
        event.remove(Field::Tags);
    }
}

/// The text of a field; borrowed from the record where the field is. Of a list, the first text.
pub(crate) fn text<'e>(event: &Event<'e>, name: &FieldName<'_>) -> Option<Cow<'e, str>> {
    match name::value(event, name)? {
        Value::Null => None,
        Value::Text(text) => Some(text),
        Value::List(values) => values.into_iter().find_map(|value| match value {
            Value::Text(text) => Some(text),
            _ => None,
        }),
        other => Some(Cow::Owned(other.to_text().into_owned())),
    }
}

/// A part of a text, borrowed from the record where the text is.
pub(crate) fn part<'e>(text: &Cow<'e, str>, part: &str) -> Cow<'e, str> {
    if let Cow::Borrowed(text) = *text {
        let start = part.as_ptr().addr().wrapping_sub(text.as_ptr().addr());
        if let Some(same) = text.get(start..start.wrapping_add(part.len()))
            && same == part
        {
            return Cow::Borrowed(same);
        }
    }
    Cow::Owned(part.to_owned())
}
