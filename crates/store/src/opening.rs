//! Opening a store: reading the manifest and the log, and clearing away what a crash left.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::batches::Batches;
use crate::block::{Block, Part};
use crate::catalog::Catalog;
use crate::encode::{Encoded, Names, Wanted, encode};
use crate::error::StoreError;
use crate::manifest::Manifest;
use crate::seal::Sealer;
use crate::segment::open::Segment;
use crate::segment::write::staging;
use crate::snapshot::{Shared, Snapshot};
use crate::wal::{self, Frame, FrameWriter, WalFile};
use crate::{Committed, Options, PendingFindings, Reader, Writer};

/// Opens the store in a directory, which is made where it is absent.
///
/// Exactly the batches that were committed are there afterwards, each once. Also gives the findings
/// of the batches that are still in the write-ahead log.
///
/// # Errors
/// [`StoreError::Locked`] where another process has it open, [`StoreError::Corrupt`] where a file
/// was damaged, otherwise failures of the disk.
pub fn open(
    directory: &Path,
    options: Options,
) -> Result<(Writer, Reader, Vec<PendingFindings>), StoreError> {
    let wal_directory = directory.join("wal");
    for path in [directory, &wal_directory, &directory.join("segments")] {
        fs::create_dir_all(path).map_err(|error| StoreError::io("create", path, error))?;
    }
    wal::sync_directory(directory)?;
    let lock = lock(directory)?;
    let manifest = match Manifest::read(directory)? {
        Some(manifest) => manifest,
        None => {
            refuse_lost_manifest(directory)?;
            Manifest::empty()
        }
    };
    clear_leftovers(directory, &manifest)?;
    let mut recovery = Recovery::new(directory, &manifest)?;
    let files =
        wal::recover(&wal_directory, |path, names, frame| recovery.frame(path, names, frame))?;
    let number = files.last().map_or(1, |file| file.number + 1);
    let wal = WalFile::create(&wal_directory, number, options.sync)?;
    let segments = manifest
        .segments
        .iter()
        .map(|entry| Arc::new(Segment::new(entry.clone(), directory)))
        .collect();
    let snapshot = Snapshot {
        active: recovery.part,
        sealing: None,
        segments: Arc::new(segments),
        wal_bytes: files.iter().map(|file| file.finished.length).sum::<u64>() + wal.length(),
        torn_bytes: files.iter().map(|file| file.cut).sum(),
    };
    let shared = Arc::new(Shared::new(
        directory.to_owned(),
        snapshot,
        recovery.next_event_id.saturating_sub(1),
    ));
    let writer = Writer {
        shared: Arc::clone(&shared),
        frames: FrameWriter::new(wal.path())?,
        wal,
        batches: recovery.batches,
        next_event_id: recovery.next_event_id,
        next_sequence: recovery.next_sequence,
        finished: files.into_iter().map(|file| file.finished).collect(),
        applied: 0,
        sealer: Sealer::new(Arc::new(Catalog::new(Arc::clone(&shared), manifest, options.sync))),
        options,
        _lock: lock,
    };
    Ok((writer, Reader::new(shared), recovery.findings))
}

/// What the log tells beyond the manifest.
struct Recovery {
    sealed_sequence: u64,
    part: Part,
    batches: Batches,
    next_event_id: u64,
    next_sequence: u64,
    findings: Vec<PendingFindings>,
    current: Names,
}

impl Recovery {
    fn new(directory: &Path, manifest: &Manifest) -> Result<Self, StoreError> {
        let batches = match &manifest.batches {
            Some(name) => Batches::read(&directory.join(name))?,
            None => Batches::default(),
        };
        Ok(Recovery {
            sealed_sequence: manifest.sealed_sequence,
            part: Part::default(),
            batches,
            next_event_id: manifest.next_event_id,
            next_sequence: manifest.sealed_sequence + 1,
            findings: Vec::new(),
            current: Names::current(),
        })
    }

    fn frame(&mut self, path: &Path, names: &Names, frame: Frame) -> Result<(), StoreError> {
        if frame.sequence > self.sealed_sequence {
            if frame.sequence != self.next_sequence || frame.first_event_id != self.next_event_id {
                let reason = format!("batch {} is missing", self.next_sequence);
                return Err(StoreError::corrupt(path, reason));
            }
            let block = self.block(names, &frame).map_err(|reason| {
                StoreError::corrupt(path, format!("{reason} in batch {}", frame.sequence))
            })?;
            self.next_sequence += 1;
            self.next_event_id += block.len() as u64;
            self.part.push(block, frame.ingested);
            let Frame { sequence, first_event_id, .. } = frame;
            self.batches.insert(frame.id, Committed { sequence, first_event_id });
        }
        if !frame.findings.is_empty() {
            let Frame { sequence, findings, .. } = frame;
            self.findings.push(PendingFindings { sequence, findings });
        }
        Ok(())
    }

    /// The events of a frame, in this build's encoding.
    fn block(&self, names: &Names, frame: &Frame) -> Result<Block, String> {
        let mut block = Block::new(frame.first_event_id);
        let mut bytes = Vec::new();
        let same = names.to_lines() == self.current.to_lines();
        for event in frame.events() {
            let event = event?;
            let encoded = Encoded::new(event)?;
            let decoded = encoded.event(names, &Wanted::All)?;
            if same {
                block.push(event, encoded.created);
                continue;
            }
            bytes.clear();
            encode(&decoded, encoded.ingested, &mut bytes).map_err(|error| error.to_string())?;
            block.push(&bytes, encoded.created);
        }
        Ok(block)
    }
}

/// The lock that whoever has the store open holds.
pub(crate) fn lock(directory: &Path) -> Result<File, StoreError> {
    let path = directory.join("lock");
    let file = File::create(&path).map_err(|error| StoreError::io("create", &path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: directory.to_owned() }),
        Err(TryLockError::Error(error)) => Err(StoreError::io("lock", &path, error)),
    }
}

/// Every segment file, by day.
pub(crate) fn segment_files(directory: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let root = directory.join("segments");
    let list = |path: &Path| -> Result<Vec<PathBuf>, StoreError> {
        let failed = |error| StoreError::io("list", path, error);
        let entries = fs::read_dir(path).map_err(failed)?;
        entries.map(|entry| Ok(entry.map_err(failed)?.path())).collect()
    };
    let mut files = Vec::new();
    for day in list(&root)? {
        if day.is_dir() {
            files.extend(list(&day)?);
        }
    }
    Ok(files)
}

/// Segments without a manifest are not to be overwritten as if they were nothing.
fn refuse_lost_manifest(directory: &Path) -> Result<(), StoreError> {
    let kept = directory.join("wal").join("00000001.log").exists();
    if !kept && segment_files(directory)?.iter().any(|file| is_segment(file)) {
        let path = directory.join("manifest.json");
        return Err(StoreError::corrupt(&path, "it is gone, but there are segments"));
    }
    Ok(())
}

fn is_segment(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "parquet")
}

/// Removes what a crash between writing segments and entering them into the manifest left, or
/// between taking them out of it and removing them. What the manifest says nothing of is not touched.
fn clear_leftovers(directory: &Path, manifest: &Manifest) -> Result<(), StoreError> {
    let remove = |path: &Path| match fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(|error| StoreError::io("remove", path, error)),
    };
    match fs::remove_dir_all(staging(directory)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(StoreError::io("remove", &staging(directory), error));
        }
        Ok(()) | Err(_) => {}
    }
    for path in manifest.leaving.iter().flat_map(|leaving| leaving.paths(directory)) {
        remove(&path)?;
    }
    for path in segment_files(directory)? {
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
        if number.is_some_and(|number| number >= manifest.next_segment) {
            remove(&path)?;
        }
    }
    let entries =
        fs::read_dir(directory).map_err(|error| StoreError::io("list", directory, error))?;
    for entry in entries {
        let path = entry.map_err(|error| StoreError::io("list", directory, error))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let old = name.starts_with("batches-") && manifest.batches.as_deref() != Some(name);
        if old || name == "manifest.tmp" {
            remove(&path)?;
        }
    }
    Ok(())
}
