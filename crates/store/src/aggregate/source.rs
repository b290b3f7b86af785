//! Where the values of a key or figure come from: for each row a code, for each code its values.
//!
//! Columns with dictionaries give their own codes, so that each different text is looked at once for
//! a row group, however many rows have it.

use std::rc::Rc;
use std::sync::Arc;

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};
use bergfried_query::number;

use super::Key;
use super::dictionary::Map;
use crate::encode::Wanted;
use crate::error::StoreError;
use crate::segment::bitmap::Bitmap;
use crate::segment::columns::from_cell;
use crate::segment::pages::{ABSENT, TextColumn};
use crate::segment::rows::{IntColumn, Rows};
use crate::segment::stretch::Stretches;

/// The values of some rows.
pub(super) enum Source {
    /// A text column; texts that begin like a list are lists, where it may hold such.
    Texts { column: Arc<TextColumn>, lists: bool },
    /// Whole numbers.
    Ints { codes: Vec<u32>, numbers: Vec<i64> },
    /// Times of which every row has one; its code is its row.
    Times(Rc<IntColumn>),
    /// Starts of buckets of time.
    Buckets { codes: Vec<u32>, starts: Vec<i64> },
    /// Values that had to be made row by row; lists are laid out flat, null is left out.
    Values { codes: Vec<u32>, values: Vec<Vec<Value<'static>>> },
}

impl Source {
    /// What these rows of a row group have.
    pub(super) fn of_rows(rows: &Rows<'_>, key: &Key, found: &Bitmap) -> Result<Self, StoreError> {
        let some = &Stretches::of(rows.index()?.rows, found);
        let field = match key {
            Key::Time(width) => {
                let created = rows.created(&rows.all()?)?;
                let mut buckets = Buckets::new(*width);
                created.iter().for_each(|at| buckets.push(at.unwrap_or_default()));
                return Ok(buckets.source());
            }
            Key::Field(field) => field,
        };
        if let FieldName::Known(field) = field {
            match field {
                Field::Timestamp => return Ok(Source::Times(rows.created(some)?)),
                Field::EventIngested => return Ok(Source::Times(rows.ingested(some)?)),
                Field::EventId => return Ok(Source::of_ints(&*rows.ids(some)?)),
                field => {
                    if let Some(column) = rows.whole_text(*field, some)? {
                        return Ok(Source::Texts { column, lists: *field != Field::Message });
                    }
                    if let Some(column) = rows.whole_int(*field, some)? {
                        return Ok(Source::of_ints(&column));
                    }
                }
            }
        }
        let columns = rows.columns(&Wanted::some(vec![field.clone()]), some)?;
        let mut codes = vec![ABSENT; rows.index()?.rows];
        let mut values = Vec::new();
        for row in found.rows() {
            let event = columns.event(row).map_err(|reason| rows.corrupt(reason))?;
            if let Some(code) = codes.get_mut(row) {
                *code = u32::try_from(values.len()).unwrap_or(ABSENT);
            }
            values.push(values_of(&event, field));
        }
        Ok(Source::Values { codes, values })
    }

    fn of_ints(column: &IntColumn) -> Self {
        let mut known: Map<i64, u32> = Map::default();
        let mut numbers = Vec::new();
        let mut code = |number: i64| {
            *known.entry(number).or_insert_with(|| {
                numbers.push(number);
                u32::try_from(numbers.len() - 1).unwrap_or(ABSENT)
            })
        };
        let codes = column.iter().map(|number| number.map_or(ABSENT, &mut code)).collect();
        Source::Ints { codes, numbers }
    }

    /// How many codes there are.
    pub(super) fn codes(&self) -> usize {
        match self {
            Source::Texts { column, .. } => column.distinct().len(),
            Source::Ints { numbers, .. } => numbers.len(),
            Source::Times(column) => column.len(),
            Source::Buckets { starts, .. } => starts.len(),
            Source::Values { values, .. } => values.len(),
        }
    }

    /// The code of a row, or [`ABSENT`].
    pub(super) fn code(&self, row: usize) -> u32 {
        let codes = match self {
            Source::Texts { column, .. } => return column.code(row),
            Source::Times(_) => return u32::try_from(row).unwrap_or(ABSENT),
            Source::Ints { codes, .. }
            | Source::Buckets { codes, .. }
            | Source::Values { codes, .. } => codes,
        };
        codes.get(row).copied().unwrap_or(ABSENT)
    }

    /// Visits the values of a code.
    pub(super) fn values(
        &self,
        code: usize,
        mut visit: impl FnMut(Found<'_>),
    ) -> Result<(), &'static str> {
        match self {
            Source::Texts { column, lists } => {
                let cell = column.by_code(code);
                if !lists || !cell.starts_with('[') {
                    visit(Found::Text(cell));
                    return Ok(());
                }
                let mut values = Vec::new();
                flatten(&from_cell(cell).ok_or("a list is damaged")?, &mut values);
                values.iter().for_each(|value| visit(Found::Value(value)));
            }
            Source::Ints { numbers, .. } => {
                numbers.get(code).into_iter().for_each(|number| visit(Found::Int(*number)));
            }
            Source::Times(column) => {
                column.get(code).into_iter().for_each(|micros| visit(Found::Time(micros)));
            }
            Source::Buckets { starts, .. } => {
                starts.get(code).into_iter().for_each(|start| visit(Found::Time(*start)));
            }
            Source::Values { values, .. } => {
                let values = values.get(code).into_iter().flatten();
                values.for_each(|value| visit(Found::Value(value)));
            }
        }
        Ok(())
    }
}

/// A value that a row has.
#[derive(Clone, Copy)]
pub(super) enum Found<'v> {
    Text(&'v str),
    Int(i64),
    /// In microseconds.
    Time(i64),
    /// No list, and not null.
    Value(&'v Value<'static>),
}

impl Found<'_> {
    /// Hands over its text.
    pub(super) fn text<T>(self, with: impl FnOnce(&str) -> T) -> T {
        match self {
            Found::Text(text) => with(text),
            Found::Int(number) => with(&number.to_string()),
            Found::Time(micros) => with(&Timestamp::from_micros(micros).to_string()),
            Found::Value(value) => with(&value.to_text()),
        }
    }

    /// Its number, where it is one and finite.
    #[expect(clippy::cast_precision_loss, reason = "numbers are of floating point by definition")]
    pub(super) fn number(self) -> Option<f64> {
        let number = match self {
            Found::Text(text) => number(&Value::from(text))?,
            Found::Int(number) | Found::Time(number) => number as f64,
            Found::Value(value) => number(value)?,
        };
        number.is_finite().then_some(number)
    }
}

/// Values of events, one after the other.
pub(super) enum Gathering {
    Values { field: FieldName<'static>, values: Vec<Vec<Value<'static>>> },
    Times(Buckets),
}

impl Gathering {
    pub(super) fn new(key: &Key) -> Self {
        match key {
            Key::Field(field) => Gathering::Values { field: field.clone(), values: Vec::new() },
            Key::Time(width) => Gathering::Times(Buckets::new(*width)),
        }
    }

    pub(super) fn push(&mut self, event: &Event<'_>) {
        match self {
            Gathering::Values { field, values } => values.push(values_of(event, field)),
            Gathering::Times(buckets) => buckets.push(event.created().micros()),
        }
    }

    /// What they have; each event is a row.
    pub(super) fn source(self) -> Source {
        match self {
            Gathering::Values { values, .. } => {
                let codes = (0..).take(values.len()).collect();
                Source::Values { codes, values }
            }
            Gathering::Times(buckets) => buckets.source(),
        }
    }
}

/// Buckets of time; neighbours mostly share one.
pub(super) struct Buckets {
    width: i64,
    /// The bucket of the time before, from its start on, and its code.
    last: Option<(i64, u32)>,
    known: Map<i64, u32>,
    codes: Vec<u32>,
    starts: Vec<i64>,
}

impl Buckets {
    fn new(width: i64) -> Self {
        let (known, codes, starts) = (Map::default(), Vec::new(), Vec::new());
        Buckets { width, last: None, known, codes, starts }
    }

    fn push(&mut self, micros: i64) {
        if let Some((start, code)) = self.last
            && micros >= start
            && micros.saturating_sub(start) < self.width
        {
            self.codes.push(code);
            return;
        }
        let start = Timestamp::from_micros(micros).floor_to(self.width).micros();
        let starts = &mut self.starts;
        let code = *self.known.entry(start).or_insert_with(|| {
            starts.push(start);
            u32::try_from(starts.len() - 1).unwrap_or(ABSENT)
        });
        self.last = Some((start, code));
        self.codes.push(code);
    }

    fn source(self) -> Source {
        Source::Buckets { codes: self.codes, starts: self.starts }
    }
}

/// The values of the field, those of lists one by one, without null.
fn values_of(event: &Event<'_>, field: &FieldName<'_>) -> Vec<Value<'static>> {
    let mut found = Vec::new();
    match field {
        FieldName::Known(Field::Timestamp) => found.push(event.created().to_string().into()),
        FieldName::Known(Field::EventOriginal) => found.push(event.original().to_owned().into()),
        name => {
            if let Some(value) = event.get_named(name) {
                flatten(value, &mut found);
            }
        }
    }
    found
}

fn flatten(value: &Value<'_>, into: &mut Vec<Value<'static>>) {
    match value {
        Value::Null => {}
        Value::List(values) => values.iter().for_each(|value| flatten(value, into)),
        value => into.push(value.clone().into_owned()),
    }
}
