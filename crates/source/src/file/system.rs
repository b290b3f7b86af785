//! What systems do differently: opening a log, knowing a file again, reading at a place.

use std::fs::{DirEntry, File, Metadata};
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// When a file was last written to, in seconds and nanoseconds since 1970.
pub(super) fn modified(about: &Metadata) -> (i64, i64) {
    let seconds = |time: std::time::Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let Ok(time) = about.modified() else { return (0, 0) };
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => (seconds(since), i64::from(since.subsec_nanos())),
        Err(before) => match (seconds(before.duration()), before.duration().subsec_nanos()) {
            (whole, 0) => (-whole, 0),
            (whole, nanos) => (-whole - 1, i64::from(1_000_000_000 - nanos)),
        },
    }
}

#[cfg(unix)]
mod here {
    use std::fs::OpenOptions;
    use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};

    use super::*;

    /// Opens for reading; whatever it is, that does not block.
    pub(in super::super) fn open(path: &Path) -> io::Result<File> {
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        OpenOptions::new()
            .read(true)
            .custom_flags(i32::try_from(flags.bits()).unwrap_or_default())
            .open(path)
    }

    /// The device that holds an open file, and its inode there.
    pub(in super::super) fn place(_file: &File, about: &Metadata) -> io::Result<(u64, u64)> {
        Ok((about.dev(), about.ino()))
    }

    /// The inode of a file that a directory holds.
    pub(in super::super) fn inode(_entry: &DirEntry, about: &Metadata) -> io::Result<u64> {
        Ok(about.ino())
    }

    /// Reads at `offset`.
    pub(in super::super) fn read_at(
        file: &File,
        buffer: &mut [u8],
        offset: u64,
    ) -> io::Result<usize> {
        file.read_at(buffer, offset)
    }
}

#[cfg(windows)]
mod here {
    use std::os::windows::fs::FileExt as _;

    use super::*;

    /// Opens for reading, so that its writer may go on, rename it and delete it.
    pub(in super::super) fn open(path: &Path) -> io::Result<File> {
        File::open(path)
    }

    /// The volume that holds an open file, and its number there.
    pub(in super::super) fn place(file: &File, _about: &Metadata) -> io::Result<(u64, u64)> {
        let about = winapi_util::file::information(file)?;
        Ok((about.volume_serial_number(), about.file_index()))
    }

    /// The number of a file that a directory holds.
    pub(in super::super) fn inode(entry: &DirEntry, about: &Metadata) -> io::Result<u64> {
        place(&open(&entry.path())?, about).map(|(_, number)| number)
    }

    /// Reads at `offset`.
    pub(in super::super) fn read_at(
        file: &File,
        buffer: &mut [u8],
        offset: u64,
    ) -> io::Result<usize> {
        match file.seek_read(buffer, offset) {
            // ERROR_HANDLE_EOF: what it says of an offset past the end.
            Err(error) if error.raw_os_error() == Some(38) => Ok(0),
            read => read,
        }
    }
}

pub(super) use here::{inode, open, place, read_at};
