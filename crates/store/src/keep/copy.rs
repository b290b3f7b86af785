//! Copying files whose content is known.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::error::StoreError;
use crate::limits::Stop;

const CHUNK: usize = 1 << 20;

/// Copies a file of this size and hash, durably.
pub(super) fn copied(
    from: &Path,
    to: &Path,
    (size, hash): (u64, &str),
    stop: &Stop,
) -> Result<(), StoreError> {
    let (length, found) = copy(from, to, stop)?;
    if length != size || found != hash {
        return Err(StoreError::corrupt(from, "it is not what the manifest says"));
    }
    Ok(())
}

/// Copies a file, durably, readable by its owner alone; returns its size and its hash.
pub(super) fn copy(from: &Path, to: &Path, stop: &Stop) -> Result<(u64, String), StoreError> {
    let options = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(to);
    let mut target = options.map_err(|error| StoreError::io("create", to, error))?;
    let written = read(from, stop, |bytes| {
        target.write_all(bytes).map_err(|error| StoreError::io("write", to, error))
    })?;
    target.sync_all().map_err(|error| StoreError::io("sync", to, error))?;
    Ok(written)
}

/// The size and the hash of a file.
pub(super) fn hashed(path: &Path, stop: &Stop) -> Result<(u64, String), StoreError> {
    read(path, stop, |_| Ok(()))
}

fn read(
    path: &Path,
    stop: &Stop,
    mut each: impl FnMut(&[u8]) -> Result<(), StoreError>,
) -> Result<(u64, String), StoreError> {
    let mut file = File::open(path).map_err(|error| StoreError::io("open", path, error))?;
    let (mut hasher, mut length) = (blake3::Hasher::new(), 0);
    let mut buffer = vec![0; CHUNK];
    loop {
        if stop.is_set() {
            return Err(StoreError::Cancelled);
        }
        let read = file.read(&mut buffer).map_err(|error| StoreError::io("read", path, error))?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        hasher.update(bytes);
        length += bytes.len() as u64;
        each(bytes)?;
    }
    Ok((length, hasher.finalize().to_hex().to_string()))
}
