//! A segment as readers see it: nothing is read from its files that is not checked first.

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::buf::Reader;
use bytes::{Buf, Bytes};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::page_index::offset_index::PageLocation;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::file::statistics::Statistics;

use super::columns::INGESTED;
use super::index::{Checks, Index, Piece, checksum};
use super::layout::{Layout, PagePlace};
use super::stretch::Stretches;
use super::write::byte_range;
use crate::error::StoreError;
use crate::manifest::Entry;

/// Indexes are kept in memory up to this many bytes in all; past that they are read for each use.
const KEPT_BYTES: usize = 256 << 20;
static KEPT: AtomicUsize = AtomicUsize::new(0);
/// Nothing larger is written.
const MAX_FOOTER: usize = 256 << 20;

/// A segment.
pub(crate) struct Segment {
    /// What the manifest says of it.
    pub(crate) entry: Entry,
    pub(crate) path: PathBuf,
    index_path: PathBuf,
    kept: Mutex<Option<Arc<Loaded>>>,
    /// Whether it left the store.
    left: AtomicBool,
}

/// A segment's index and Parquet metadata.
pub(crate) struct Loaded {
    pub(crate) index: Index,
    pub(crate) metadata: ParquetMetaData,
    size: usize,
}

impl Segment {
    pub(crate) fn new(entry: Entry, directory: &Path) -> Self {
        let (path, index_path) = (entry.path(directory), entry.index_path(directory));
        Segment { entry, path, index_path, kept: Mutex::new(None), left: AtomicBool::new(false) }
    }

    /// Says that it left the store: its files go with the last who reads it.
    pub(crate) fn leave(&self) {
        self.left.store(true, Ordering::Relaxed);
    }

    /// The index and metadata, checked against the manifest.
    pub(crate) fn load(&self) -> Result<Arc<Loaded>, StoreError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = kept.as_ref() {
            return Ok(Arc::clone(loaded));
        }
        let loaded = Arc::new(self.read_index()?);
        if KEPT.fetch_add(loaded.size, Ordering::Relaxed) + loaded.size <= KEPT_BYTES {
            *kept = Some(Arc::clone(&loaded));
        } else {
            KEPT.fetch_sub(loaded.size, Ordering::Relaxed);
        }
        Ok(loaded)
    }

    /// The Parquet file, to read chunks from.
    pub(crate) fn file(&self) -> Result<File, StoreError> {
        File::open(&self.path).map_err(|error| StoreError::io("open", &self.path, error))
    }

    /// Where the pages of a row group are; `None` in a file of the first version.
    pub(crate) fn layout(
        &self,
        loaded: &Loaded,
        group: usize,
    ) -> Result<Option<Layout>, StoreError> {
        let index = loaded.index.row_groups.get(group);
        let index =
            index.ok_or_else(|| StoreError::corrupt(&self.path, "a row group is missing"))?;
        let Checks::Pages(piece) = &index.checks else { return Ok(None) };
        let layout = Layout::read(&self.piece(loaded, piece)?, index.rows);
        layout.map(Some).map_err(|reason| StoreError::corrupt(&self.index_path, reason))
    }

    /// A piece of the index file, checked.
    pub(crate) fn piece(&self, loaded: &Loaded, piece: &Piece) -> Result<Vec<u8>, StoreError> {
        let file = File::open(&self.index_path)
            .map_err(|error| StoreError::io("open", &self.index_path, error))?;
        let bytes = read_at(&self.index_path, &file, loaded.index.place(piece), piece.length)?;
        if checksum(&bytes) != piece.checksum {
            return Err(StoreError::corrupt(&self.index_path, "the checksum of a piece is wrong"));
        }
        Ok(bytes)
    }

    /// Pages of a column of a row group, of which those with any of the wanted rows are read; `None`
    /// where no row has a value in it.
    pub(crate) fn pages(
        &self,
        file: &File,
        loaded: &Loaded,
        layout: Option<&Layout>,
        (group, column): (usize, usize),
        wanted: &Stretches,
    ) -> Result<Option<SerializedPageReader<Chunk>>, StoreError> {
        let corrupt = |reason: &str| StoreError::corrupt(&self.path, reason);
        let metadata = loaded
            .metadata
            .row_groups()
            .get(group)
            .and_then(|group| group.columns().get(column))
            .ok_or_else(|| corrupt("a column is missing"))?;
        let index = loaded.index.row_groups.get(group);
        let index = index.ok_or_else(|| corrupt("a row group is missing"))?;
        let range = byte_range(metadata.byte_range());
        if range.end as u64 > self.entry.bytes {
            return Err(corrupt("a column lies outside of the file"));
        }
        let is_wrong = || {
            let name = metadata.column_path().string();
            corrupt(&format!("the checksum of column {name} is wrong"))
        };
        let (mut chunk, mut places) = (Chunk::default(), None);
        match (layout, &index.checks) {
            (None, Checks::Columns(columns)) => {
                let bytes = self.read(file, range.start as u64, range.len())?;
                if columns.get(column) != Some(&checksum(&bytes)) {
                    return Err(is_wrong());
                }
                chunk.parts.push((range.start as u64, Bytes::from(bytes)));
            }
            (Some(layout), Checks::Pages(_)) => {
                let pages = layout.columns.get(column);
                let pages = pages.ok_or_else(|| corrupt("a column has no pages"))?;
                if pages.is_empty() {
                    return Ok(None);
                }
                let pages =
                    Placed::all(pages, &range).ok_or_else(|| corrupt("a page lies elsewhere"))?;
                let is_wanted =
                    |page: &Placed<'_>| page.rows.is_empty() || wanted.overlap(&page.rows);
                // Neighbours are read at once.
                for run in pages.chunk_by(|one, other| is_wanted(one) == is_wanted(other)) {
                    let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
                    if !is_wanted(first) {
                        continue;
                    }
                    let length = last.bytes.end - first.bytes.start;
                    let bytes = Bytes::from(self.read(file, first.bytes.start as u64, length)?);
                    for page in run {
                        let start = page.bytes.start - first.bytes.start;
                        let bytes = bytes.slice(start..start + page.bytes.len());
                        if checksum(&bytes) != page.place.checksum {
                            return Err(is_wrong());
                        }
                        chunk.parts.push((page.bytes.start as u64, bytes));
                    }
                }
                let locations = pages.iter().filter(|page| !page.rows.is_empty());
                places = Some(locations.filter_map(Placed::location).collect());
            }
            _ => return Err(corrupt("it has no checksums")),
        }
        SerializedPageReader::new(Arc::new(chunk), metadata, index.rows, places)
            .map(Some)
            .map_err(|error| corrupt(&error.to_string()))
    }

    /// Checks both files whole against the manifest.
    pub(crate) fn verify(&self) -> Result<(), StoreError> {
        for (path, size, hash) in [
            (&self.path, self.entry.bytes, &self.entry.hash),
            (&self.index_path, self.entry.index_bytes, &self.entry.index_hash),
        ] {
            let failed = |error| StoreError::io("read", path, error);
            let mut file = File::open(path).map_err(failed)?;
            if file.metadata().map_err(failed)?.len() != size {
                return Err(StoreError::corrupt(path, "its size is wrong"));
            }
            let mut hasher = blake3::Hasher::new();
            std::io::copy(&mut file, &mut hasher).map_err(failed)?;
            if hasher.finalize().to_hex().as_str() != hash {
                return Err(StoreError::corrupt(path, "its hash is wrong"));
            }
        }
        Ok(())
    }

    fn read_index(&self) -> Result<Loaded, StoreError> {
        let failed = |error| StoreError::io("read", &self.index_path, error);
        let mut bytes = Vec::new();
        File::open(&self.index_path)
            .and_then(|file| file.take(self.entry.index_bytes + 1).read_to_end(&mut bytes))
            .map_err(failed)?;
        if blake3::hash(&bytes).to_hex().as_str() != self.entry.index_hash {
            return Err(StoreError::corrupt(&self.index_path, "its hash is wrong"));
        }
        let index = Index::read(&self.index_path, &bytes)?;
        let corrupt = |reason: &str| StoreError::corrupt(&self.path, reason);
        let end = self.entry.bytes.checked_sub(8 + index.footer as u64);
        let start =
            end.filter(|_| index.footer <= MAX_FOOTER).ok_or_else(|| corrupt("no footer"))?;
        let footer = self.read(&self.file()?, start, index.footer)?;
        if checksum(&footer) != index.footer_checksum {
            return Err(corrupt("the checksum of its footer is wrong"));
        }
        let metadata = ParquetMetaDataReader::decode_metadata(&footer)
            .map_err(|error| corrupt(&error.to_string()))?;
        if metadata.num_row_groups() != index.row_groups.len() {
            return Err(corrupt("the index has other row groups"));
        }
        let size = index.size() + metadata.memory_size();
        Ok(Loaded { index, metadata, size })
    }

    fn read(&self, file: &File, start: u64, length: usize) -> Result<Vec<u8>, StoreError> {
        read_at(&self.path, file, start, length)
    }
}

fn read_at(path: &Path, file: &File, start: u64, length: usize) -> Result<Vec<u8>, StoreError> {
    let mut bytes = vec![0; length];
    match file.read_exact_at(&mut bytes, start) {
        Ok(()) => Ok(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(StoreError::corrupt(path, "it ends early"))
        }
        Err(error) => Err(StoreError::io("read", path, error)),
    }
}

impl Loaded {
    /// When the hub took the first and the last event of a row group, in microseconds, where the file
    /// says so.
    pub(crate) fn ingested(&self, group: usize) -> Option<(i64, i64)> {
        let columns = self.metadata.row_groups().get(group)?.columns();
        let column = columns.iter().find(|column| column.column_path().string() == INGESTED)?;
        match column.statistics()? {
            Statistics::Int64(values) => Some((*values.min_opt()?, *values.max_opt()?)),
            _ => None,
        }
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        let kept = self.kept.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = kept {
            KEPT.fetch_sub(loaded.size, Ordering::Relaxed);
        }
        if *self.left.get_mut() {
            for path in [&self.index_path, &self.path] {
                match std::fs::remove_file(path) {
                    // The manifest says that they are leaving, and the next open removes them.
                    Ok(()) | Err(_) => {}
                }
            }
        }
    }
}

/// A page, where it is in the file and among the rows.
struct Placed<'l> {
    place: &'l PagePlace,
    bytes: Range<usize>,
    rows: Range<usize>,
}

impl Placed<'_> {
    /// The pages of a column that takes this part of the file; `None` where they do not fill it.
    fn all<'l>(pages: &'l [PagePlace], column: &Range<usize>) -> Option<Vec<Placed<'l>>> {
        let (mut start, mut row) = (column.start, 0);
        let mut placed = Vec::with_capacity(pages.len());
        for place in pages {
            let end = start.checked_add(place.size).filter(|end| *end <= column.end)?;
            placed.push(Placed { place, bytes: start..end, rows: row..row + place.rows });
            (start, row) = (end, row + place.rows);
        }
        (start == column.end).then_some(placed)
    }

    fn location(&self) -> Option<PageLocation> {
        Some(PageLocation {
            offset: i64::try_from(self.bytes.start).ok()?,
            compressed_page_size: i32::try_from(self.bytes.len()).ok()?,
            first_row_index: i64::try_from(self.rows.start).ok()?,
        })
    }
}

/// Checked bytes of one column chunk, addressed by their place in the file.
#[derive(Default)]
pub(crate) struct Chunk {
    /// Where each part begins, ascending, and its bytes.
    parts: Vec<(u64, Bytes)>,
}

impl Chunk {
    fn from(&self, start: u64) -> ParquetResult<Bytes> {
        let next = self.parts.partition_point(|(begin, _)| *begin <= start);
        let part = next.checked_sub(1).and_then(|part| self.parts.get(part));
        let rest = part.and_then(|(begin, bytes)| {
            let at = usize::try_from(start - begin).ok().filter(|at| *at <= bytes.len())?;
            Some(bytes.slice(at..))
        });
        rest.ok_or_else(|| ParquetError::EOF("a page lies elsewhere".to_owned()))
    }
}

impl Length for Chunk {
    fn len(&self) -> u64 {
        self.parts.last().map_or(0, |(start, bytes)| start + bytes.len() as u64)
    }
}

impl ChunkReader for Chunk {
    type T = Reader<Bytes>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        Ok(self.from(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let bytes = self.from(start)?;
        if length > bytes.len() {
            return Err(ParquetError::EOF("a page ends early".to_owned()));
        }
        Ok(bytes.slice(..length))
    }
}

#[cfg(test)]
mod tests {
    use bergfried_event::{Event, Field, Timestamp};

    use super::super::build::RowGroup;
    use super::super::index::RowGroupIndex;
    use super::super::rows::Rows;
    use super::super::write::{NewSegment, Place, stage};
    use super::*;
    use crate::encode::Wanted;
    use crate::limits::Stop;

    fn event(number: i64) -> Event<'static> {
        let mut event = Event::new(Timestamp::from_micros(number), format!("<13>line {number}"));
        event.set(Field::Message, format!("line {number}"));
        event.set(Field::HostName, format!("host-{}", number % 7));
        if number % 3 == 0 {
            event.set(Field::ProcessPid, number);
        }
        event
    }

    fn segment(directory: &Path, events: i64) -> Segment {
        let places = (0..events).map(|number| Place {
            created: Timestamp::from_micros(number),
            id: number.cast_unsigned() + 1,
            source: 0,
            position: 0,
        });
        let mut fill = |places: &[Place], group: &mut RowGroup| {
            for place in places {
                group.push(place.id, place.created, &event(place.created.micros()));
            }
            Ok(())
        };
        let day = "1970-01-01".to_owned();
        let new = NewSegment { day, taken: Timestamp::default(), class: None, trimmed: 0 };
        let staged = stage(directory, new, places.collect(), &mut fill, false, &Stop::default());
        let staged = staged.unwrap().unwrap();
        staged.place(directory).unwrap();
        let segment = Segment::new(staged.entry.clone(), directory);
        staged.keep();
        segment
    }

    /// The same segment with an index as the first version wrote it.
    fn of_first_version(directory: &Path, segment: &Segment) -> Segment {
        let loaded = segment.load().unwrap();
        let bytes = std::fs::read(&segment.path).unwrap();
        let mut index = Index::default();
        (index.footer, index.footer_checksum) = (loaded.index.footer, loaded.index.footer_checksum);
        for (group, columns) in loaded.index.row_groups.iter().zip(loaded.metadata.row_groups()) {
            let columns = columns.columns().iter();
            let checks = columns.map(|column| checksum(&bytes[byte_range(column.byte_range())]));
            let checks = Checks::Columns(checks.collect());
            index.row_groups.push(RowGroupIndex { checks, words: None, ..group.clone() });
        }
        let index = index.to_first_version();
        let mut entry = segment.entry.clone();
        entry.index_bytes = index.len() as u64;
        entry.index_hash = blake3::hash(&index).to_hex().to_string();
        std::fs::write(entry.index_path(directory), index).unwrap();
        Segment::new(entry, directory)
    }

    #[test]
    fn every_version_is_read_whole_and_in_part() {
        let (directory, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = of_first_version(other.path(), &segment(other.path(), 20_000));
        let segment = segment(directory.path(), 20_000);
        let loaded = segment.load().unwrap();
        let of_first = first.load().unwrap();
        assert!(matches!(of_first.index.row_groups[0].checks, Checks::Columns(_)));
        for (segment, loaded) in [(&segment, loaded), (&first, of_first)] {
            for wanted in
                [[true; 3], [true, false, true], [false, true, false], [false, false, true]]
            {
                let rows = Rows::new(segment, Arc::clone(&loaded), 0);
                let some = Stretches::those(20_000, |stretch| wanted[stretch]);
                let columns = rows.columns(&Wanted::All, &some).unwrap();
                for row in some.rows().rows() {
                    let number = i64::try_from(row).unwrap();
                    let (found, expected) = (columns.event(row).unwrap(), event(number));
                    assert_eq!(found.original(), expected.original());
                    for field in [Field::Message, Field::HostName, Field::ProcessPid] {
                        assert_eq!(found.get(field), expected.get(field), "{row}");
                    }
                    assert_eq!(columns.stored(row).unwrap().0, row as u64 + 1);
                }
                let none = Stretches::those(20_000, |_| false);
                assert!(rows.ids(&none).unwrap().iter().count() == 20_000);
            }
        }
    }

    #[test]
    fn a_page_that_was_changed_is_found_where_it_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let segment = segment(directory.path(), 20_000);
        let loaded = segment.load().unwrap();
        let columns = loaded.metadata.row_groups()[0].columns();
        let message = columns.iter().find(|column| column.column_path().string() == "message");
        let range = byte_range(message.unwrap().byte_range());
        let mut bytes = std::fs::read(&segment.path).unwrap();
        bytes[range.end - 9] ^= 1;
        std::fs::write(&segment.path, bytes).unwrap();
        let message = |stretch| {
            let rows = Rows::new(&segment, Arc::clone(&loaded), 0);
            rows.whole_text(Field::Message, &Stretches::those(20_000, |other| other == stretch))
                .map(drop)
        };
        assert!(message(0).is_ok());
        let said = message(2).unwrap_err().to_string();
        assert!(said.contains("the checksum of column message is wrong"), "{said}");
    }
}
