//! Gathers the events of one row group into columns, and into its filter.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};
use bergfried_query::fold;
use bytes::Bytes;
use parquet::data_type::ByteArray;
use serde::ser::{SerializeMap, Serializer};

use super::columns::{FILTERED, INTS, REQUIRED, TEXTS, to_cell};
use super::filter::{FilterBuilder, Hashed, each_word, value_hash};
use super::original::{Parts, template};
use super::stretch::STRETCH;
use super::words::{WordsBuilder, is_told};
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
    /// Of the messages.
    pub(crate) words: WordsBuilder,
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
    /// In which stretch each occurred last.
    stretches: Vec<usize>,
    codes: Vec<usize>,
    pub(crate) levels: Vec<i16>,
}

/// Where a text occurred before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// In the same stretch.
    Here,
    /// In another stretch.
    Elsewhere,
    /// Nowhere.
    Nowhere,
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
    /// Adds a text; tells where it occurred before.
    fn push(&mut self, text: &str) -> Before {
        let stretch = self.levels.len() / STRETCH;
        self.levels.push(1);
        if let Some(code) = self.found.get(text) {
            self.codes.push(*code);
            let last = self.stretches.get_mut(*code).map(|last| std::mem::replace(last, stretch));
            return if last == Some(stretch) { Before::Here } else { Before::Elsewhere };
        }
        let code = self.distinct.len();
        self.found.insert(text.into(), code);
        self.distinct.push(ByteArray::from(text.as_bytes().to_vec()));
        self.stretches.push(stretch);
        self.codes.push(code);
        Before::Nowhere
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
            words: WordsBuilder::default(),
            spilled: Vec::new(),
            slots: Field::ALL.iter().map(slot).collect(),
            numbers: HashSet::default(),
        }
    }

    /// For each column of the schema whether no row has a value in it.
    pub(crate) fn without_values(&self) -> Vec<bool> {
        let texts = self.texts.iter().map(|column| &column.levels);
        let ints = self.ints.iter().map(|column| &column.levels);
        let others =
            [&self.message.levels, &self.head.levels, &self.original.levels, &self.fields.levels];
        let optional = texts.chain(ints).chain(others);
        let required = std::iter::repeat_n(false, REQUIRED.len());
        required.chain(optional.map(|levels| !levels.contains(&1))).collect()
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
            // They are the store's, and have columns of their own.
            if matches!(name, FieldName::Known(Field::EventId | Field::EventIngested)) {
                continue;
            }
            if !self.push_column(name, value) {
                rest.push((name, value));
                let FieldName::Known(field) = name else {
                    add_value_words(&mut self.filter, value);
                    continue;
                };
                self.add_to_filter(*field, value);
                if !matches!(self.slot(*field), Slot::Other) && !self.spilled.contains(field) {
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
                match column.push(&cell) {
                    Before::Here => {}
                    Before::Elsewhere => self.add_to_stretch(*field, value),
                    Before::Nowhere => self.add_to_filter(*field, value),
                }
            }
            _ => return false,
        }
        true
    }

    /// Adds what searches for a value of this field look for.
    fn add_to_filter(&mut self, field: Field, value: &Value<'_>) {
        add_value_words(&mut self.filter, value);
        if FILTERED.contains(&field) {
            each_text(value, &mut |text| self.filter.add_value(field, text));
        }
        self.add_to_stretch(field, value);
    }

    /// Adds what searches for a value of this field look for in each stretch.
    fn add_to_stretch(&mut self, field: Field, value: &Value<'_>) {
        let row = self.rows() - 1;
        if FILTERED.contains(&field) {
            each_text(value, &mut |text| self.words.add(row, value_hash(field, &fold(text))));
        }
        if field == Field::Message {
            each_text(value, &mut |text| add_message(&mut self.words, row, text));
        }
    }

    fn push_original(&mut self, event: &Event<'_>) {
        let original = event.original();
        let message = event.text(Field::Message);
        if let Some(message) = message {
            let row = self.rows() - 1;
            each_word(message, |hash, word| {
                self.filter.add(hash);
                if is_told(word) {
                    self.words.add(row, hash);
                }
            });
        }
        let parts = Parts {
            created: event.created(),
            host: event.text(Field::HostName).filter(|host| !host.starts_with('[')),
            program: event.text(Field::ProcessName).filter(|program| !program.starts_with('[')),
            pid: event.get(Field::ProcessPid).and_then(Value::as_int),
        };
        let head = message.and_then(|message| template(original, message, &parts));
        let before = message.and_then(|message| original.strip_suffix(message));
        match (head, before) {
            (Some(head), Some(before)) => {
                // The message's first word may be glued to the text before it, and its first numbers
                // may be the last of an address.
                let is_open = |last| bergfried_query::tokens::is_word(last) || last == '.';
                let glued = before.chars().next_back().is_some_and(is_open);
                self.filter.add_words(if glued { original } else { before });
                self.head.push(&head);
            }
            _ => {
                self.original.push(original);
                self.filter.add_words(original);
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
    each_text(value, &mut |text| filter.add_words(text));
}

fn add_message(words: &mut WordsBuilder, row: usize, text: &str) {
    each_word(text, |hash, word| {
        if is_told(word) {
            words.add(row, hash);
        }
    });
}

/// Visits the texts of a value, of a list those of its values.
fn each_text(value: &Value<'_>, visit: &mut dyn FnMut(&str)) {
    match value {
        Value::List(values) => values.iter().for_each(|value| each_text(value, visit)),
        value => visit(&value.to_text()),
    }
}

/// Fields as one JSON object.
pub(crate) fn to_json(fields: &[(&FieldName<'_>, &Value<'_>)]) -> Cow<'static, str> {
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
