//! Knowing a file again: device, inode and how it begins.

use std::fs::File;
use std::io;
use std::path::Path;

use super::system;
use crate::checkpoint::Fingerprint;

/// How many first bytes of a file tell it from others.
pub(super) const HEAD: usize = 1024;

/// A regular file, open for reading, and where it lives.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) file: File,
    pub(super) dev: u64,
    pub(super) inode: u64,
    pub(super) size: u64,
    pub(super) modified: (i64, i64),
}

/// Opens a regular file; anything else (a FIFO would block for ever) is an error.
pub(super) fn open(path: &Path) -> io::Result<Opened> {
    let file = system::open(path)?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let (dev, inode) = system::place(&file, &about)?;
    Ok(Opened { file, dev, inode, size: about.len(), modified: system::modified(&about) })
}

/// The first `length` bytes of the file, fewer where it is shorter.
pub(super) fn head(file: &File, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length.min(HEAD)];
    let read = read_full_at(file, &mut bytes, 0)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// The first bytes, where the file begins as the fingerprint says.
pub(super) fn recognise(file: &File, print: &Fingerprint) -> io::Result<Option<Vec<u8>>> {
    let bytes = head(file, usize::from(print.bytes))?;
    let same = bytes.len() == usize::from(print.bytes)
        && (bytes.is_empty() || Fingerprint::of(&bytes) == *print);
    Ok(same.then_some(bytes))
}

/// Whether two files begin the same, as far as the shorter goes.
pub(super) fn begin_alike(one: &File, other: &File) -> bool {
    let (Ok(one), Ok(other)) = (head(one, HEAD), head(other, HEAD)) else { return false };
    !one.is_empty() && !other.is_empty() && one.iter().zip(&other).all(|(a, b)| a == b)
}

/// Reads at `offset` until the buffer is full or the file ends.
pub(super) fn read_full_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match system::read_at(file, rest, offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
