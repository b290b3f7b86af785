//! Writes segments: events in memory as a file for each day, or what maintenance chose.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bergfried_event::Timestamp;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::ColumnPath;

use super::build::RowGroup;
use super::columns::{FIELDS, MESSAGE, ORIGINAL, REQUIRED, SCATTERED_INTS, schema};
use super::index::{Checks, Index, Piece, RowGroupIndex, checksum};
use super::layout::{Layout, PagePlace};
use super::stretch::STRETCH;
use crate::block::Part;
use crate::encode::{Names, Wanted};
use crate::error::StoreError;
use crate::limits::Stop;
use crate::manifest::Entry;

/// Rows in a row group: what is pruned, read and evaluated at a time.
const ROW_GROUP: usize = 1 << 17;
const COMPRESSION_LEVEL: i32 = 3;
/// Messages end pages before their stretch is over, so that one of them costs few others.
const PAGE_BYTES: usize = 256 << 10;
/// Large enough that a column of a row group never leaves its dictionary.
const DICTIONARY_BYTES: usize = 256 << 20;
/// Days of one part that get a file of their own; events of further days, which only wild clocks
/// and imports bring, share the file of the day they were taken.
const MAX_DAYS: usize = 8;

/// An event's place in what is written: which source it comes from, and where it is there.
pub(crate) struct Place {
    pub(crate) created: Timestamp,
    pub(crate) id: u64,
    pub(crate) source: usize,
    pub(crate) position: usize,
}

/// Puts the events of these places into a row group, in their order.
pub(crate) type Fill<'f> = dyn FnMut(&[Place], &mut RowGroup) -> Result<(), StoreError> + 'f;

/// A segment that is written and durable, but not part of the store yet; dropped, its files go.
pub(crate) struct Staged {
    /// Without a number.
    pub(crate) entry: Entry,
    path: PathBuf,
    kept: bool,
}

/// Where files lie until they are part of the store.
pub(crate) fn staging(directory: &Path) -> PathBuf {
    directory.join("staged")
}

impl Staged {
    /// One whose files will lie at `path` and beside it.
    pub(crate) fn at(entry: Entry, path: PathBuf) -> Self {
        Staged { entry, path, kept: false }
    }

    /// Moves the files to where the entry, now with its number, says.
    pub(crate) fn place(&self, directory: &Path) -> Result<(), StoreError> {
        for (from, to) in [
            (self.path.clone(), self.entry.path(directory)),
            (self.path.with_extension("index"), self.entry.index_path(directory)),
        ] {
            if let Some(folder) = to.parent() {
                fs::create_dir_all(folder)
                    .map_err(|error| StoreError::io("create", folder, error))?;
            }
            fs::rename(&from, &to).map_err(|error| StoreError::io("rename", &from, error))?;
        }
        Ok(())
    }

    /// Removes the files from where [`Staged::place`] put them.
    pub(crate) fn displace(&self, directory: &Path) {
        remove([self.entry.path(directory), self.entry.index_path(directory)]);
    }

    /// The store has it: the files stay.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.kept {
            remove([self.path.clone(), self.path.with_extension("index")]);
        }
    }
}

fn remove(paths: [PathBuf; 2]) {
    for path in paths {
        match fs::remove_file(path) {
            // The next open removes what is left behind.
            Ok(()) | Err(_) => {}
        }
    }
}

/// Writes the events as segments, durable where `sync` is set.
///
/// `None` where it was cancelled.
pub(crate) fn write_segments(
    directory: &Path,
    part: &Part,
    sync: bool,
    cancelled: &Stop,
) -> Result<Option<Vec<Staged>>, StoreError> {
    let names = Names::current();
    let root = directory.join("segments");
    let mut written = Vec::new();
    for Day { day, places, taken } in by_day(&root, part)? {
        let mut fill = |places: &[Place], group: &mut RowGroup| {
            for place in places {
                let block = part.blocks().get(place.source).ok_or("no such block");
                let encoded = block.and_then(|block| block.get(place.position));
                encoded
                    .and_then(|encoded| {
                        let event = encoded.event(&names, &Wanted::All)?;
                        group.push(place.id, encoded.ingested, &event);
                        Ok(())
                    })
                    .map_err(|reason| StoreError::corrupt(&root, reason))?;
            }
            Ok(())
        };
        let new = NewSegment { day: day_name(day), taken, class: None, trimmed: 0 };
        let Some(staged) = stage(directory, new, places, &mut fill, sync, cancelled)? else {
            return Ok(None);
        };
        written.push(staged);
    }
    Ok(Some(written))
}

/// What a new segment's entry says besides what its events tell.
pub(crate) struct NewSegment {
    /// The day that it is filed under.
    pub(crate) day: String,
    /// When the hub took the last of its events.
    pub(crate) taken: Timestamp,
    /// Why its events are kept longer than others.
    pub(crate) class: Option<String>,
    /// Up to which age retention has looked at its events, in days.
    pub(crate) trimmed: u32,
}

/// Writes one segment of at least one event, in order of time; `None` where it was cancelled.
pub(crate) fn stage(
    directory: &Path,
    new: NewSegment,
    mut places: Vec<Place>,
    fill: &mut Fill<'_>,
    sync: bool,
    cancelled: &Stop,
) -> Result<Option<Staged>, StoreError> {
    static STAGED: AtomicU64 = AtomicU64::new(0);
    places.sort_unstable_by_key(|place| (place.created, place.id));
    let folder = staging(directory);
    let path = folder.join(format!("{}.parquet", STAGED.fetch_add(1, Ordering::Relaxed)));
    let Some((parquet, index)) = encode(&path, &places, fill, cancelled)? else {
        return Ok(None);
    };
    let index_bytes = index.to_bytes();
    let created = places.first().zip(places.last());
    let entry = Entry {
        number: 0,
        day: new.day,
        events: places.len() as u64,
        min_created: created.map_or(0, |(first, _)| first.created.micros()),
        max_created: created.map_or(0, |(_, last)| last.created.micros()),
        min_id: places.iter().map(|place| place.id).min().unwrap_or(0),
        max_id: places.iter().map(|place| place.id).max().unwrap_or(0),
        taken: new.taken.micros(),
        class: new.class,
        trimmed: new.trimmed,
        bytes: parquet.len() as u64,
        index_bytes: index_bytes.len() as u64,
        hash: blake3::hash(&parquet).to_hex().to_string(),
        index_hash: blake3::hash(&index_bytes).to_hex().to_string(),
    };
    fs::create_dir_all(&folder).map_err(|error| StoreError::io("create", &folder, error))?;
    let staged = Staged { entry, path, kept: false };
    write_file(&staged.path, &parquet, sync)?;
    write_file(&staged.path.with_extension("index"), &index_bytes, sync)?;
    Ok(Some(staged))
}

/// A day as its folder is named.
pub(crate) fn day_name(day: i64) -> String {
    let day = Timestamp::from_micros(day.saturating_mul(Timestamp::DAY)).to_string();
    day.get(..10).unwrap_or("unknown").to_owned()
}

/// Events of a part that are filed under one day.
struct Day {
    day: i64,
    places: Vec<Place>,
    taken: Timestamp,
}

/// Every event's place, by the day it is filed under.
fn by_day(root: &Path, part: &Part) -> Result<Vec<Day>, StoreError> {
    let mut days: HashMap<i64, Day> = HashMap::new();
    let mut newest = Timestamp::MIN;
    for (source, block) in part.blocks().iter().enumerate() {
        for (position, id) in (0..block.len()).zip(block.first_id()..) {
            let encoded = block.get(position).map_err(|why| StoreError::corrupt(root, why))?;
            newest = newest.max(encoded.ingested);
            let (created, day) = (encoded.created, encoded.created.day());
            let place = Place { created, id, source, position };
            let fresh = || Day { day, places: Vec::new(), taken: Timestamp::MIN };
            let day = days.entry(day).or_insert_with(fresh);
            day.places.push(place);
            day.taken = day.taken.max(encoded.ingested);
        }
    }
    let mut days: Vec<_> = days.into_values().collect();
    days.sort_by_key(|day| (std::cmp::Reverse(day.places.len()), day.day));
    let mut others = days.split_off(days.len().min(MAX_DAYS));
    if !others.is_empty() {
        let taken = newest.day();
        let strays = others.drain(..).flat_map(|day| day.places);
        match days.iter_mut().find(|day| day.day == taken) {
            Some(day) => {
                day.places.extend(strays);
                day.taken = newest;
            }
            None => days.push(Day { day: taken, places: strays.collect(), taken: newest }),
        }
    }
    days.sort_by_key(|day| day.day);
    Ok(days)
}

fn encode(
    path: &Path,
    places: &[Place],
    fill: &mut Fill<'_>,
    cancelled: &Stop,
) -> Result<Option<(Vec<u8>, Index)>, StoreError> {
    let failed = |error: ParquetError| StoreError::io("encode", path, std::io::Error::other(error));
    let schema = schema().map_err(failed)?;
    let properties = Arc::new(properties().map_err(failed)?);
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, properties).map_err(failed)?;
    let mut index = Index::default();
    let mut without_values = Vec::new();
    for places in places.chunks(ROW_GROUP) {
        if cancelled.is_set() {
            return Ok(None);
        }
        let mut group = RowGroup::new();
        fill(places, &mut group)?;
        let words = index.add_piece(&std::mem::take(&mut group.words).build());
        index.row_groups.push(describe(places, &mut group, words));
        without_values.push(group.without_values());
        let mut columns = writer.next_row_group().map_err(failed)?;
        write_columns(&mut columns, &mut group).map_err(failed)?;
        columns.close().map_err(failed)?;
    }
    let metadata = writer.finish().map_err(failed)?;
    let bytes = std::mem::take(writer.inner_mut());
    let tail = bytes.len().saturating_sub(8);
    let length = bytes.get(tail..).and_then(|tail| tail.first_chunk::<4>());
    index.footer = length.map_or(0, |length| u32::from_le_bytes(*length) as usize);
    let footer = bytes.get(tail.saturating_sub(index.footer)..tail).unwrap_or_default();
    index.footer_checksum = checksum(footer);
    for (group, without_values) in without_values.iter().enumerate() {
        let layout = layout(&bytes, &metadata, group, without_values);
        let layout = layout.ok_or_else(|| StoreError::corrupt(path, "a page is missing"))?;
        let piece = index.add_piece(&layout.to_bytes());
        if let Some(group) = index.row_groups.get_mut(group) {
            group.checks = Checks::Pages(piece);
        }
    }
    Ok(Some((bytes, index)))
}

/// Where the pages of a row group are in the file with these bytes; `None` where it says otherwise.
fn layout(
    bytes: &[u8],
    metadata: &ParquetMetaData,
    group: usize,
    without_values: &[bool],
) -> Option<Layout> {
    let pages = metadata.page_index_for_row_group(group);
    let group = metadata.row_groups().get(group)?;
    let rows = usize::try_from(group.num_rows()).ok()?;
    let mut layout = Layout::default();
    for (number, (column, is_empty)) in group.columns().iter().zip(without_values).enumerate() {
        if *is_empty {
            layout.columns.push(Vec::new());
            continue;
        }
        let range = byte_range(column.byte_range());
        let places = pages.page_locations(number)?;
        let start =
            |page: usize| places.get(page).and_then(|page| usize::try_from(page.offset).ok());
        let first_row = |page: usize| {
            places.get(page).and_then(|page| usize::try_from(page.first_row_index).ok())
        };
        let mut found = Vec::new();
        // What lies before the first page is the dictionary.
        if start(0)? > range.start {
            found.push(PagePlace::of(bytes.get(range.start..start(0)?)?, 0));
        }
        for page in 0..places.len() {
            let (end, end_row) = (start(page + 1).unwrap_or(range.end), first_row(page + 1));
            let rows = end_row.unwrap_or(rows).checked_sub(first_row(page)?)?;
            found.push(PagePlace::of(bytes.get(start(page)?..end)?, rows));
        }
        layout.columns.push(found);
    }
    Some(layout)
}

/// A start and a length as a range.
pub(crate) fn byte_range((start, length): (u64, u64)) -> std::ops::Range<usize> {
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    start..start.saturating_add(length)
}

fn describe(places: &[Place], group: &mut RowGroup, words: Piece) -> RowGroupIndex {
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
        checks: Checks::Columns(Vec::new()),
        filter,
        words: Some(words),
    }
}

fn properties() -> Result<WriterProperties, ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_created_by("bergfried".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(COMPRESSION_LEVEL)?))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_max_row_group_row_count(None)
        .set_data_page_size_limit(PAGE_BYTES)
        .set_data_page_row_count_limit(STRETCH)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_dictionary_enabled(true);
    for name in REQUIRED.into_iter().chain(SCATTERED_INTS.iter().map(|field| field.name())) {
        let path = ColumnPath::new(vec![name.to_owned()]);
        properties = properties
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
    }
    for name in REQUIRED {
        let path = ColumnPath::new(vec![name.to_owned()]);
        properties = properties.set_column_statistics_enabled(path, EnabledStatistics::Chunk);
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
