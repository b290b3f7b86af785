//! What can go wrong in the store, by what the caller can do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no room: disk, quota or file size. Nothing was stored; the same call can succeed
    /// once there is room again.
    #[error("cannot write {path}: no space left: {source}")]
    Full {
        /// The file being written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused or failed. Nothing was stored; a retry may help.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// The file it was done to.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A stored file does not hold what was written to it. A retry does not help.
    #[error("cannot read {path}: corrupt: {reason}")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The caller gave more than one event or batch may hold. A retry does not help.
    #[error("cannot store {what} of {size} bytes: the limit is {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size in bytes.
        size: usize,
        /// The most there may be.
        limit: usize,
    },
    /// Another process has the store open for writing.
    #[error("cannot open {path}: another process is writing to it")]
    Locked {
        /// The directory of the store.
        path: PathBuf,
    },
    /// The system gave no thread to write a segment with.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] io::Error),
    /// An export cannot be written: its receiver failed, or a value does not fit its column. Nothing
    /// in the store is wrong.
    #[error("cannot write the export: {0}")]
    Export(#[source] io::Error),
    /// The caller's [`Stop`](crate::Stop) was set.
    #[error("cannot finish: stopped before the end")]
    Cancelled,
    /// What was asked takes more memory than the caller's limits allow.
    #[error(
        "cannot hold all {what} in {} MiB: narrow the search or the time, or group by less",
        limit >> 20
    )]
    TooMuch {
        /// What takes it.
        what: &'static str,
        /// The most bytes that it may take.
        limit: usize,
    },
    /// An aggregation that makes no sense. A retry does not help.
    #[error("cannot aggregate: {0}")]
    Aggregation(String),
}

impl StoreError {
    /// The error of a failed system call on `path`; tells a lack of space apart.
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => StoreError::Full { path, source },
            _ => StoreError::Io { action, path, source },
        }
    }

    /// The error of a file that holds what it should not.
    pub(crate) fn corrupt(path: &Path, reason: impl Into<String>) -> Self {
        StoreError::Corrupt { path: path.to_owned(), reason: reason.into() }
    }
}
