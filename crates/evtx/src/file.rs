//! The chunks of a file, in order.

use std::io::{self, Read, Seek, SeekFrom};

use crate::EvtxError;
use crate::chunk::{CHUNK_SIZE, Chunk};

const HEADER_SIZE: usize = 4096;
const MAGIC: &[u8] = b"ElfFile\0";
/// Where the flags of the header stand, and that of a log which is open, or was never closed: its last
/// checksums are not written yet.
const FLAGS: usize = 120;
const OPEN: u8 = 1;

/// Whether a file that begins with these bytes is an event log.
pub fn is_evtx(start: &[u8]) -> bool {
    start.starts_with(MAGIC)
}

/// The chunks of one event log.
pub struct Chunks<R> {
    reader: R,
    /// Whether Windows had closed the log.
    closed: bool,
    next: u64,
    /// The numbers of the chunks, oldest records first, and how to go to one.
    order: Option<Order<R>>,
    failed: bool,
}

struct Order<R> {
    numbers: std::vec::IntoIter<u64>,
    go_to: fn(&mut R, u64) -> io::Result<()>,
}

impl<R: Read> Chunks<R> {
    /// The chunks in the order in which the file holds them.
    ///
    /// In a log of limited size Windows writes over the oldest chunks, so that a later chunk may hold
    /// older records; see [`Chunks::oldest_first`].
    ///
    /// # Errors
    /// [`EvtxError::NotAnEventLog`], or what the reader says.
    pub fn new(mut reader: R) -> Result<Self, EvtxError> {
        let mut header = Vec::with_capacity(HEADER_SIZE);
        reader.by_ref().take(HEADER_SIZE as u64).read_to_end(&mut header)?;
        if !is_evtx(&header) {
            return Err(EvtxError::NotAnEventLog);
        }
        let closed = header.get(FLAGS).is_some_and(|flags| flags & OPEN == 0);
        Ok(Chunks { reader, closed, next: 0, order: None, failed: false })
    }

    fn read(&mut self) -> io::Result<Option<Chunk>> {
        loop {
            let number = match &mut self.order {
                None => self.next,
                Some(order) => {
                    let Some(number) = order.numbers.next() else { return Ok(None) };
                    (order.go_to)(&mut self.reader, number)?;
                    number
                }
            };
            self.next = number + 1;
            let mut bytes = Vec::with_capacity(CHUNK_SIZE);
            self.reader.by_ref().take(CHUNK_SIZE as u64).read_to_end(&mut bytes)?;
            if bytes.is_empty() {
                return Ok(None);
            }
            // Space that was never written to.
            if bytes.iter().any(|byte| *byte != 0) {
                // A file that was cut: what is there of its last chunk may hold whole records.
                return Ok(Some(Chunk::new(number, bytes, self.closed)));
            }
        }
    }
}

impl<R: Read + Seek> Chunks<R> {
    /// The chunks in the order of their records, by looking at the start of each.
    ///
    /// # Errors
    /// [`EvtxError::NotAnEventLog`], or what the reader says.
    pub fn oldest_first(reader: R) -> Result<Self, EvtxError> {
        let mut chunks = Chunks::new(reader)?;
        let mut order: Vec<(u64, u64)> = Vec::new();
        for number in 0.. {
            go_to(&mut chunks.reader, number)?;
            let mut start = Vec::with_capacity(Chunk::START);
            chunks.reader.by_ref().take(Chunk::START as u64).read_to_end(&mut start)?;
            if start.is_empty() {
                break;
            }
            order.push((Chunk::first_record(&start), number));
        }
        order.sort_unstable();
        let numbers: Vec<u64> = order.into_iter().map(|(_, number)| number).collect();
        chunks.order = Some(Order { numbers: numbers.into_iter(), go_to });
        Ok(chunks)
    }
}

fn go_to<R: Seek>(reader: &mut R, number: u64) -> io::Result<()> {
    let place = number.saturating_mul(CHUNK_SIZE as u64).saturating_add(HEADER_SIZE as u64);
    reader.seek(SeekFrom::Start(place)).map(|_place| ())
}

impl<R: Read> Iterator for Chunks<R> {
    type Item = io::Result<Chunk>;

    /// The next chunk that is not empty; after an error, nothing more.
    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let read = self.read();
        self.failed = read.is_err();
        read.transpose()
    }
}
