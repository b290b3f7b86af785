//! Results as Parquet files for other tools: events, or rows of a table.
//!
//! A file is written as its rows come, a row group at a time, so that what is in memory is bounded
//! however much is exported. Values are data here: nothing in them is interpreted.

use std::io::Write;
use std::sync::Arc;

use bergfried_event::{Field, FieldName, Timestamp, Value};
use parquet::basic::{Compression, ConvertedType, Repetition, Type as PhysicalType, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use crate::StoredEvent;
use crate::error::StoreError;
use crate::segment::build::to_json;
use crate::segment::columns::{FIELDS, INTS, MESSAGE, ORIGINAL, TEXTS, to_cell};

/// Rows that are held until they are written as a row group.
const ROW_GROUP: usize = 1 << 16;
/// A row group is written earlier where its texts take so many bytes.
const ROW_GROUP_BYTES: usize = 16 << 20;
const COMPRESSION_LEVEL: i32 = 3;
/// Before the columns of fields: when, when taken, the id.
const STAMPS: usize = 3;

/// What a column of a [`ParquetFile`] holds. Null fits every kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text; every value has one, lists are JSON.
    Text,
    /// Whole numbers.
    Int,
    /// Numbers; whole ones too.
    Float,
    /// Truth values.
    Bool,
    /// Points in time: whole numbers of microseconds since the epoch, or RFC 3339.
    Time,
}

/// A Parquet file of rows, written to `W` as they come.
pub struct ParquetFile<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
}

impl<W: Write + Send> ParquetFile<W> {
    /// Begins a file with these columns; a name that is there already gets a number behind it.
    ///
    /// # Errors
    /// [`StoreError::Export`] where `out` fails.
    pub fn new<N: Into<String>>(
        out: W,
        columns: impl IntoIterator<Item = (N, Kind)>,
    ) -> Result<Self, StoreError> {
        let mut named: Vec<Column> = Vec::new();
        for (name, kind) in columns {
            let name = unused(name.into(), &named);
            named.push(Column::new(name, kind));
        }
        let writer = begin(out, &named).map_err(failed)?;
        Ok(ParquetFile { writer, columns: named, rows: 0, bytes: 0 })
    }

    /// Adds a row, a value for each column; missing ones are null.
    ///
    /// # Errors
    /// [`StoreError::Export`] where a value is not of its column's kind or `out` fails.
    pub fn push(&mut self, row: &[Value<'_>]) -> Result<(), StoreError> {
        for (position, column) in self.columns.iter_mut().enumerate() {
            self.bytes += column.push(row.get(position).unwrap_or(&Value::Null))?;
        }
        self.end_row()
    }

    /// Writes what is left and the end of the file; gives `out` back.
    ///
    /// # Errors
    /// [`StoreError::Export`] where `out` fails.
    pub fn finish(mut self) -> Result<W, StoreError> {
        self.flush()?;
        self.writer.into_inner().map_err(failed)
    }

    fn end_row(&mut self) -> Result<(), StoreError> {
        self.rows += 1;
        if self.rows >= ROW_GROUP || self.bytes >= ROW_GROUP_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut write = || -> Result<(), ParquetError> {
            let mut group = self.writer.next_row_group()?;
            for column in &mut self.columns {
                column.write(&mut group)?;
            }
            group.close()?;
            Ok(())
        };
        write().map_err(failed)?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

/// A Parquet file of events, written to `W` as they come.
///
/// It has the columns of the store's own files: `@timestamp`, `event.ingested`, `event.id`, the
/// fields that people pivot on (texts and whole numbers; lists of texts are JSON), `message`,
/// `event.original`, and in `fields` every other field as one JSON object.
pub struct EventFile<W: Write + Send>(ParquetFile<W>);

impl<W: Write + Send> EventFile<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// [`StoreError::Export`] where `out` fails.
    pub fn new(out: W) -> Result<Self, StoreError> {
        let stamps = [
            (Field::Timestamp.name(), Kind::Time),
            (Field::EventIngested.name(), Kind::Time),
            (Field::EventId.name(), Kind::Int),
        ];
        let texts = TEXTS.iter().map(|field| (field.name(), Kind::Text));
        let ints = INTS.iter().map(|field| (field.name(), Kind::Int));
        let last = [MESSAGE, ORIGINAL, FIELDS].map(|name| (name, Kind::Text));
        ParquetFile::new(out, stamps.into_iter().chain(texts).chain(ints).chain(last))
            .map(EventFile)
    }

    /// Adds an event.
    ///
    /// # Errors
    /// [`StoreError::Export`] where `out` fails.
    pub fn push(&mut self, stored: &StoredEvent) -> Result<(), StoreError> {
        let file = &mut self.0;
        let mut row = vec![Value::Null; file.columns.len()];
        let mut rest = Vec::new();
        for (name, value) in stored.event.fields() {
            match name {
                // They have columns of their own.
                FieldName::Known(Field::EventId | Field::EventIngested) => {}
                FieldName::Known(field) => match cell(*field, value) {
                    Some((place, value)) => put(&mut row, place, value),
                    None => rest.push((name, value)),
                },
                FieldName::Other(_) => rest.push((name, value)),
            }
        }
        put(&mut row, 0, Value::Int(stored.event.created().micros()));
        put(&mut row, 1, Value::Int(stored.ingested.micros()));
        put(&mut row, 2, Value::Int(stored.id.cast_signed()));
        let after = STAMPS + TEXTS.len() + INTS.len();
        put(&mut row, after + 1, Value::from(stored.event.original()));
        if !rest.is_empty() {
            put(&mut row, after + 2, Value::from(to_json(&rest)));
        }
        file.push(&row)
    }

    /// Writes what is left and the end of the file; gives `out` back.
    ///
    /// # Errors
    /// [`StoreError::Export`] where `out` fails.
    pub fn finish(self) -> Result<W, StoreError> {
        self.0.finish()
    }
}

/// The column of a field's value and what it holds of it; `None` where it has none that can.
fn cell<'v>(field: Field, value: &'v Value<'v>) -> Option<(usize, Value<'v>)> {
    if field == Field::Message {
        let text = value.as_str()?;
        return Some((STAMPS + TEXTS.len() + INTS.len(), Value::from(text)));
    }
    if let Some(place) = TEXTS.iter().position(|text| *text == field) {
        return Some((STAMPS + place, Value::Text(to_cell(value)?)));
    }
    let place = INTS.iter().position(|int| *int == field)?;
    Some((STAMPS + TEXTS.len() + place, Value::Int(value.as_int()?)))
}

fn put<'v>(row: &mut [Value<'v>], place: usize, value: Value<'v>) {
    if let Some(cell) = row.get_mut(place) {
        *cell = value;
    }
}

/// A column of the row group that is being gathered.
struct Column {
    name: String,
    kind: Kind,
    texts: Vec<ByteArray>,
    ints: Vec<i64>,
    floats: Vec<f64>,
    bools: Vec<bool>,
    levels: Vec<i16>,
}

impl Column {
    fn new(name: String, kind: Kind) -> Self {
        Column {
            name,
            kind,
            texts: Vec::new(),
            ints: Vec::new(),
            floats: Vec::new(),
            bools: Vec::new(),
            levels: Vec::new(),
        }
    }

    /// Adds a value; returns how many bytes it takes, near enough.
    fn push(&mut self, value: &Value<'_>) -> Result<usize, StoreError> {
        self.levels.push(i16::from(*value != Value::Null));
        match (self.kind, value) {
            (_, Value::Null) => return Ok(0),
            (Kind::Text, value) => {
                let text = value.to_text();
                self.texts.push(ByteArray::from(text.as_bytes().to_vec()));
                return Ok(text.len());
            }
            (Kind::Int | Kind::Time, Value::Int(number)) => self.ints.push(*number),
            (Kind::Time, Value::Text(text)) => {
                let time: Timestamp = text.parse().map_err(|_| self.misfit("no time"))?;
                self.ints.push(time.micros());
            }
            (Kind::Float, Value::Int(number)) => self.floats.push(*number as f64),
            (Kind::Float, Value::Float(number)) => self.floats.push(*number),
            (Kind::Bool, Value::Bool(truth)) => self.bools.push(*truth),
            _ => return Err(self.misfit("a value of another kind")),
        }
        Ok(size_of::<i64>())
    }

    fn misfit(&self, what: &str) -> StoreError {
        let reason = format!("column {} is given {what}", self.name);
        StoreError::Export(std::io::Error::new(std::io::ErrorKind::InvalidInput, reason))
    }

    /// Writes what was gathered, and gathers anew.
    fn write<W: Write + Send>(
        &mut self,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        let levels = std::mem::take(&mut self.levels);
        match self.kind {
            Kind::Text => {
                write_column::<ByteArrayType, W>(group, std::mem::take(&mut self.texts), &levels)
            }
            Kind::Int | Kind::Time => {
                write_column::<Int64Type, W>(group, std::mem::take(&mut self.ints), &levels)
            }
            Kind::Float => {
                write_column::<DoubleType, W>(group, std::mem::take(&mut self.floats), &levels)
            }
            Kind::Bool => {
                write_column::<BoolType, W>(group, std::mem::take(&mut self.bools), &levels)
            }
        }
    }

    fn schema(&self) -> Result<Type, ParquetError> {
        let (physical, converted) = match self.kind {
            Kind::Text => (PhysicalType::BYTE_ARRAY, ConvertedType::UTF8),
            Kind::Int => (PhysicalType::INT64, ConvertedType::NONE),
            Kind::Float => (PhysicalType::DOUBLE, ConvertedType::NONE),
            Kind::Bool => (PhysicalType::BOOLEAN, ConvertedType::NONE),
            Kind::Time => (PhysicalType::INT64, ConvertedType::TIMESTAMP_MICROS),
        };
        Type::primitive_type_builder(&self.name, physical)
            .with_converted_type(converted)
            .with_repetition(Repetition::OPTIONAL)
            .build()
    }
}

fn write_column<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: Vec<T::T>,
    levels: &[i16],
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else {
        return Err(ParquetError::General("the schema has too few columns".to_owned()));
    };
    column.typed::<T>().write_batch(&values, Some(levels), None)?;
    column.close()
}

fn begin<W: Write + Send>(
    out: W,
    columns: &[Column],
) -> Result<SerializedFileWriter<W>, ParquetError> {
    let fields = columns.iter().map(|column| column.schema().map(Arc::new));
    let fields = fields.collect::<Result<Vec<_>, _>>()?;
    let root = Type::group_type_builder("row").with_fields(fields).build()?;
    let properties = WriterProperties::builder()
        .set_created_by("bergfried".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(COMPRESSION_LEVEL)?))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .build();
    SerializedFileWriter::new(out, Arc::new(root), Arc::new(properties))
}

fn unused(name: String, taken: &[Column]) -> String {
    let is_taken = |name: &str| taken.iter().any(|column| column.name == name);
    if !is_taken(&name) {
        return name;
    }
    let mut numbered = (2..).map(|number| format!("{name}_{number}"));
    numbered.find(|numbered| !is_taken(numbered)).unwrap_or(name)
}

fn failed(error: ParquetError) -> StoreError {
    StoreError::Export(std::io::Error::other(error))
}

#[cfg(test)]
mod tests;
