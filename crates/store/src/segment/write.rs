//! Writes events in memory as segments, a file for each day.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bergfried_event::Timestamp;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaDataReader;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::ColumnPath;

use super::build::RowGroup;
use super::columns::{FIELDS, MESSAGE, ORIGINAL, REQUIRED, schema};
use super::index::{Index, RowGroupIndex, checksum};
use crate::block::Part;
use crate::encode::{Names, Wanted};
use crate::error::StoreError;
use crate::manifest::Entry;
use crate::wal::sync_directory;

/// Rows in a row group: what is pruned, read and evaluated at a time.
const ROW_GROUP: usize = 1 << 17;
const COMPRESSION_LEVEL: i32 = 3;
const PAGE_BYTES: usize = 512 << 10;
/// Large enough that a column of a row group never leaves its dictionary.
const DICTIONARY_BYTES: usize = 256 << 20;
/// Days of one part that get a file of their own; events of further days, which only wild clocks
/// and imports bring, share the file of the day they were taken.
const MAX_DAYS: usize = 8;

/// An event's place in memory.
struct Place {
    created: Timestamp,
    id: u64,
    block: usize,
    position: usize,
}

/// Writes the events as files numbered from `first_number` on, durable where `sync` is set.
///
/// `None` where it was cancelled; files written until then are left for the next open to remove.
pub(crate) fn write_segments(
    directory: &Path,
    part: &Part,
    first_number: u64,
    sync: bool,
    cancelled: &AtomicBool,
) -> Result<Option<Vec<Entry>>, StoreError> {
    let root = directory.join("segments");
    let mut entries = Vec::new();
    for (number, (day, mut places)) in (first_number..).zip(by_day(&root, part)?) {
        places.sort_unstable_by_key(|place| (place.created, place.id));
        let day = Timestamp::from_micros(day.saturating_mul(Timestamp::DAY)).to_string();
        let day = day.get(..10).unwrap_or("unknown").to_owned();
        let folder = root.join(&day);
        let path = folder.join(format!("{number:08}.parquet"));
        let Some((parquet, index)) = encode(&path, part, &places, cancelled)? else {
            return Ok(None);
        };
        fs::create_dir_all(&folder).map_err(|error| StoreError::io("create", &folder, error))?;
        let index_bytes = index.to_bytes();
        write_file(&path, &parquet, sync)?;
        write_file(&path.with_extension("index"), &index_bytes, sync)?;
        if sync {
            sync_directory(&folder)?;
            sync_directory(&root)?;
        }
        let created = places.first().zip(places.last());
        entries.push(Entry {
            number,
            day,
            events: places.len() as u64,
            min_created: created.map_or(0, |(first, _)| first.created.micros()),
            max_created: created.map_or(0, |(_, last)| last.created.micros()),
            min_id: places.iter().map(|place| place.id).min().unwrap_or(0),
            max_id: places.iter().map(|place| place.id).max().unwrap_or(0),
            bytes: parquet.len() as u64,
            index_bytes: index_bytes.len() as u64,
            hash: blake3::hash(&parquet).to_hex().to_string(),
            index_hash: blake3::hash(&index_bytes).to_hex().to_string(),
            chain: String::new(),
        });
    }
    Ok(Some(entries))
}

/// Every event's place, by the day it is filed under.
fn by_day(root: &Path, part: &Part) -> Result<Vec<(i64, Vec<Place>)>, StoreError> {
    let mut days: HashMap<i64, Vec<Place>> = HashMap::new();
    let mut newest = Timestamp::MIN;
    for (index, block) in part.blocks().iter().enumerate() {
        for (position, id) in (0..block.len()).zip(block.first_id()..) {
            let encoded = block.get(position).map_err(|why| StoreError::corrupt(root, why))?;
            newest = newest.max(encoded.ingested);
            let created = encoded.created;
            let place = Place { created, id, block: index, position };
            days.entry(created.day()).or_default().push(place);
        }
    }
    let mut days: Vec<_> = days.into_iter().collect();
    days.sort_by_key(|(day, places)| (std::cmp::Reverse(places.len()), *day));
    let mut others = days.split_off(days.len().min(MAX_DAYS));
    if !others.is_empty() {
        let taken = newest.day();
        let strays = others.drain(..).flat_map(|(_, places)| places);
        match days.iter_mut().find(|(day, _)| *day == taken) {
            Some((_, places)) => places.extend(strays),
            None => days.push((taken, strays.collect())),
        }
    }
    days.sort_by_key(|(day, _)| *day);
    Ok(days)
}

fn encode(
    path: &Path,
    part: &Part,
    places: &[Place],
    cancelled: &AtomicBool,
) -> Result<Option<(Vec<u8>, Index)>, StoreError> {
    let failed = |error: ParquetError| StoreError::io("encode", path, std::io::Error::other(error));
    let names = Names::current();
    let schema = schema().map_err(failed)?;
    let properties = Arc::new(properties().map_err(failed)?);
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, properties).map_err(failed)?;
    let mut index = Index::default();
    for places in places.chunks(ROW_GROUP) {
        if cancelled.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let mut group = RowGroup::new();
        for place in places {
            let block = part.blocks().get(place.block).ok_or("no such block");
            let encoded = block.and_then(|block| block.get(place.position));
            encoded
                .and_then(|encoded| {
                    let event = encoded.event(&names, &Wanted::All)?;
                    group.push(place.id, encoded.ingested, &event);
                    Ok(())
                })
                .map_err(|reason| StoreError::corrupt(path, reason))?;
        }
        index.row_groups.push(describe(places, &mut group));
        let mut columns = writer.next_row_group().map_err(failed)?;
        write_columns(&mut columns, &mut group).map_err(failed)?;
        columns.close().map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(failed)?;
    let tail = bytes.len().saturating_sub(8);
    let length = bytes.get(tail..).and_then(|tail| tail.first_chunk::<4>());
    index.footer = length.map_or(0, |length| u32::from_le_bytes(*length) as usize);
    let footer = bytes.get(tail.saturating_sub(index.footer)..tail).unwrap_or_default();
    index.footer_checksum = checksum(footer);
    let metadata = ParquetMetaDataReader::decode_metadata(footer).map_err(failed)?;
    for (group, columns) in index.row_groups.iter_mut().zip(metadata.row_groups()) {
        for column in columns.columns() {
            let range = byte_range(column.byte_range());
            group.chunks.push(checksum(bytes.get(range).unwrap_or_default()));
        }
    }
    Ok(Some((bytes, index)))
}

/// A start and a length as a range.
pub(crate) fn byte_range((start, length): (u64, u64)) -> std::ops::Range<usize> {
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    start..start.saturating_add(length)
}

fn describe(places: &[Place], group: &mut RowGroup) -> RowGroupIndex {
    let filter = std::mem::replace(&mut group.filter, super::filter::FilterBuilder::new()).build();
    let created = places.first().zip(places.last());
    RowGroupIndex {
        rows: places.len(),
        created: created.map_or((Timestamp::MIN, Timestamp::MAX), |(first, last)| {
            (first.created, last.created)
        }),
        ids: (
            places.iter().map(|place| place.id).min().unwrap_or(0),
            places.iter().map(|place| place.id).max().unwrap_or(0),
        ),
        spilled: group.spilled.iter().map(|field| (*field).into()).collect(),
        chunks: Vec::new(),
        filter,
    }
}

fn properties() -> Result<WriterProperties, ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_created_by("bergfried".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(COMPRESSION_LEVEL)?))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .set_max_row_group_row_count(None)
        .set_data_page_size_limit(PAGE_BYTES)
        .set_data_page_row_count_limit(ROW_GROUP)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_dictionary_enabled(true);
    for name in REQUIRED {
        let path = ColumnPath::new(vec![name.to_owned()]);
        properties = properties
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED)
            .set_column_statistics_enabled(path, EnabledStatistics::Chunk);
    }
    for name in [MESSAGE, ORIGINAL, FIELDS] {
        let path = ColumnPath::new(vec![name.to_owned()]);
        properties = properties.set_column_dictionary_enabled(path, false);
    }
    Ok(properties.build())
}

/// Writes the columns in the order of the schema.
fn write_columns(
    writer: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    group: &mut RowGroup,
) -> Result<(), ParquetError> {
    for values in [&group.created, &group.ingested, &group.ids] {
        put_ints(writer, values, None)?;
    }
    for column in &group.texts {
        put_texts(writer, &column.values(), &column.levels)?;
    }
    for column in &group.ints {
        put_ints(writer, &column.values, Some(&column.levels))?;
    }
    put_texts(writer, &group.message.take_values(), &group.message.levels)?;
    put_texts(writer, &group.head.values(), &group.head.levels)?;
    put_texts(writer, &group.original.take_values(), &group.original.levels)?;
    put_texts(writer, &group.fields.take_values(), &group.fields.levels)
}

fn put_ints(
    writer: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &[i64],
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let Some(mut column) = writer.next_column()? else {
        return Err(ParquetError::General("the schema has too few columns".to_owned()));
    };
    column.typed::<Int64Type>().write_batch(values, levels, None)?;
    column.close()
}

fn put_texts(
    writer: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &[parquet::data_type::ByteArray],
    levels: &[i16],
) -> Result<(), ParquetError> {
    let Some(mut column) = writer.next_column()? else {
        return Err(ParquetError::General("the schema has too few columns".to_owned()));
    };
    column.typed::<ByteArrayType>().write_batch(values, Some(levels), None)?;
    column.close()
}

fn write_file(path: &Path, bytes: &[u8], sync: bool) -> Result<(), StoreError> {
    let write = || -> std::io::Result<()> {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        if sync { file.sync_all() } else { Ok(()) }
    };
    write().map_err(|error| StoreError::io("write", path, error))
}
