//! Batches that the hub found at fault: set aside for a person to look at, never sent again.

use std::io;
use std::path::{Path, PathBuf};

use crate::disk::{make_private, private_file};

/// The most batches and bytes that are kept.
const MAX_FILES: usize = 64;
const MAX_BYTES: u64 = 64 << 20;

/// Keeps the body as `rejected/<batch>.ndjson.zst`; an error where there is no room.
pub(crate) fn keep(state_dir: &Path, batch: &str, body: &[u8]) -> io::Result<PathBuf> {
    let directory = state_dir.join("rejected");
    make_private(&directory)?;
    let mut files = 0;
    let mut bytes = body.len() as u64;
    for entry in std::fs::read_dir(&directory)? {
        files += 1;
        bytes += entry?.metadata()?.len();
    }
    if files >= MAX_FILES || bytes > MAX_BYTES {
        return Err(io::Error::other("rejected/ is full"));
    }
    let path = directory.join(format!("{batch}.ndjson.zst"));
    io::Write::write_all(&mut private_file().open(&path)?, body)?;
    Ok(path)
}
