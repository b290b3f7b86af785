//! Writing a log file.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::{FILE_HEADER, FILE_MAGIC, checksum, path};
use crate::bytes_io::saturating_u32;
use crate::encode::Names;
use crate::error::StoreError;

/// A log file, and which batches are in it.
#[derive(Debug)]
pub(crate) struct WalFile {
    path: PathBuf,
    number: u64,
    file: File,
    /// Bytes known to be whole and, where syncing is on, durable.
    length: u64,
    /// A failed write may have left bytes after `length`.
    torn: bool,
    sync: bool,
    last_sequence: u64,
    last_with_findings: u64,
}

impl WalFile {
    /// Starts a new file, its header and directory entry durable.
    pub(crate) fn create(directory: &Path, number: u64, sync: bool) -> Result<Self, StoreError> {
        let path = path(directory, number);
        let header = header();
        // The number is new: a file that is there was left by a try that failed.
        let create = || -> std::io::Result<File> {
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).open(&path)?;
            file.write_all(&header)?;
            if sync {
                file.sync_all()?;
                File::open(directory)?.sync_all()?;
            }
            Ok(file)
        };
        let file = create().map_err(|error| StoreError::io("create", &path, error))?;
        let length = header.len() as u64;
        Ok(WalFile {
            path,
            number,
            file,
            length,
            torn: false,
            sync,
            last_sequence: 0,
            last_with_findings: 0,
        })
    }

    /// Its number; later files have greater ones.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whole bytes in it.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Appends whole frames: all of them durable, or an error and none of them there.
    pub(crate) fn append(&mut self, frames: &[u8]) -> Result<(), StoreError> {
        if self.torn {
            self.cut()?;
        }
        let written = self
            .file
            .write_all_at(frames, self.length)
            .and_then(|()| if self.sync { self.file.sync_data() } else { Ok(()) });
        if let Err(error) = written {
            self.torn = true;
            // Cutting now keeps the file clean; where even that fails, the next append cuts first.
            return match self.cut() {
                Ok(()) | Err(_) => Err(StoreError::io("write", &self.path, error)),
            };
        }
        self.length += frames.len() as u64;
        Ok(())
    }

    /// Notes which batches were appended.
    pub(crate) fn note(&mut self, sequence: u64, has_findings: bool) {
        self.last_sequence = self.last_sequence.max(sequence);
        if has_findings {
            self.last_with_findings = self.last_with_findings.max(sequence);
        }
    }

    /// The file without its handle, for when it may go.
    pub(crate) fn finish(self) -> Finished {
        Finished {
            path: self.path,
            length: self.length,
            last_sequence: self.last_sequence,
            last_with_findings: self.last_with_findings,
        }
    }

    fn cut(&mut self) -> Result<(), StoreError> {
        let cut = self
            .file
            .set_len(self.length)
            .and_then(|()| if self.sync { self.file.sync_all() } else { Ok(()) });
        cut.map_err(|error| StoreError::io("truncate", &self.path, error))?;
        self.torn = false;
        Ok(())
    }
}

/// A log file that is no longer written to.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// Bytes in it.
    pub(crate) length: u64,
    /// Its last batch.
    pub(crate) last_sequence: u64,
    /// Its last batch that has findings; 0 where none has.
    pub(crate) last_with_findings: u64,
}

fn header() -> Vec<u8> {
    let names = Names::current().to_lines();
    let mut header = Vec::with_capacity(FILE_HEADER + names.len());
    header.extend_from_slice(FILE_MAGIC);
    header.extend_from_slice(&saturating_u32(names.len()).to_le_bytes());
    header.extend_from_slice(&checksum(&[names.as_bytes()]));
    header.extend_from_slice(names.as_bytes());
    header
}
