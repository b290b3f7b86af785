//! Gathers the events of one row group into columns, and into its filter.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};
use bytes::Bytes;
use parquet::data_type::ByteArray;
use serde::ser::{SerializeMap, Serializer};

use super::columns::{FILTERED, INTS, TEXTS, to_cell};
use super::filter::{FilterBuilder, Hashed};
use super::original::{Parts, template};
use crate::text_hash::TextHasher;

/// Columns of one row group.
pub(crate) struct RowGroup {
    pub(crate) created: Vec<i64>,
    pub(crate) ingested: Vec<i64>,
    pub(crate) ids: Vec<i64>,
    /// In the order of [`TEXTS`].
    pub(crate) texts: Vec<Dictionary>,
    /// In the order of [`INTS`].
    pub(crate) ints: Vec<Ints>,
    pub(crate) message: Texts,
    pub(crate) head: Dictionary,
    pub(crate) original: Texts,
    pub(crate) fields: Texts,
    pub(crate) filter: FilterBuilder,
    /// Fields that have a column, but also values that it cannot hold.
    pub(crate) spilled: Vec<Field>,
    slots: Vec<Slot>,
    numbers: HashSet<i64, BuildHasherDefault<Hashed>>,
}

#[derive(Clone, Copy)]
enum Slot {
    Text(usize),
    Int(usize),
    Message,
    Other,
}

/// A column whose texts repeat.
#[derive(Default)]
pub(crate) struct Dictionary {
    found: HashMap<Box<str>, usize, BuildHasherDefault<TextHasher>>,
    distinct: Vec<ByteArray>,
    codes: Vec<usize>,
    pub(crate) levels: Vec<i16>,
}

/// A column whose texts do not.
#[derive(Default)]
pub(crate) struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    pub(crate) levels: Vec<i16>,
}

/// A column of whole numbers.
#[derive(Default)]
pub(crate) struct Ints {
    pub(crate) values: Vec<i64>,
    pub(crate) levels: Vec<i16>,
}

impl Dictionary {
    /// Adds a text; true where it is the first of its kind.
    fn push(&mut self, text: &str) -> bool {
        self.levels.push(1);
        if let Some(code) = self.found.get(text) {
            self.codes.push(*code);
            return false;
        }
        let code = self.distinct.len();
        self.found.insert(text.into(), code);
        self.distinct.push(ByteArray::from(text.as_bytes().to_vec()));
        self.codes.push(code);
        true
    }

    /// The texts, row by row, without the absent ones.
    pub(crate) fn values(&self) -> Vec<ByteArray> {
        self.codes.iter().filter_map(|code| self.distinct.get(*code).cloned()).collect()
    }
}

impl Texts {
    fn push(&mut self, text: &str) {
        self.levels.push(1);
        self.bytes.extend_from_slice(text.as_bytes());
        self.ends.push(self.bytes.len());
    }

    /// The texts, row by row, without the absent ones; takes them out.
    pub(crate) fn take_values(&mut self) -> Vec<ByteArray> {
        let bytes = Bytes::from(std::mem::take(&mut self.bytes));
        let mut start = 0;
        let cut = |end: usize| {
            let text = bytes.slice(start..end);
            start = end;
            ByteArray::from(text)
        };
        std::mem::take(&mut self.ends).into_iter().map(cut).collect()
    }
}

impl RowGroup {
    pub(crate) fn new() -> Self {
        let slot = |field: &Field| {
            if *field == Field::Message {
                return Slot::Message;
            }
            let text = TEXTS.iter().position(|text| text == field).map(Slot::Text);
            let int = || INTS.iter().position(|int| int == field).map(Slot::Int);
            text.or_else(int).unwrap_or(Slot::Other)
        };
        RowGroup {
            created: Vec::new(),
            ingested: Vec::new(),
            ids: Vec::new(),
            texts: TEXTS.iter().map(|_| Dictionary::default()).collect(),
            ints: INTS.iter().map(|_| Ints::default()).collect(),
            message: Texts::default(),
            head: Dictionary::default(),
            original: Texts::default(),
            fields: Texts::default(),
            filter: FilterBuilder::new(),
            spilled: Vec::new(),
            slots: Field::ALL.iter().map(slot).collect(),
            numbers: HashSet::default(),
        }
    }

    /// How many rows.
    pub(crate) fn rows(&self) -> usize {
        self.created.len()
    }

    /// Adds an event.
    pub(crate) fn push(&mut self, id: u64, ingested: Timestamp, event: &Event<'_>) {
        self.created.push(event.created().micros());
        self.ingested.push(ingested.micros());
        self.ids.push(id.cast_signed());
        let mut rest: Vec<(&FieldName<'_>, &Value<'_>)> = Vec::new();
        for (name, value) in event.fields() {
            if !self.push_column(name, value) {
                rest.push((name, value));
                add_value_words(&mut self.filter, value);
                if let FieldName::Known(field) = name
                    && !matches!(self.slot(*field), Slot::Other)
                    && !self.spilled.contains(field)
                {
                    self.spilled.push(*field);
                }
            }
        }
        if !rest.is_empty() {
            self.fields.push(&to_json(&rest));
        }
        self.push_original(event);
        self.fill_absent();
    }

    fn slot(&self, field: Field) -> Slot {
        self.slots.get(field.index()).copied().unwrap_or(Slot::Other)
    }

    /// Adds the value to its column; false where it has none that can hold it.
    fn push_column(&mut self, name: &FieldName<'_>, value: &Value<'_>) -> bool {
        let FieldName::Known(field) = name else { return false };
        match (self.slot(*field), value) {
            (Slot::Message, Value::Text(text)) => self.message.push(text),
            (Slot::Int(column), Value::Int(number)) => {
                let Some(column) = self.ints.get_mut(column) else { return false };
                column.levels.push(1);
                column.values.push(*number);
                if self.numbers.insert(*number) {
                    self.filter.add_words(&number.to_string());
                }
            }
            (Slot::Text(column), value) => {
                let (Some(cell), Some(column)) = (to_cell(value), self.texts.get_mut(column))
                else {
                    return false;
                };
                if column.push(&cell) {
                    add_value_words(&mut self.filter, value);
                    if FILTERED.contains(field) {
                        add_whole_values(&mut self.filter, *field, value);
                    }
                }
            }
            _ => return false,
        }
        true
    }

    fn push_original(&mut self, event: &Event<'_>) {
        let original = event.original();
        self.filter.add_words(original);
        let message = event.text(Field::Message);
        let parts = Parts {
            created: event.created(),
            host: event.text(Field::HostName).filter(|host| !host.starts_with('[')),
            program: event.text(Field::ProcessName).filter(|program| !program.starts_with('[')),
            pid: event.get(Field::ProcessPid).and_then(Value::as_int),
        };
        match message.and_then(|message| template(original, message, &parts)) {
            Some(head) => {
                // The message's first word may be glued to the text before it.
                let glued = head.chars().next_back().is_some_and(bergfried_query::tokens::is_word);
                self.head.push(&head);
                if glued {
                    self.filter.add_words(message.unwrap_or_default());
                }
            }
            None => {
                self.original.push(original);
                self.filter.add_words(message.unwrap_or_default());
            }
        }
    }

    fn fill_absent(&mut self) {
        let rows = self.rows();
        let texts = self.texts.iter_mut().map(|column| &mut column.levels);
        let ints = self.ints.iter_mut().map(|column| &mut column.levels);
        let others = [
            &mut self.message.levels,
            &mut self.head.levels,
            &mut self.original.levels,
            &mut self.fields.levels,
        ];
        for levels in texts.chain(ints).chain(others) {
            if levels.len() < rows {
                levels.push(0);
            }
        }
    }
}

fn add_value_words(filter: &mut FilterBuilder, value: &Value<'_>) {
    match value {
        Value::List(values) => values.iter().for_each(|value| add_value_words(filter, value)),
        value => filter.add_words(&value.to_text()),
    }
}

fn add_whole_values(filter: &mut FilterBuilder, field: Field, value: &Value<'_>) {
    match value {
        Value::List(values) => {
            values.iter().for_each(|value| add_whole_values(filter, field, value));
        }
        value => filter.add_value(field, &value.to_text()),
    }
}

fn to_json(fields: &[(&FieldName<'_>, &Value<'_>)]) -> Cow<'static, str> {
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::new(&mut out);
    let written = serializer.serialize_map(None).and_then(|mut map| {
        for (name, value) in fields {
            map.serialize_entry(name.as_str(), value)?;
        }
        map.end()
    });
    // Text keys and these values always serialize, into memory and as UTF-8.
    match (written, String::from_utf8(out)) {
        (Ok(()), Ok(json)) => Cow::Owned(json),
        _ => Cow::Borrowed("{}"),
    }
}
