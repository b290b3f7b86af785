//! An event: a record parsed into typed fields, its raw text kept.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::field::{Field, FieldName};
use crate::time::Timestamp;
use crate::value::Value;

/// The most fields one event keeps; what comes after is counted in [`Event::dropped_fields`].
pub const MAX_FIELDS: usize = 1024;

/// A record parsed into typed fields.
///
/// Text borrows from the record's line wherever it can. `@timestamp` and `event.original` are held
/// apart from the other fields and answered by [`Event::get`] only through
/// [`Event::created`] and [`Event::original`].
#[derive(Clone, Debug, PartialEq)]
pub struct Event<'a> {
    created: Timestamp,
    original: Cow<'a, str>,
    fields: Vec<(FieldName<'a>, Value<'a>)>,
    dropped_fields: u32,
}

impl<'a> Event<'a> {
    /// An event that happened at `created`, with its raw text and no fields yet.
    pub fn new(created: Timestamp, original: impl Into<Cow<'a, str>>) -> Self {
        Event {
            created,
            original: original.into(),
            fields: Vec::with_capacity(16),
            dropped_fields: 0,
        }
    }

    /// An event with these fields, in their order; those past [`MAX_FIELDS`] are dropped and counted
    /// on top of the `dropped_fields` that the caller had no room for.
    ///
    /// For parsers that gather fields on their own; a name given twice is kept twice.
    pub fn with_fields(
        created: Timestamp,
        original: impl Into<Cow<'a, str>>,
        mut fields: Vec<(FieldName<'a>, Value<'a>)>,
        dropped_fields: u32,
    ) -> Self {
        let surplus = u32::try_from(fields.len().saturating_sub(MAX_FIELDS)).unwrap_or(u32::MAX);
        fields.truncate(MAX_FIELDS);
        Event {
            created,
            original: original.into(),
            fields,
            dropped_fields: dropped_fields.saturating_add(surplus),
        }
    }

    /// When it happened, from the log (`@timestamp`).
    pub fn created(&self) -> Timestamp {
        self.created
    }

    /// Says when it happened.
    pub fn set_created(&mut self, created: Timestamp) {
        self.created = created;
    }

    /// The raw text (`event.original`).
    pub fn original(&self) -> &str {
        &self.original
    }

    /// The raw text, with the lifetime that it is borrowed for where it is borrowed.
    pub fn original_text(&self) -> &Cow<'a, str> {
        &self.original
    }

    /// Sets a field, in place of any value that it had.
    pub fn set(&mut self, field: Field, value: impl Into<Value<'a>>) {
        self.set_named(FieldName::Known(field), value);
    }

    /// Sets a field by any name, in place of any value that it had.
    ///
    /// A new field past [`MAX_FIELDS`] is dropped and counted.
    pub fn set_named(&mut self, name: FieldName<'a>, value: impl Into<Value<'a>>) {
        let value = value.into();
        let room = self.fields.len() < MAX_FIELDS;
        match self.fields.iter_mut().find(|(existing, _)| *existing == name) {
            Some((_, slot)) => *slot = value,
            None if room => self.fields.push((name, value)),
            None => self.dropped_fields = self.dropped_fields.saturating_add(1),
        }
    }

    /// Adds a field that the event does not have yet, without looking for one of the same name.
    ///
    /// For parsers, which know what they have set; a field pushed twice is kept twice. A field past
    /// [`MAX_FIELDS`] is dropped and counted.
    pub fn push(&mut self, field: Field, value: impl Into<Value<'a>>) {
        self.push_named(FieldName::Known(field), value);
    }

    /// As [`Event::push`], by any name.
    pub fn push_named(&mut self, name: FieldName<'a>, value: impl Into<Value<'a>>) {
        if self.fields.len() < MAX_FIELDS {
            self.fields.push((name, value.into()));
        } else {
            self.dropped_fields = self.dropped_fields.saturating_add(1);
        }
    }

    /// Removes a field; true where it was there.
    pub fn remove(&mut self, field: Field) -> bool {
        let before = self.fields.len();
        self.fields.retain(|(name, _)| *name != FieldName::Known(field));
        self.fields.len() != before
    }

    /// Takes a field of any name out, where it is there; of several of one name, the first.
    pub fn take_named(&mut self, name: &FieldName<'_>) -> Option<Value<'a>> {
        let place = self.fields.iter().position(|(existing, _)| existing == name)?;
        Some(self.fields.remove(place).1)
    }

    /// Keeps the fields for which `keep` holds; says how many went.
    pub fn retain(&mut self, mut keep: impl FnMut(&FieldName<'a>) -> bool) -> usize {
        let before = self.fields.len();
        self.fields.retain(|(name, _)| keep(name));
        before - self.fields.len()
    }

    /// The value of any field, to be changed in its place.
    pub fn get_named_mut(&mut self, name: &FieldName<'_>) -> Option<&mut Value<'a>> {
        self.fields.iter_mut().find(|(existing, _)| existing == name).map(|(_, value)| value)
    }

    /// The value of a well-known field.
    pub fn get(&self, field: Field) -> Option<&Value<'a>> {
        self.fields
            .iter()
            .find(|(name, _)| matches!(name, FieldName::Known(known) if *known == field))
            .map(|(_, value)| value)
    }

    /// The value of any field.
    pub fn get_named(&self, name: &FieldName<'_>) -> Option<&Value<'a>> {
        match name {
            FieldName::Known(field) => self.get(*field),
            FieldName::Other(text) => self
                .fields
                .iter()
                .find(|(name, _)| matches!(name, FieldName::Other(other) if other == text))
                .map(|(_, value)| value),
        }
    }

    /// The text of a well-known field, where it holds text.
    pub fn text(&self, field: Field) -> Option<&str> {
        self.get(field).and_then(Value::as_str)
    }

    /// Fields in the order they were set, without `@timestamp` and `event.original`.
    pub fn fields(&self) -> &[(FieldName<'a>, Value<'a>)] {
        &self.fields
    }

    /// How many fields did not fit.
    pub fn dropped_fields(&self) -> u32 {
        self.dropped_fields
    }

    /// The same event, owning its text.
    pub fn into_owned(self) -> Event<'static> {
        Event {
            created: self.created,
            original: Cow::Owned(self.original.into_owned()),
            fields: self
                .fields
                .into_iter()
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
            dropped_fields: self.dropped_fields,
        }
    }
}

impl Serialize for Event<'_> {
    /// One flat JSON object: `@timestamp`, then the fields by dotted name, then `event.original`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len() + 2))?;
        map.serialize_entry(Field::Timestamp.name(), &self.created)?;
        for (name, value) in &self.fields {
            map.serialize_entry(name.as_str(), value)?;
        }
        map.serialize_entry(Field::EventOriginal.name(), &self.original)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_replaces_and_get_finds_by_alias() {
        let mut event = Event::new(Timestamp::from_seconds(0), "line");
        event.set(Field::UserName, "root");
        event.set(Field::UserName, "bob");
        event.set_named(FieldName::new("sd.x"), 7);
        assert_eq!(event.fields().len(), 2);
        assert_eq!(event.get_named(&FieldName::new("user")), Some(&Value::from("bob")));
        assert_eq!(event.get_named(&FieldName::new("sd.x")), Some(&Value::Int(7)));
        assert!(event.remove(Field::UserName));
        assert_eq!(event.text(Field::UserName), None);
        assert_eq!(event.take_named(&FieldName::new("sd.x")), Some(Value::Int(7)));
        assert_eq!(event.take_named(&FieldName::new("sd.x")), None);
    }

    #[test]
    fn too_many_fields_are_counted() {
        let mut event = Event::new(Timestamp::from_seconds(0), "line");
        for index in 0..MAX_FIELDS + 3 {
            event.set_named(FieldName::new(format!("x.{index}")), 1);
        }
        assert_eq!((event.fields().len(), event.dropped_fields()), (MAX_FIELDS, 3));
    }

    #[test]
    fn serializes_flat() {
        let mut event = Event::new(Timestamp::from_seconds(0), "line");
        event.set(Field::SourcePort, 22);
        event.set(Field::EventCategory, Value::List(vec!["iam".into()]));
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            r#"{"@timestamp":"1970-01-01T00:00:00Z","source.port":22,"event.category":["iam"],"event.original":"line"}"#
        );
    }
}
