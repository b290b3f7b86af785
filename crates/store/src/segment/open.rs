//! A segment as readers see it: nothing is read from its files that is not checked first.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::buf::Reader;
use bytes::{Buf, Bytes};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;

use super::index::{Index, checksum};
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
        Segment { entry, path, index_path, kept: Mutex::new(None) }
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

    /// Pages of a column of a row group.
    pub(crate) fn pages(
        &self,
        file: &File,
        loaded: &Loaded,
        group: usize,
        column: usize,
    ) -> Result<SerializedPageReader<Chunk>, StoreError> {
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
        let bytes = self.read(file, range.start as u64, range.len())?;
        if index.chunks.get(column) != Some(&checksum(&bytes)) {
            let name = metadata.column_path().string();
            return Err(corrupt(&format!("the checksum of column {name} is wrong")));
        }
        let chunk = Arc::new(Chunk { start: range.start as u64, bytes: Bytes::from(bytes) });
        SerializedPageReader::new(chunk, metadata, index.rows, None)
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
        let mut bytes = vec![0; length];
        match file.read_exact_at(&mut bytes, start) {
            Ok(()) => Ok(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Err(StoreError::corrupt(&self.path, "it ends early"))
            }
            Err(error) => Err(StoreError::io("read", &self.path, error)),
        }
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        let kept = self.kept.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = kept {
            KEPT.fetch_sub(loaded.size, Ordering::Relaxed);
        }
    }
}

/// The checked bytes of one column chunk, addressed by their place in the file.
pub(crate) struct Chunk {
    start: u64,
    bytes: Bytes,
}

impl Chunk {
    fn from(&self, start: u64) -> parquet::errors::Result<Bytes> {
        let at = start.checked_sub(self.start).and_then(|at| usize::try_from(at).ok());
        match at.filter(|at| *at <= self.bytes.len()) {
            Some(at) => Ok(self.bytes.slice(at..)),
            None => Err(parquet::errors::ParquetError::EOF("a page lies elsewhere".to_owned())),
        }
    }
}

impl Length for Chunk {
    fn len(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

impl ChunkReader for Chunk {
    type T = Reader<Bytes>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(self.from(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let bytes = self.from(start)?;
        if length > bytes.len() {
            return Err(parquet::errors::ParquetError::EOF("a page ends early".to_owned()));
        }
        Ok(bytes.slice(..length))
    }
}
