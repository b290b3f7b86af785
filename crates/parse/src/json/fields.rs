//! Gathers the fields of one event while its text is read.

use std::borrow::Cow;

use bergfried_event::{Event, Field, FieldName, MAX_FIELDS, Timestamp, Value};

use super::flag::{Flag, Flags};
use super::slot::{Slot, Slots};
use super::{MAX_NAME, MAX_TEXT, MAX_VALUES, system, time};
use crate::Context;

/// Room left for the ECS fields that are made from the original ones.
const ROOM_FOR_ECS: usize = 64;
const CAPACITY: usize = 64;

/// Fields only the hub sets; a line that brings its own could pass for what the hub has said.
const HUB_OWN: [(Field, &str); 3] = [
    (Field::EventId, "original.event.id"),
    (Field::EventIngested, "original.event.ingested"),
    (Field::LogFlags, "original.log.flags"),
];

/// The fields so far, and what is known about them.
pub(crate) struct Fields<'a, 'c> {
    pub(crate) context: &'c Context<'c>,
    list: Vec<(FieldName<'a>, Value<'a>)>,
    /// Which well-known fields are in the list, by [`Field::index`].
    known: [u64; 4],
    /// Which other names may be in the list, by a hash of each.
    others: [u64; 4],
    slots: Slots,
    /// When it happened, and how much that name is to be trusted (lowest first).
    created: Option<(u8, Timestamp)>,
    /// Whether the object has the parts of a Windows event.
    pub(crate) windows: bool,
    /// The line that a shipper made the object of, as `event.original`.
    pub(crate) original: Option<Cow<'a, str>>,
    values: usize,
    dropped: u32,
    flags: Flags,
}

impl<'a, 'c> Fields<'a, 'c> {
    pub(crate) fn new(context: &'c Context<'c>) -> Self {
        Fields {
            context,
            list: Vec::with_capacity(CAPACITY),
            known: [0; 4],
            others: [0; 4],
            slots: Slots::default(),
            created: None,
            windows: false,
            original: None,
            values: 0,
            dropped: 0,
            flags: Flags::default(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn raise(&mut self, flag: Flag) {
        self.flags.raise(flag);
    }

    /// Whether this is an event of Windows.
    pub(crate) fn is_windows(&self) -> bool {
        self.windows || self.slot(Slot::EventID).is_some()
    }

    /// Counts a field that is left out.
    pub(crate) fn drop_one(&mut self, flag: Flag) {
        self.flags.raise(flag);
        self.dropped = self.dropped.saturating_add(1);
    }

    /// The value as it is kept, where there is room for one more; one that has none is counted.
    pub(crate) fn admit(&mut self, value: Value<'a>) -> Option<Value<'a>> {
        if self.values >= MAX_VALUES {
            self.drop_one(Flag::TooMany);
            return None;
        }
        self.values += 1;
        Some(match value {
            Value::Text(text) if text.len() > MAX_TEXT => self.cut(text),
            value => value,
        })
    }

    fn cut(&mut self, text: Cow<'a, str>) -> Value<'a> {
        self.flags.raise(Flag::TooLong);
        let end = text.floor_char_boundary(MAX_TEXT);
        Value::Text(match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.get(..end).unwrap_or(text)),
            Cow::Owned(mut text) => {
                text.truncate(end);
                Cow::Owned(text)
            }
        })
    }

    /// Adds a field that stands at the top of the object.
    pub(crate) fn add(&mut self, name: Cow<'a, str>, value: Value<'a>) {
        self.note_time(&name, &value);
        match known(&name) {
            Some(field) => self.add_field(field, &name, value),
            None => self.add_other(name, value),
        }
    }

    /// Adds a field that stands deeper, by its dotted name.
    pub(crate) fn add_path(&mut self, name: &str, value: Value<'a>) {
        match known(name) {
            Some(field) => {
                if field == Field::Timestamp {
                    self.note_time(name, &value);
                }
                self.add_field(field, name, value);
            }
            None => match name.strip_prefix("winlog.").and_then(system::winlog_name) {
                Some(name) => self.add_other(Cow::Borrowed(name), value),
                None => self.add_other(Cow::Owned(name.to_owned()), value),
            },
        }
    }

    /// Adds a field of a Windows event by its short name.
    pub(crate) fn add_original(&mut self, name: Cow<'a, str>, value: Value<'a>) {
        if name == "UtcTime" {
            self.note_time(&name, &value);
        }
        self.add_other(name, value);
    }

    /// Adds an element or attribute of `System`; an empty one says nothing.
    pub(crate) fn add_element(&mut self, name: Cow<'a, str>, value: Value<'a>) {
        if matches!(name.as_ref(), "SystemTime" | "TimeCreated") {
            self.note_time(&name, &value);
        } else if !matches!(&value, Value::Null) && value.as_str() != Some("") {
            self.add_other(name, value);
        }
    }

    /// Adds a well-known field, which the object calls by this name.
    fn add_field(&mut self, field: Field, name: &str, value: Value<'a>) {
        match field {
            // Held apart from the other fields by every event.
            Field::Timestamp => {}
            Field::EventOriginal => {
                if let Value::Text(text) = value {
                    self.original = Some(text);
                }
            }
            _ if let Some((_, renamed)) = HUB_OWN.iter().find(|(own, _)| *own == field) => {
                self.add_other(Cow::Borrowed(renamed), value);
            }
            // Python's shippers call the number of the process what others call its name.
            Field::ProcessName if name != field.name() && matches!(value, Value::Int(_)) => {
                self.add_field(Field::ProcessPid, name, value);
            }
            // An alias beside the field itself stays what it was called.
            _ if self.has(field) && name != field.name() => {
                self.add_other(Cow::Owned(name.to_owned()), value);
            }
            _ => self.add_known(field, value),
        }
    }

    /// Adds a field under its original name; one that is there already becomes a list.
    pub(crate) fn add_other(&mut self, name: Cow<'a, str>, value: Value<'a>) {
        if name.len() > MAX_NAME {
            self.drop_one(Flag::TooLong);
            return;
        }
        let slot = Slot::of(&name);
        let (word, bit) = place_of(&name);
        let maybe_there = self.others.get(word).is_some_and(|bits| bits & bit != 0);
        if maybe_there && let Some(existing) = self.find_other(&name) {
            join(existing, value);
            return;
        }
        if self.list.len() >= MAX_FIELDS - ROOM_FOR_ECS {
            self.drop_one(Flag::TooMany);
            return;
        }
        if let Some(bits) = self.others.get_mut(word) {
            *bits |= bit;
        }
        if let Some(slot) = slot {
            self.slots.set(slot, self.list.len());
        }
        self.list.push((FieldName::Other(name), value));
    }

    fn add_known(&mut self, field: Field, value: Value<'a>) {
        if self.has(field) {
            let existing = self.list.iter_mut().find(|(name, _)| *name == FieldName::Known(field));
            if let Some((_, existing)) = existing {
                join(existing, value);
            }
        } else if self.list.len() < MAX_FIELDS - ROOM_FOR_ECS {
            self.push_known(field, value);
        } else {
            self.drop_one(Flag::TooMany);
        }
    }

    /// Sets a well-known field that the event does not have yet.
    pub(crate) fn set_missing(&mut self, field: Field, value: impl Into<Value<'a>>) {
        if !self.has(field) && self.list.len() < MAX_FIELDS {
            self.push_known(field, value.into());
        }
    }

    fn push_known(&mut self, field: Field, value: Value<'a>) {
        if let Some(bits) = self.known.get_mut(field.index() / 64) {
            *bits |= 1 << (field.index() % 64);
        }
        self.list.push((FieldName::Known(field), value));
    }

    pub(crate) fn has(&self, field: Field) -> bool {
        let bits = self.known.get(field.index() / 64).copied().unwrap_or(0);
        bits & 1 << (field.index() % 64) != 0
    }

    fn find_other(&mut self, name: &str) -> Option<&mut Value<'a>> {
        self.list
            .iter_mut()
            .find(|(known, _)| matches!(known, FieldName::Other(other) if other == name))
            .map(|(_, value)| value)
    }

    /// The value of a Windows field.
    pub(crate) fn slot(&self, slot: Slot) -> Option<&Value<'a>> {
        self.list.get(self.slots.get(slot)?).map(|(_, value)| value)
    }

    pub(crate) fn slot_mut(&mut self, slot: Slot) -> Option<&mut Value<'a>> {
        self.list.get_mut(self.slots.get(slot)?).map(|(_, value)| value)
    }

    /// The text of a well-known field.
    pub(crate) fn text_of(&self, field: Field) -> Option<&Cow<'a, str>> {
        if !self.has(field) {
            return None;
        }
        let value = self.list.iter().find(|(name, _)| *name == FieldName::Known(field));
        match value {
            Some((_, Value::Text(text))) => Some(text),
            _ => None,
        }
    }

    /// Whether the object says when it happened, in a form that could be read.
    pub(crate) fn has_time(&self) -> bool {
        self.created.is_some()
    }

    /// Takes a time stamp that is better than the one so far; 0 is the best.
    pub(crate) fn note_created(&mut self, rank: u8, created: Option<Timestamp>) {
        let better = self.created.is_none_or(|(known, _)| rank < known);
        if let (true, Some(created)) = (better, created) {
            self.created = Some((rank, created));
        }
    }

    /// Takes the time of a field whose name says that it is one.
    pub(crate) fn note_time(&mut self, name: &str, value: &Value<'a>) {
        if let Some(rank) = time::rank(name) {
            let created = time::read(name, value, self.context);
            self.note_created(rank, created);
        }
    }

    pub(crate) fn into_event(mut self, original: &'a str) -> Event<'a> {
        if let Some(flags) = self.flags.value() {
            self.set_missing(Field::LogFlags, flags);
        }
        let created = self.created.map_or(self.context.received, |(_, created)| created);
        Event::with_fields(created, original, self.list, self.dropped)
    }
}

/// The well-known field of this name; those and their aliases begin with a small letter or `@`.
fn known(name: &str) -> Option<Field> {
    let first = name.as_bytes().first()?;
    if first.is_ascii_lowercase() || *first == b'@' { Field::from_name(name) } else { None }
}

/// Adds a value to one that is there: both are kept, as a list, unless they are the same.
fn join<'a>(existing: &mut Value<'a>, value: Value<'a>) {
    if *existing == value {
        return;
    }
    let mut list = match std::mem::replace(existing, Value::Null) {
        Value::List(list) => list,
        single => vec![single],
    };
    match value {
        Value::List(values) => list.extend(values),
        value => list.push(value),
    }
    *existing = Value::List(list);
}

/// The bit of a name among 256, from its length, start and end.
fn place_of(name: &str) -> (usize, u64) {
    let bytes = name.as_bytes();
    let byte = |at: usize| u32::from(bytes.get(at).copied().unwrap_or_default());
    let length = bytes.len();
    let hash = (length as u32)
        .wrapping_mul(0x9e37_79b1)
        .wrapping_add(byte(0).wrapping_mul(0x85eb_ca6b))
        .wrapping_add(byte(length / 2).wrapping_mul(0xc2b2_ae35))
        .wrapping_add(byte(length.saturating_sub(1)).wrapping_mul(0x27d4_eb2f))
        .wrapping_add(byte(length.saturating_sub(3)).wrapping_mul(0x1656_67b1));
    let index = (hash >> 24) as usize;
    (index / 64, 1 << (index % 64))
}
