//! One chunk: up to 64 KiB of records that share their templates.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bergfried_event::Timestamp;
use evtx::{EvtxChunkData, EvtxRecord, ParserSettings};

pub(crate) const CHUNK_SIZE: usize = 65_536;

/// The longest JSON of one record, in bytes; a longer one is cut there.
pub const MAX_RECORD_TEXT: usize = 1 << 20;
/// The most JSON of one chunk, in bytes; records past that are counted as lost. A chunk that Windows
/// wrote gives about 0.3 MB.
pub const MAX_CHUNK_TEXT: usize = 4 << 20;

/// Where the header of a chunk has the numbers of its first and last record, and where they end.
const FIRST_RECORD: usize = 8;
const LAST_RECORD: usize = 16;
const END_OF_RECORDS: usize = 48;
/// A record has a header of 24 bytes and its length once more.
const MOST_RECORDS: u64 = CHUNK_SIZE as u64 / 28;

/// The bytes of one chunk.
#[derive(Clone, Debug)]
pub struct Chunk {
    number: u64,
    bytes: Vec<u8>,
    /// How many of them the file has; the rest is filled with zeros.
    held: usize,
    /// Whether Windows had closed the log.
    closed: bool,
}

/// The records of one chunk.
#[derive(Clone, Debug, Default)]
pub struct Decoded {
    text: String,
    places: Vec<Place>,
    lost: u64,
    altered: bool,
    trouble: Option<String>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    id: u64,
    created: Timestamp,
    end: usize,
    cut: bool,
}

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'d> {
    /// Its number in the file, which an export counts anew (`EventRecordID` keeps the log's).
    pub id: u64,
    /// When it happened (`TimeCreated`), else when it was written to this file.
    pub created: Timestamp,
    /// The event, as one JSON object on one line.
    pub json: &'d str,
    /// Whether it was longer than [`MAX_RECORD_TEXT`] and its end was left out.
    pub cut: bool,
}

impl Chunk {
    /// How many bytes at the start of a chunk tell its first record.
    pub(crate) const START: usize = 32;

    pub(crate) fn new(number: u64, mut bytes: Vec<u8>, closed: bool) -> Chunk {
        let held = bytes.len();
        bytes.resize(CHUNK_SIZE, 0);
        Chunk { number, bytes, held, closed }
    }

    /// How many records it says that it has, where the file ends before their end.
    fn torn(&self) -> Option<u64> {
        let number =
            |at: usize| self.bytes.get(at..)?.first_chunk().map(|b| u64::from_le_bytes(*b));
        let end =
            self.bytes.get(END_OF_RECORDS..)?.first_chunk().map(|b| u32::from_le_bytes(*b))?;
        let is_torn = usize::try_from(end).is_ok_and(|end| self.held < end.min(CHUNK_SIZE));
        let records = number(LAST_RECORD)?.checked_sub(number(FIRST_RECORD)?)?.saturating_add(1);
        is_torn.then_some(records.min(MOST_RECORDS))
    }

    /// The identifier of the first record, from the start of a chunk; what is no chunk comes last.
    pub(crate) fn first_record(start: &[u8]) -> u64 {
        match (start.starts_with(b"ElfChnk\0"), start.last_chunk::<8>()) {
            (true, Some(id)) => u64::from_le_bytes(*id),
            _ => u64::MAX,
        }
    }

    /// How many bytes of the file it is.
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// When its first record happened, without reading the others.
    pub fn first_created(self, settings: &Settings) -> Option<Timestamp> {
        let mut decoded = Decoded::default();
        catch_unwind(AssertUnwindSafe(|| decoded.fill(self, settings, 1))).ok()?;
        decoded.get(0).map(|record| record.created)
    }

    /// Reads the records, in their order; what cannot be read is counted.
    pub fn decode(self, settings: &Settings) -> Decoded {
        let mut decoded = Decoded::default();
        let number = self.number;
        // The library checks its bounds, but a slip there must not end a scan of many files.
        let result = catch_unwind(AssertUnwindSafe(|| decoded.fill(self, settings, usize::MAX)));
        if result.is_err() {
            decoded.lose(|| format!("chunk {number}: the decoder panicked"));
        }
        decoded
    }
}

/// How records are written; made once, shared by all threads.
#[derive(Clone, Debug)]
pub struct Settings(Arc<ParserSettings>);

impl Default for Settings {
    fn default() -> Self {
        Settings(Arc::new(ParserSettings::new().indent(false)))
    }
}

impl Decoded {
    /// Takes in the first records, at most `limit`.
    fn fill(&mut self, chunk: Chunk, settings: &Settings, limit: usize) {
        let number = chunk.number;
        let (torn, is_settled) = (chunk.torn(), chunk.closed && chunk.held == CHUNK_SIZE);
        let mut data = match EvtxChunkData::new(chunk.bytes, false) {
            Ok(data) => data,
            Err(error) => return self.lose(|| format!("chunk {number}: {}", chain(&error))),
        };
        if is_settled && !data.validate_checksum() {
            self.altered = true;
            self.trouble = Some(format!("chunk {number}: its checksum is not that of its records"));
        }
        let mut parsed = match data.parse(Arc::clone(&settings.0)) {
            Ok(parsed) => parsed,
            Err(error) => return self.lose(|| format!("chunk {number}: {}", chain(&error))),
        };
        self.text.reserve(if limit == 1 { 0 } else { 4 * CHUNK_SIZE });
        for record in parsed.iter().take(limit) {
            match record.map_err(|error| chain(&error)).and_then(|record| self.push(record)) {
                Ok(()) => {}
                Err(error) => self.lose(|| format!("chunk {number}: {error}")),
            }
        }
        let missing = torn.unwrap_or(0).saturating_sub(self.places.len() as u64 + self.lost);
        if missing > 0 && limit > 1 {
            self.lose(|| format!("chunk {number}: the file ends before its last record"));
            self.lost += missing - 1;
        }
    }

    fn push(&mut self, record: EvtxRecord<'_>) -> Result<(), String> {
        let (id, written) = (record.event_record_id, Timestamp::from(record.timestamp));
        let record = record.into_json().map_err(|error| chain(&error))?;
        let cut = record.data.len() > MAX_RECORD_TEXT;
        let end = record.data.floor_char_boundary(MAX_RECORD_TEXT);
        let json = record.data.get(..end).unwrap_or(&record.data);
        if self.text.len() + json.len() > MAX_CHUNK_TEXT {
            return Err(format!("record {id}: no room for more than {MAX_CHUNK_TEXT} bytes"));
        }
        let created = created(json).unwrap_or(written);
        self.text.push_str(json);
        self.places.push(Place { id, created, end: self.text.len(), cut });
        Ok(())
    }

    fn lose(&mut self, trouble: impl FnOnce() -> String) {
        self.lost += 1;
        self.trouble.get_or_insert_with(trouble);
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The record at a place.
    pub fn get(&self, index: usize) -> Option<Record<'_>> {
        let place = self.places.get(index)?;
        let before = index.checked_sub(1).and_then(|before| self.places.get(before));
        let start = before.map_or(0, |before| before.end);
        let json = self.text.get(start..place.end)?;
        Some(Record { id: place.id, created: place.created, json, cut: place.cut })
    }

    /// The records in the order of the chunk.
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// How many records (or whole chunks) could not be read.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Whether the chunk's checksums do not fit, although Windows had closed the log: it was changed
    /// since, or the disk failed. Its records are given all the same.
    pub fn is_altered(&self) -> bool {
        self.altered
    }

    /// What was wrong first.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }
}

/// `TimeCreated` of a record's JSON, found without reading the rest: the quotes of the key cannot
/// stand in a string, where they are escaped.
fn created(json: &str) -> Option<Timestamp> {
    const KEY: &str = "\"SystemTime\":\"";
    let (_, rest) = json.split_once(KEY)?;
    let (stamp, _) = rest.split_once('"')?;
    stamp.parse().ok()
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
