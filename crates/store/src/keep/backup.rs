//! A copy of a store that a hub may be using meanwhile.
//!
//! Nothing is locked. Segments are immutable and the manifest is replaced whole, so a copy is one of
//! some moment if the manifest did not change while the log was copied; else it is begun again.

use std::fs;
use std::path::Path;

use super::copy::{copied, copy};
use crate::error::StoreError;
use crate::ledger;
use crate::limits::Stop;
use crate::manifest::Manifest;
use crate::wal::sync_directory;

/// How often it is begun again before it is given up: segments are written minutes apart.
const TRIES: usize = 20;

/// Copies the store in `from` to `to`, durably, every segment checked against its hash. `before` copies
/// what must not be newer than the events, such as the alerts that stand on them; it may be called
/// several times.
///
/// # Errors
/// What `before` failed with, [`StoreError::Corrupt`] where a segment is not what the manifest says,
/// [`StoreError::Cancelled`], and failures of the disk.
pub fn backup(
    from: &Path,
    to: &Path,
    stop: &Stop,
    mut before: impl FnMut() -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let create = |path: &Path| {
        fs::create_dir_all(path).map_err(|error| StoreError::io("create", path, error))
    };
    create(&to.join("segments"))?;
    for _ in 0..TRIES {
        let manifest = Manifest::read(from)?;
        before()?;
        let wal = to.join("wal");
        if wal.exists() {
            fs::remove_dir_all(&wal).map_err(|error| StoreError::io("remove", &wal, error))?;
        }
        create(&wal)?;
        match copy_log(from, to, stop).and_then(|()| copy_rest(from, to, manifest, stop)) {
            Ok(true) => return sync_directory(to),
            Ok(false) => {}
            // It left while it was about to be copied.
            Err(StoreError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            }
            Err(error) => return Err(error),
        }
    }
    Err(StoreError::io(
        "copy",
        from,
        std::io::Error::other("it changes faster than it can be copied, try again"),
    ))
}

/// The log; its files go only after their events are in segments.
fn copy_log(from: &Path, to: &Path, stop: &Stop) -> Result<(), StoreError> {
    let directory = from.join("wal");
    let failed = |error| StoreError::io("list", &directory, error);
    let mut files = Vec::new();
    for entry in fs::read_dir(&directory).map_err(failed)? {
        files.push(entry.map_err(failed)?.path());
    }
    files.sort();
    for path in files {
        if let Some(name) = path.file_name().filter(|_| path.is_file()) {
            copy(&path, &to.join("wal").join(name), stop)?;
        }
    }
    sync_directory(&to.join("wal"))
}

/// Everything else; false where the manifest is another one by now.
fn copy_rest(
    from: &Path,
    to: &Path,
    manifest: Option<Manifest>,
    stop: &Stop,
) -> Result<bool, StoreError> {
    let now = Manifest::read(from)?;
    let ledger_of = |manifest: &Option<Manifest>| manifest.as_ref().map(|one| one.ledger.clone());
    if ledger_of(&now) != ledger_of(&manifest) {
        return Ok(false);
    }
    let Some(mut manifest) = now else { return Ok(true) };
    manifest.leaving.clear();
    if let Some(batches) = &manifest.batches {
        copy(&from.join(batches), &to.join(batches), stop)?;
    }
    for entry in &manifest.segments {
        let (path, index) = (entry.path(to), entry.index_path(to));
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| StoreError::io("create", folder, error))?;
        }
        copied(&entry.path(from), &path, (entry.bytes, &entry.hash), stop)?;
        copied(&entry.index_path(from), &index, (entry.index_bytes, &entry.index_hash), stop)?;
    }
    let ledger = ledger::path(to);
    if manifest.ledger.records > 0 {
        copy(&ledger::path(from), &ledger, stop)?;
        // What was added since is no part of this copy.
        let file = fs::OpenOptions::new().write(true).open(&ledger);
        file.and_then(|file| file.set_len(manifest.ledger.bytes).and_then(|()| file.sync_all()))
            .map_err(|error| StoreError::io("truncate", &ledger, error))?;
    }
    manifest.write(to, true)?;
    remove_others(to, &manifest)?;
    Ok(true)
}

/// Segments that an earlier try copied and that have left since.
fn remove_others(to: &Path, manifest: &Manifest) -> Result<(), StoreError> {
    let paths = |entry: &crate::manifest::Entry| [entry.path(to), entry.index_path(to)];
    let wanted: std::collections::HashSet<_> = manifest.segments.iter().flat_map(paths).collect();
    for path in crate::opening::segment_files(to)? {
        if !wanted.contains(&path) {
            fs::remove_file(&path).map_err(|error| StoreError::io("remove", &path, error))?;
        }
    }
    Ok(())
}
