//! One row group, its columns read as they are asked for.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::fs::File;
use std::rc::Rc;
use std::sync::Arc;

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::Int64Type;

use super::columns::{
    CREATED, FIELDS, HEAD, ID, INGESTED, INTS, MESSAGE, ORIGINAL, TEXTS, from_cell,
};
use super::index::RowGroupIndex;
use super::open::{Loaded, Segment};
use super::original::{Parts, render};
use super::pages::TextColumn;
use crate::encode::Wanted;
use crate::error::StoreError;

/// A column of whole numbers.
#[derive(Debug, Default)]
pub(crate) struct IntColumn {
    values: Vec<i64>,
    /// For each row whether it has a number; empty where all have.
    present: Vec<bool>,
}

impl IntColumn {
    /// The number of every row.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Option<i64>> + '_ {
        self.values
            .iter()
            .enumerate()
            .map(|(row, value)| self.present.get(row).copied().unwrap_or(true).then_some(*value))
    }

    /// The first row whose number does not meet `before`, in a column without absent rows whose
    /// first rows all do.
    pub(crate) fn partition_point(&self, before: impl Fn(i64) -> bool) -> usize {
        self.values.partition_point(|value| before(*value))
    }

    /// The number of a row.
    pub(crate) fn get(&self, row: usize) -> Option<i64> {
        let value = *self.values.get(row)?;
        self.present.get(row).copied().unwrap_or(true).then_some(value)
    }
}

/// A row group being read.
pub(crate) struct Rows<'s> {
    segment: &'s Segment,
    loaded: Arc<Loaded>,
    group: usize,
    /// Only these rows are asked for (ascending); others may be absent from text columns.
    wanted: Option<Vec<usize>>,
    file: OnceCell<File>,
    texts: RefCell<HashMap<&'static str, Arc<TextColumn>>>,
    ints: RefCell<HashMap<&'static str, Rc<IntColumn>>>,
}

impl<'s> Rows<'s> {
    pub(crate) fn new(
        segment: &'s Segment,
        loaded: Arc<Loaded>,
        group: usize,
        wanted: Option<Vec<usize>>,
    ) -> Self {
        Rows {
            segment,
            loaded,
            group,
            wanted,
            file: OnceCell::new(),
            texts: RefCell::default(),
            ints: RefCell::default(),
        }
    }

    /// What the index says of it.
    pub(crate) fn index(&self) -> Result<&RowGroupIndex, StoreError> {
        self.loaded.index.row_groups.get(self.group).ok_or_else(|| self.corrupt("no row group"))
    }

    /// When each row's event happened, ascending.
    pub(crate) fn created(&self) -> Result<Rc<IntColumn>, StoreError> {
        self.ints(CREATED)
    }

    /// Each row's id.
    pub(crate) fn ids(&self) -> Result<Rc<IntColumn>, StoreError> {
        self.ints(ID)
    }

    /// When the hub took each row's event.
    pub(crate) fn ingested(&self) -> Result<Rc<IntColumn>, StoreError> {
        self.ints(INGESTED)
    }

    /// The text column of a field, where it holds all of the field's values.
    pub(crate) fn whole_text(&self, field: Field) -> Result<Option<Arc<TextColumn>>, StoreError> {
        let has = TEXTS.contains(&field) || field == Field::Message;
        if !has || !self.holds_all(field)? {
            return Ok(None);
        }
        self.texts(field.name()).map(Some)
    }

    /// The number column of a field, where it holds all of the field's values.
    pub(crate) fn whole_int(&self, field: Field) -> Result<Option<Rc<IntColumn>>, StoreError> {
        if !INTS.contains(&field) || !self.holds_all(field)? {
            return Ok(None);
        }
        self.ints(field.name()).map(Some)
    }

    /// Whether the field has a column in this file and no values beside it.
    fn holds_all(&self, field: Field) -> Result<bool, StoreError> {
        Ok(self.position(field.name()).is_some() && !self.index()?.has_spilled(field))
    }

    /// A text column by name; all rows absent where the file has none.
    fn texts(&self, name: &'static str) -> Result<Arc<TextColumn>, StoreError> {
        if let Some(column) = self.texts.borrow().get(name) {
            return Ok(Arc::clone(column));
        }
        let rows = self.index()?.rows;
        let column = match self.position(name) {
            Some(position) => {
                let pages = self.segment.pages(self.file()?, &self.loaded, self.group, position)?;
                TextColumn::read(pages, rows, self.wanted.as_deref())
                    .map_err(|reason| self.corrupt(&format!("{reason} in column {name}")))?
            }
            None => TextColumn::absent(rows),
        };
        let column = Arc::new(column);
        self.texts.borrow_mut().insert(name, Arc::clone(&column));
        Ok(column)
    }

    fn ints(&self, name: &'static str) -> Result<Rc<IntColumn>, StoreError> {
        if let Some(column) = self.ints.borrow().get(name) {
            return Ok(Rc::clone(column));
        }
        let rows = self.index()?.rows;
        let column = match self.position(name) {
            Some(position) => self.read_ints(position, rows)?,
            None => IntColumn { values: vec![0; rows], present: vec![false; rows] },
        };
        let column = Rc::new(column);
        self.ints.borrow_mut().insert(name, Rc::clone(&column));
        Ok(column)
    }

    fn read_ints(&self, position: usize, rows: usize) -> Result<IntColumn, StoreError> {
        let pages = self.segment.pages(self.file()?, &self.loaded, self.group, position)?;
        let schema = self.loaded.metadata.file_metadata().schema_descr();
        let descriptor = schema.column(position);
        let optional = descriptor.max_def_level() > 0;
        let mut reader = ColumnReaderImpl::<Int64Type>::new(descriptor, Box::new(pages));
        let (mut levels, mut packed) = (Vec::new(), Vec::new());
        let (read, ..) = reader
            .read_records(rows, optional.then_some(&mut levels), None, &mut packed)
            .map_err(|error| self.corrupt(&error.to_string()))?;
        if read != rows {
            return Err(self.corrupt("a column has too few rows"));
        }
        if packed.len() == rows {
            return Ok(IntColumn { values: packed, present: Vec::new() });
        }
        let present: Vec<bool> = levels.iter().map(|level| *level == 1).collect();
        let mut packed = packed.into_iter();
        let values = present
            .iter()
            .map(|present| if *present { packed.next().unwrap_or(0) } else { 0 })
            .collect();
        Ok(IntColumn { values, present })
    }

    fn position(&self, name: &str) -> Option<usize> {
        let schema = self.loaded.metadata.file_metadata().schema_descr();
        schema.columns().iter().position(|column| column.name() == name)
    }

    fn file(&self) -> Result<&File, StoreError> {
        if self.file.get().is_none() {
            let file = self.segment.file()?;
            return Ok(self.file.get_or_init(|| file));
        }
        self.file.get().ok_or_else(|| self.corrupt("no file"))
    }

    /// The error of this segment's file.
    pub(crate) fn corrupt(&self, reason: &str) -> StoreError {
        StoreError::corrupt(&self.segment.path, reason)
    }

    /// Columns to make events of, with the wanted fields alone.
    pub(crate) fn columns(&self, wanted: &Wanted) -> Result<EventColumns, StoreError> {
        let mut texts = Vec::new();
        for field in TEXTS.iter().chain([&Field::Message]) {
            if wanted.has(&FieldName::Known(*field)) {
                texts.push((*field, self.texts(field.name())?));
            }
        }
        let mut ints = Vec::new();
        for field in INTS {
            if wanted.has(&FieldName::Known(*field)) {
                ints.push((*field, self.ints(field.name())?));
            }
        }
        let index = self.index()?;
        let in_column = |name: &FieldName<'_>| match name {
            FieldName::Known(Field::Timestamp | Field::EventOriginal) => true,
            FieldName::Known(Field::EventId | Field::EventIngested) => true,
            FieldName::Known(field) => {
                let has = TEXTS.contains(field) || INTS.contains(field) || *field == Field::Message;
                has && self.position(field.name()).is_some() && !index.has_spilled(*field)
            }
            FieldName::Other(_) => false,
        };
        let rest = wanted.names().is_none_or(|names| !names.iter().all(in_column));
        let original = wanted.has(&FieldName::Known(Field::EventOriginal));
        let stamps = |field: Field| wanted.has(&FieldName::Known(field));
        Ok(EventColumns {
            created: self.created()?,
            ids: if stamps(Field::EventId) { Some(self.ids()?) } else { None },
            ingested: if stamps(Field::EventIngested) { Some(self.ingested()?) } else { None },
            texts,
            ints,
            rest: if rest { Some(self.texts(FIELDS)?) } else { None },
            wanted: wanted.clone(),
            original: if original {
                Some(OriginalColumns {
                    original: self.texts(ORIGINAL)?,
                    head: self.texts(HEAD)?,
                    message: self.texts(MESSAGE)?,
                    host: self.texts(Field::HostName.name())?,
                    program: self.texts(Field::ProcessName.name())?,
                    pid: self.ints(Field::ProcessPid.name())?,
                })
            } else {
                None
            },
        })
    }
}

/// Columns that events are made of.
pub(crate) struct EventColumns {
    created: Rc<IntColumn>,
    ids: Option<Rc<IntColumn>>,
    ingested: Option<Rc<IntColumn>>,
    texts: Vec<(Field, Arc<TextColumn>)>,
    ints: Vec<(Field, Rc<IntColumn>)>,
    rest: Option<Arc<TextColumn>>,
    wanted: Wanted,
    original: Option<OriginalColumns>,
}

struct OriginalColumns {
    original: Arc<TextColumn>,
    head: Arc<TextColumn>,
    message: Arc<TextColumn>,
    host: Arc<TextColumn>,
    program: Arc<TextColumn>,
    pid: Rc<IntColumn>,
}

impl EventColumns {
    /// The event of a row, its store fields among its fields where they are wanted.
    pub(crate) fn event(&self, row: usize) -> Result<Event<'_>, &'static str> {
        let created = self.created.get(row).ok_or("a row is missing")?;
        let created = Timestamp::from_micros(created);
        let original = match &self.original {
            Some(columns) => columns.original(row, created).ok_or("a raw text is missing")?,
            None => "".into(),
        };
        let mut event = Event::new(created, original);
        for (field, column) in &self.texts {
            if let Some(cell) = column.get(row) {
                let value = if *field == Field::Message {
                    Some(Value::from(cell))
                } else {
                    from_cell(cell)
                };
                event.set(*field, value.ok_or("a list is damaged")?);
            }
        }
        for (field, column) in &self.ints {
            if let Some(number) = column.get(row) {
                event.set(*field, number);
            }
        }
        if let Some(json) = self.rest.as_ref().and_then(|rest| rest.get(row)) {
            let fields: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(json).map_err(|_| "fields are damaged")?;
            for (name, value) in fields {
                let name = FieldName::exact(name);
                if self.wanted.has(&name) {
                    event.set_named(name, Value::from(value));
                }
            }
        }
        if let Some(id) = self.ids.as_ref().and_then(|ids| ids.get(row)) {
            event.set(Field::EventId, id);
        }
        if let Some(ingested) = self.ingested.as_ref().and_then(|column| column.get(row)) {
            event.set(Field::EventIngested, Timestamp::from_micros(ingested).to_string());
        }
        Ok(event)
    }

    /// The id and the time of ingestion of a row, where they were wanted.
    pub(crate) fn stored(&self, row: usize) -> Option<(u64, Timestamp)> {
        let id = self.ids.as_ref()?.get(row)?.cast_unsigned();
        Some((id, Timestamp::from_micros(self.ingested.as_ref()?.get(row)?)))
    }
}

impl OriginalColumns {
    fn original(&self, row: usize, created: Timestamp) -> Option<String> {
        if let Some(original) = self.original.get(row) {
            return Some(original.to_owned());
        }
        let parts = Parts {
            created,
            host: self.host.get(row),
            program: self.program.get(row),
            pid: self.pid.get(row),
        };
        let mut original = render(self.head.get(row)?, &parts)?;
        original.push_str(self.message.get(row)?);
        Some(original)
    }
}
