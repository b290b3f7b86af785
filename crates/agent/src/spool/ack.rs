//! How far the hub has taken the spool, in one small file that is written in place.
//!
//! It is not synced: where a power cut loses it, batches are sent again, and the hub drops them by
//! their ids.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::disk::{private_file, read_exact_at, write_all_at};
use crate::frame::checksum;

/// The first frame that the hub has not taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) segment: u64,
    pub(crate) offset: u64,
    /// How many records of that frame are done, where they go one by one.
    pub(crate) done: u64,
}

#[derive(Debug)]
pub(super) struct AckFile(File);

impl AckFile {
    pub(super) fn open(path: &Path) -> io::Result<(Self, Option<Mark>)> {
        let file = private_file().open(path)?;
        let mut bytes = [0; 40];
        let mark = match read_exact_at(&file, &mut bytes, 0) {
            Ok(()) => read(&bytes),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
            Err(error) => return Err(error),
        };
        Ok((AckFile(file), mark))
    }

    pub(super) fn write(&mut self, mark: Mark) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(40);
        for number in [mark.segment, mark.offset, mark.done] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        let sum = checksum(&bytes, b"", b"");
        bytes.extend_from_slice(&sum);
        write_all_at(&self.0, &bytes, 0)
    }
}

fn read(bytes: &[u8; 40]) -> Option<Mark> {
    let (numbers, sum) = bytes.split_last_chunk::<16>()?;
    if checksum(numbers, b"", b"") != *sum {
        return None;
    }
    let mut numbers = numbers.as_chunks::<8>().0.iter().map(|number| u64::from_le_bytes(*number));
    Some(Mark { segment: numbers.next()?, offset: numbers.next()?, done: numbers.next()? })
}
