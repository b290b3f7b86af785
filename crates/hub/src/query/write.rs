//! Answers and events as files: comma-separated values, JSON, Parquet.
//!
//! Written as they come, so that what is in memory does not grow with the file. Times are RFC 3339, in
//! Parquet columns of times.

use std::borrow::Cow;
use std::io::{self, Write};
use std::ops::ControlFlow;

use bergfried_event::{Field, FieldName, Timestamp, Value};
use bergfried_query::Predicate;
use bergfried_query::pipeline::Step;
use bergfried_store::export::{self, EventFile, ParquetFile};
use bergfried_store::{Column, Kind, Reader, StoreError, StoredEvent};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use super::events::{column, value};
use super::{Answer, csv_cell};

/// The columns of events in comma-separated values where nothing names others.
const CSV_COLUMNS: &[&str] = &[
    "@timestamp",
    "event.id",
    "host.name",
    "process.name",
    "event.action",
    "event.outcome",
    "user.name",
    "source.ip",
    "source.port",
    "destination.ip",
    "destination.port",
    "message",
    "event.original",
];

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Comma-separated values (RFC 4180), with a line of names
    Csv,
    /// One JSON array of objects
    Json,
    /// One JSON object a line
    Ndjson,
    /// Apache Parquet
    Parquet,
}

impl Format {
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Format::Csv => "text/csv; charset=utf-8; header=present",
            Format::Json => "application/json",
            Format::Ndjson => "application/x-ndjson",
            Format::Parquet => "application/vnd.apache.parquet",
        }
    }
}

/// Rows of values under these columns, written one after the other.
enum Rows<W: Write + Send> {
    Csv(W, Vec<Column>),
    Json { out: W, columns: Vec<Column>, array: bool, begun: bool },
    Parquet(ParquetFile<W>),
}

impl<W: Write + Send> Rows<W> {
    pub(crate) fn new(
        mut out: W,
        columns: Vec<Column>,
        format: Format,
    ) -> Result<Self, StoreError> {
        Ok(match format {
            Format::Csv => {
                let names: Vec<String> = columns.iter().map(|column| title(&column.name)).collect();
                write!(out, "{}\r\n", names.join(",")).map_err(StoreError::Export)?;
                Rows::Csv(out, columns)
            }
            Format::Json | Format::Ndjson => {
                let array = format == Format::Json;
                Rows::Json { out, columns, array, begun: false }
            }
            Format::Parquet => {
                let kinds = columns.iter().map(|column| (column.name.clone(), kind(column.kind)));
                Rows::Parquet(ParquetFile::new(out, kinds)?)
            }
        })
    }

    pub(crate) fn push(&mut self, row: &[Value<'static>]) -> Result<(), StoreError> {
        match self {
            Rows::Csv(out, columns) => {
                let cells = columns.iter().zip(row).map(|(column, value)| csv(column.kind, value));
                write!(out, "{}\r\n", cells.collect::<Vec<_>>().join(","))
                    .map_err(StoreError::Export)
            }
            Rows::Json { out, columns, array, begun } => {
                let object = Object(columns, row);
                json(out, &object, *array, begun).map_err(StoreError::Export)
            }
            Rows::Parquet(file) => file.push(row),
        }
    }

    pub(crate) fn finish(self) -> Result<(), StoreError> {
        let mut out = match self {
            Rows::Csv(out, _) => out,
            Rows::Json { mut out, array, begun, .. } => {
                end(&mut out, array, begun).map_err(StoreError::Export)?;
                out
            }
            Rows::Parquet(file) => file.finish()?,
        };
        out.flush().map_err(StoreError::Export)
    }
}

/// What of events a file has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Every field; as comma-separated values the usual ones.
    Whole,
    /// These fields.
    Fields(Vec<String>),
}

impl Shown {
    /// What these steps let a file of events have; none where they make a table of them.
    pub fn of(steps: &[Step]) -> Option<Shown> {
        match steps {
            [] => Some(Shown::Whole),
            [Step::Fields(fields)] => Some(Shown::Fields(fields.clone())),
            _ => None,
        }
    }
}

/// Writes the events that match, from one time on and before another, the earliest first.
///
/// # Errors
/// Where the store cannot be read or the file not be written; what was written until then is no file.
pub fn write_events<W: Write + Send>(
    reader: &Reader,
    predicate: &Predicate,
    (from, to): (Timestamp, Timestamp),
    (shown, format): (Shown, Format),
    out: W,
) -> Result<(), StoreError> {
    let mut file = Events::new(out, shown, format)?;
    let mut failed = None;
    reader.replay_matching(predicate, from, to, |stored| match file.push(&stored) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            failed = Some(error);
            ControlFlow::Break(())
        }
    })?;
    match failed {
        Some(error) => Err(error),
        None => file.finish(),
    }
}

/// Events, written one after the other.
enum Events<W: Write + Send> {
    Whole { out: W, array: bool, begun: bool },
    Parquet(EventFile<W>),
    Fields(Rows<W>, Vec<FieldName<'static>>),
}

impl<W: Write + Send> Events<W> {
    fn new(out: W, shown: Shown, format: Format) -> Result<Self, StoreError> {
        let of = |names: Vec<String>, out| -> Result<Self, StoreError> {
            let columns = names.iter().map(|name| column(name)).collect();
            let fields = names.into_iter().map(FieldName::exact).collect();
            Ok(Events::Fields(Rows::new(out, columns, format)?, fields))
        };
        match (shown, format) {
            (Shown::Fields(fields), _) => of(fields, out),
            (Shown::Whole, Format::Csv) => {
                of(CSV_COLUMNS.iter().map(|name| (*name).to_owned()).collect(), out)
            }
            (Shown::Whole, Format::Parquet) => Ok(Events::Parquet(EventFile::new(out)?)),
            (Shown::Whole, _) => {
                Ok(Events::Whole { out, array: format == Format::Json, begun: false })
            }
        }
    }

    fn push(&mut self, stored: &StoredEvent) -> Result<(), StoreError> {
        match self {
            Events::Whole { out, array, begun } => {
                json(out, &stored.event, *array, begun).map_err(StoreError::Export)
            }
            Events::Parquet(file) => file.push(stored),
            Events::Fields(rows, fields) => {
                let row: Vec<Value<'static>> =
                    fields.iter().map(|field| value(&stored.event, field)).collect();
                rows.push(&row)
            }
        }
    }

    fn finish(self) -> Result<(), StoreError> {
        match self {
            Events::Whole { mut out, array, begun } => {
                end(&mut out, array, begun).map_err(StoreError::Export)?;
                out.flush().map_err(StoreError::Export)
            }
            Events::Parquet(file) => {
                file.finish().and_then(|mut out| out.flush().map_err(StoreError::Export))
            }
            Events::Fields(rows, _) => rows.finish(),
        }
    }
}

/// Writes an answer as a file.
///
/// # Errors
/// Where it cannot be written.
pub fn write<W: Write + Send>(answer: &Answer, format: Format, out: W) -> Result<(), StoreError> {
    let mut rows = Rows::new(out, answer.columns.clone(), format)?;
    answer.rows.iter().try_for_each(|row| rows.push(row))?;
    rows.finish()
}

fn json(
    out: &mut impl Write,
    object: &impl Serialize,
    array: bool,
    begun: &mut bool,
) -> io::Result<()> {
    match (array, *begun) {
        (true, false) => out.write_all(b"[\n")?,
        (true, true) => out.write_all(b",\n")?,
        (false, _) => {}
    }
    *begun = true;
    serde_json::to_writer(&mut *out, object)?;
    if array { Ok(()) } else { out.write_all(b"\n") }
}

fn end(out: &mut impl Write, array: bool, begun: bool) -> io::Result<()> {
    match (array, begun) {
        (true, true) => out.write_all(b"\n]\n"),
        (true, false) => out.write_all(b"[]\n"),
        (false, _) => Ok(()),
    }
}

fn kind(kind: Kind) -> export::Kind {
    match kind {
        Kind::Text => export::Kind::Text,
        Kind::Number => export::Kind::Float,
        Kind::Time => export::Kind::Time,
    }
}

/// A value as JSON: a time as text, anything else as it is.
pub(crate) struct Cell<'a>(pub(crate) Kind, pub(crate) &'a Value<'static>);

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.0, self.1) {
            (Kind::Time, Value::Int(micros)) => {
                Timestamp::from_micros(*micros).serialize(serializer)
            }
            (_, value) => value.serialize(serializer),
        }
    }
}

/// A row as an object; of columns of one name, the last one stays.
struct Object<'a>(&'a [Column], &'a [Value<'static>]);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let named = self.0.iter().zip(self.1);
        serializer
            .collect_map(named.map(|(column, value)| (&column.name, Cell(column.kind, value))))
    }
}

/// The name of a column; one that the log brought is as little trusted as its values.
fn title(name: &str) -> String {
    if Field::from_name(name).is_some() { name.to_owned() } else { csv_cell(name) }
}

fn csv(kind: Kind, value: &Value<'_>) -> String {
    match (kind, value) {
        (Kind::Time, Value::Int(micros)) => Timestamp::from_micros(*micros).to_string(),
        // A number is no formula, also where it is negative.
        (_, Value::Int(_) | Value::Float(_)) => value.to_text().into_owned(),
        (_, value) => csv_cell(match value.to_text() {
            Cow::Borrowed(text) => text,
            Cow::Owned(ref text) => text,
        }),
    }
}
