//! The write-ahead log: files of checksummed frames, one frame for each batch.
//!
//! A file starts with a header that names the event fields its frames refer to by number. A frame
//! also tells up to which byte the file was on disk when it was written; so a torn tail, which was
//! never acknowledged and is cut, can be told from damage to what was, which is an error.

mod frame;
mod recover;
mod write;

use std::fs::File;
use std::path::{Path, PathBuf};

pub(crate) use frame::{Frame, FrameWriter, NewFrame};
pub(crate) use recover::recover;
pub(crate) use write::{Finished, WalFile};

use crate::error::StoreError;

const FILE_MAGIC: &[u8; 8] = b"BFWAL\0\0\x01";
/// Header: magic, length of the names, their checksum.
const FILE_HEADER: usize = 8 + 4 + 16;
const CHECKSUM: usize = 16;

/// The path of the log file of this number.
pub(crate) fn path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:08}.log"))
}

fn checksum(parts: &[&[u8]]) -> [u8; CHECKSUM] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    let mut short = [0; CHECKSUM];
    hasher.finalize_xof().fill(&mut short);
    short
}

/// Makes the entries of a directory durable.
pub(crate) fn sync_directory(directory: &Path) -> Result<(), StoreError> {
    File::open(directory)
        .and_then(|file| file.sync_all())
        .map_err(|error| StoreError::io("sync", directory, error))
}
