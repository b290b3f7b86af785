//! Reading the log back after a stop or a crash.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use super::write::Finished;
use super::{CHECKSUM, FILE_HEADER, FILE_MAGIC, Frame, checksum};
use crate::bytes_io::{Bytes, Malformed};
use crate::encode::Names;
use crate::error::StoreError;

/// A log file larger than this was not written by this program.
const MAX_FILE: u64 = 4 << 30;

/// One log file as it was found.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// The file, as the writer keeps it until it may go.
    pub(crate) finished: Finished,
    /// Its number.
    pub(crate) number: u64,
    /// Bytes of a torn tail that were cut off.
    pub(crate) cut: u64,
}

/// Reads every log file in order, hands each whole frame over, and cuts torn tails.
///
/// # Errors
/// [`StoreError::Corrupt`] where something that was durable cannot be read.
pub(crate) fn recover(
    directory: &Path,
    mut each: impl FnMut(&Path, &Names, Frame) -> Result<(), StoreError>,
) -> Result<Vec<Recovered>, StoreError> {
    let files = list(directory)?;
    let last = files.len().saturating_sub(1);
    let mut recovered = Vec::with_capacity(files.len());
    for (position, (number, path)) in files.into_iter().enumerate() {
        let bytes = read(&path)?;
        let Some((names, start)) = header(&bytes) else {
            // A crash while the newest file was made leaves it short; nothing was ever in it.
            if position == last && Frame::next_start(&bytes, 0).is_none() {
                fs::remove_file(&path).map_err(|error| StoreError::io("remove", &path, error))?;
                continue;
            }
            return Err(StoreError::corrupt(&path, "its header is damaged"));
        };
        let mut finished =
            Finished { path: path.clone(), length: 0, last_sequence: 0, last_with_findings: 0 };
        let end = frames(&path, &bytes, start, |frame| {
            finished.last_sequence = frame.sequence;
            if !frame.findings.is_empty() {
                finished.last_with_findings = frame.sequence;
            }
            each(&path, &names, frame)
        })?;
        let cut = (bytes.len() - end) as u64;
        finished.length = end as u64;
        if cut > 0 {
            cut_at(&path, finished.length)?;
        }
        recovered.push(Recovered { finished, number, cut });
    }
    Ok(recovered)
}

/// Reads frames up to the first that is not whole; returns where that is.
fn frames(
    path: &Path,
    bytes: &[u8],
    start: usize,
    mut each: impl FnMut(Frame) -> Result<(), StoreError>,
) -> Result<usize, StoreError> {
    let mut at = start;
    while at < bytes.len() {
        match Frame::read(bytes.get(at..).unwrap_or_default()) {
            Ok(frame) => {
                let size = frame.size;
                each(frame)?;
                at += size;
            }
            Err(reason) => {
                was_never_durable(path, bytes, at, reason)?;
                break;
            }
        }
    }
    Ok(at)
}

/// An error where a later frame tells that the bytes at `at` were durable once.
fn was_never_durable(
    path: &Path,
    bytes: &[u8],
    at: usize,
    reason: Malformed,
) -> Result<(), StoreError> {
    let mut from = at + 1;
    while let Some(start) = Frame::next_start(bytes, from) {
        if let Ok(frame) = Frame::read(bytes.get(start..).unwrap_or_default())
            && frame.durable > at as u64
        {
            return Err(StoreError::corrupt(path, format!("{reason} at byte {at}")));
        }
        from = start + 1;
    }
    Ok(())
}

fn list(directory: &Path) -> Result<Vec<(u64, PathBuf)>, StoreError> {
    let failed = |error| StoreError::io("list", directory, error);
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "log")
            && let Some(stem) = path.file_stem().and_then(|stem| stem.to_str())
            && let Ok(number) = stem.parse::<u64>()
        {
            files.push((number, path));
        }
    }
    files.sort();
    Ok(files)
}

fn read(path: &Path) -> Result<Vec<u8>, StoreError> {
    let failed = |error| StoreError::io("read", path, error);
    if fs::metadata(path).map_err(failed)?.len() > MAX_FILE {
        return Err(StoreError::corrupt(path, "it is larger than any log file"));
    }
    fs::read(path).map_err(failed)
}

fn header(bytes: &[u8]) -> Option<(Names, usize)> {
    let mut reader = Bytes(bytes);
    if reader.array::<8>().ok()? != *FILE_MAGIC {
        return None;
    }
    let length = usize::try_from(reader.u32().ok()?).ok()?;
    let expected: [u8; CHECKSUM] = reader.array().ok()?;
    let names = reader.take(length).ok()?;
    if checksum(&[names]) != expected {
        return None;
    }
    Some((Names::from_lines(std::str::from_utf8(names).ok()?), FILE_HEADER + length))
}

fn cut_at(path: &Path, length: u64) -> Result<(), StoreError> {
    OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|file| file.set_len(length).and_then(|()| file.sync_all()))
        .map_err(|error| StoreError::io("truncate", path, error))
}
