//! One row group, its columns read as they are asked for.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::fs::File;
use std::rc::Rc;
use std::sync::Arc;

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};
use parquet::column::page::PageReader;
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::Int64Type;

use super::columns::{
    CREATED, FIELDS, HEAD, ID, INGESTED, INTS, MESSAGE, ORIGINAL, TEXTS, from_cell,
};
use super::index::RowGroupIndex;
use super::layout::Layout;
use super::open::{Loaded, Segment};
use super::original::{Parts, render};
use super::pages::TextColumn;
use super::prune::Needs;
use super::stretch::Stretches;
use crate::encode::Wanted;
use crate::error::StoreError;

/// A column of whole numbers, or what was read of it.
#[derive(Debug, Default)]
pub(crate) struct IntColumn {
    rows: usize,
    /// The first row that was read.
    first: usize,
    values: Vec<i64>,
    /// For each row that was read whether it has a number; empty where all have.
    present: Vec<bool>,
}

impl IntColumn {
    /// Adds rows without a number.
    fn push_absent(&mut self, rows: usize) {
        self.present.resize(self.values.len(), true);
        self.values.resize(self.values.len() + rows, 0);
        self.present.resize(self.values.len(), false);
    }

    /// Adds so many rows: the numbers of those that have one, and which those are.
    fn push(&mut self, packed: &[i64], levels: &[i16], rows: usize) {
        if packed.len() == rows {
            self.values.extend_from_slice(packed);
            if !self.present.is_empty() {
                self.present.resize(self.values.len(), true);
            }
            return;
        }
        self.present.resize(self.values.len(), true);
        let mut packed = packed.iter();
        for level in levels {
            self.present.push(*level == 1);
            let value = if *level == 1 { packed.next() } else { None };
            self.values.push(value.copied().unwrap_or(0));
        }
    }

    /// How many rows.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// The number of every row.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Option<i64>> + '_ {
        let (first, read) = self.span();
        let after = self.rows.saturating_sub(first + self.values.len());
        std::iter::repeat_n(None, first).chain(read).chain(std::iter::repeat_n(None, after))
    }

    /// The first row that was read, and the numbers from there on.
    pub(crate) fn span(&self) -> (usize, impl ExactSizeIterator<Item = Option<i64>> + '_) {
        let present = |row| self.present.get(row).copied().unwrap_or(true);
        let values = self.values.iter().enumerate();
        (self.first, values.map(move |(row, value)| present(row).then_some(*value)))
    }

    /// The first row whose number does not meet `before`, in a column without absent rows whose
    /// first rows all do.
    pub(crate) fn partition_point(&self, before: impl Fn(i64) -> bool) -> usize {
        self.first + self.values.partition_point(|value| before(*value))
    }

    /// The number of a row.
    pub(crate) fn get(&self, row: usize) -> Option<i64> {
        let row = row.checked_sub(self.first)?;
        let value = *self.values.get(row)?;
        self.present.get(row).copied().unwrap_or(true).then_some(value)
    }
}

/// A row group being read.
pub(crate) struct Rows<'s> {
    segment: &'s Segment,
    loaded: Arc<Loaded>,
    group: usize,
    file: OnceCell<File>,
    layout: OnceCell<Option<Layout>>,
    texts: RefCell<HashMap<&'static str, (Stretches, Arc<TextColumn>)>>,
    ints: RefCell<HashMap<&'static str, (Stretches, Rc<IntColumn>)>>,
}

impl<'s> Rows<'s> {
    pub(crate) fn new(segment: &'s Segment, loaded: Arc<Loaded>, group: usize) -> Self {
        Rows {
            segment,
            loaded,
            group,
            file: OnceCell::new(),
            layout: OnceCell::new(),
            texts: RefCell::default(),
            ints: RefCell::default(),
        }
    }

    /// What the index says of it.
    pub(crate) fn index(&self) -> Result<&RowGroupIndex, StoreError> {
        self.loaded.index.row_groups.get(self.group).ok_or_else(|| self.corrupt("no row group"))
    }

    /// All of its rows.
    pub(crate) fn all(&self) -> Result<Stretches, StoreError> {
        Ok(Stretches::all(self.index()?.rows))
    }

    /// The stretches in which their words and values allow a predicate that needs these.
    pub(crate) fn allowed_by(&self, needs: &Needs) -> Result<Stretches, StoreError> {
        let index = self.index()?;
        match &index.words {
            Some(words) if needs.tell_stretches() => {
                let filter = self.segment.piece(&self.loaded, words)?;
                Ok(Stretches::those(index.rows, |stretch| needs.allow_stretch(&filter, stretch)))
            }
            _ => self.all(),
        }
    }

    /// When each of the wanted rows' events happened, ascending.
    pub(crate) fn created(&self, wanted: &Stretches) -> Result<Rc<IntColumn>, StoreError> {
        self.ints(CREATED, wanted)
    }

    /// Each wanted row's id.
    pub(crate) fn ids(&self, wanted: &Stretches) -> Result<Rc<IntColumn>, StoreError> {
        self.ints(ID, wanted)
    }

    /// When the hub took each wanted row's event.
    pub(crate) fn ingested(&self, wanted: &Stretches) -> Result<Rc<IntColumn>, StoreError> {
        self.ints(INGESTED, wanted)
    }

    /// The text column of a field, where it holds all of the field's values; rows that are not wanted
    /// may be absent.
    pub(crate) fn whole_text(
        &self,
        field: Field,
        wanted: &Stretches,
    ) -> Result<Option<Arc<TextColumn>>, StoreError> {
        let has = TEXTS.contains(&field) || field == Field::Message;
        if !has || !self.holds_all(field)? {
            return Ok(None);
        }
        self.texts(field.name(), wanted).map(Some)
    }

    /// The number column of a field, where it holds all of the field's values; rows that are not
    /// wanted may be absent.
    pub(crate) fn whole_int(
        &self,
        field: Field,
        wanted: &Stretches,
    ) -> Result<Option<Rc<IntColumn>>, StoreError> {
        if !INTS.contains(&field) || !self.holds_all(field)? {
            return Ok(None);
        }
        self.ints(field.name(), wanted).map(Some)
    }

    /// Whether the field has a column in this file and no values beside it.
    fn holds_all(&self, field: Field) -> Result<bool, StoreError> {
        Ok(self.position(field.name()).is_some() && !self.index()?.has_spilled(field))
    }

    /// A text column by name; all rows absent where the file has none.
    fn texts(&self, name: &'static str, wanted: &Stretches) -> Result<Arc<TextColumn>, StoreError> {
        if let Some((read, column)) = self.texts.borrow().get(name)
            && read.cover(wanted)
        {
            return Ok(Arc::clone(column));
        }
        let rows = self.index()?.rows;
        let column = match self.pages(name, wanted)? {
            Some((pages, _)) => TextColumn::read(pages, rows, wanted)
                .map_err(|reason| self.corrupt(&format!("{reason} in column {name}")))?,
            None => TextColumn::default(),
        };
        let column = Arc::new(column);
        self.texts.borrow_mut().insert(name, (wanted.clone(), Arc::clone(&column)));
        Ok(column)
    }

    fn ints(&self, name: &'static str, wanted: &Stretches) -> Result<Rc<IntColumn>, StoreError> {
        if let Some((read, column)) = self.ints.borrow().get(name)
            && read.cover(wanted)
        {
            return Ok(Rc::clone(column));
        }
        let rows = self.index()?.rows;
        let column = match self.pages(name, wanted)? {
            Some((pages, position)) => self
                .read_ints(pages, position, wanted)
                .map_err(|reason| self.corrupt(&format!("{reason} in column {name}")))?,
            None => IntColumn { rows, ..IntColumn::default() },
        };
        let column = Rc::new(column);
        self.ints.borrow_mut().insert(name, (wanted.clone(), Rc::clone(&column)));
        Ok(column)
    }

    /// The wanted pages of a column, and its place in the file; `None` where no row has a value in it.
    fn pages(
        &self,
        name: &str,
        wanted: &Stretches,
    ) -> Result<Option<(impl PageReader + 'static, usize)>, StoreError> {
        let Some(position) = self.position(name).filter(|_| !wanted.is_empty()) else {
            return Ok(None);
        };
        if self.layout.get().is_none() {
            let layout = self.segment.layout(&self.loaded, self.group)?;
            self.layout.get_or_init(|| layout);
        }
        let layout = self.layout.get().and_then(Option::as_ref);
        let place = (self.group, position);
        let pages = self.segment.pages(self.file()?, &self.loaded, layout, place, wanted)?;
        Ok(pages.map(|pages| (pages, position)))
    }

    fn read_ints(
        &self,
        pages: impl PageReader + 'static,
        position: usize,
        wanted: &Stretches,
    ) -> Result<IntColumn, String> {
        let schema = self.loaded.metadata.file_metadata().schema_descr();
        let descriptor = schema.column(position);
        let optional = descriptor.max_def_level() > 0;
        let mut reader = ColumnReaderImpl::<Int64Type>::new(descriptor, Box::new(pages));
        let rows = self.index().map_err(|error| error.to_string())?.rows;
        let within = wanted.span();
        let mut column = IntColumn { rows, first: within.start, ..IntColumn::default() };
        let (mut levels, mut packed) = (Vec::new(), Vec::new());
        for (range, is_wanted) in wanted.ranges() {
            if range.start >= within.end {
                break;
            }
            if !is_wanted {
                let skipped = reader.skip_records(range.len());
                if skipped.map_err(|error| error.to_string())? != range.len() {
                    return Err("there are too few rows".to_owned());
                }
                if range.start >= within.start {
                    column.push_absent(range.len());
                }
                continue;
            }
            levels.clear();
            packed.clear();
            let (read, ..) = reader
                .read_records(range.len(), optional.then_some(&mut levels), None, &mut packed)
                .map_err(|error| error.to_string())?;
            if read != range.len() {
                return Err("there are too few rows".to_owned());
            }
            column.push(&packed, &levels, read);
        }
        Ok(column)
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

    /// Columns to make events of some rows of, with the wanted fields alone.
    pub(crate) fn columns(
        &self,
        wanted: &Wanted,
        of_rows: &Stretches,
    ) -> Result<EventColumns, StoreError> {
        let mut texts = Vec::new();
        for field in TEXTS.iter().chain([&Field::Message]) {
            if wanted.has(&FieldName::Known(*field)) {
                texts.push((*field, self.texts(field.name(), of_rows)?));
            }
        }
        let mut ints = Vec::new();
        for field in INTS {
            if wanted.has(&FieldName::Known(*field)) {
                ints.push((*field, self.ints(field.name(), of_rows)?));
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
            created: self.created(of_rows)?,
            ids: if stamps(Field::EventId) { Some(self.ids(of_rows)?) } else { None },
            ingested: if stamps(Field::EventIngested) {
                Some(self.ingested(of_rows)?)
            } else {
                None
            },
            texts,
            ints,
            rest: if rest { Some(self.texts(FIELDS, of_rows)?) } else { None },
            wanted: wanted.clone(),
            original: if original {
                Some(OriginalColumns {
                    original: self.texts(ORIGINAL, of_rows)?,
                    head: self.texts(HEAD, of_rows)?,
                    message: self.texts(MESSAGE, of_rows)?,
                    host: self.texts(Field::HostName.name(), of_rows)?,
                    program: self.texts(Field::ProcessName.name(), of_rows)?,
                    pid: self.ints(Field::ProcessPid.name(), of_rows)?,
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
