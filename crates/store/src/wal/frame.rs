//! One frame: a header, and a compressed batch.

use std::path::Path;

use bergfried_event::{Finding, Timestamp};

use super::{CHECKSUM, checksum};
use crate::BatchId;
use crate::bytes_io::{Bytes, Malformed, saturating_u32};
use crate::error::StoreError;

const FRAME_MAGIC: [u8; 4] = *b"BFRM";
/// Magic, payload length, raw length, sequence, durable length, checksum.
const HEADER: usize = 4 + 4 + 4 + 8 + 8 + CHECKSUM;
/// The most bytes that one batch may take, before compression.
pub(crate) const MAX_BATCH_BYTES: usize = 64 << 20;
const COMPRESSION_LEVEL: i32 = 1;

/// A batch as it was committed.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Its place among all batches.
    pub(crate) sequence: u64,
    /// How many bytes of the file were durable when it was written.
    pub(crate) durable: u64,
    /// Its size in the file.
    pub(crate) size: usize,
    /// Who sent it.
    pub(crate) id: BatchId,
    /// When the hub took it.
    pub(crate) ingested: Timestamp,
    /// The id of its first event; the others follow.
    pub(crate) first_event_id: u64,
    /// How many events.
    pub(crate) count: u32,
    /// The events, each with its length before it.
    events: Vec<u8>,
    /// What the rules said.
    pub(crate) findings: Vec<Finding>,
}

impl Frame {
    /// The encoded events.
    pub(crate) fn events(&self) -> impl Iterator<Item = Result<&[u8], Malformed>> {
        let mut bytes = Bytes(&self.events);
        (0..self.count).map(move |_| {
            let length = bytes.u32()?;
            bytes.take(usize::try_from(length).map_err(|_| "a length is too large")?)
        })
    }

    /// Reads the frame at the start of `bytes`.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut header = Bytes(bytes);
        if header.array::<4>()? != FRAME_MAGIC {
            return Err("no frame");
        }
        let length = usize::try_from(header.u32()?).map_err(|_| "a frame is too large")?;
        let raw_length = usize::try_from(header.u32()?).map_err(|_| "a frame is too large")?;
        let sequence = header.u64()?;
        let durable = header.u64()?;
        let expected: [u8; CHECKSUM] = header.array()?;
        let payload = header.take(length)?;
        if checksum(&[bytes.get(..HEADER - CHECKSUM).unwrap_or_default(), payload]) != expected {
            return Err("a frame's checksum is wrong");
        }
        if raw_length > MAX_BATCH_BYTES {
            return Err("a frame is too large");
        }
        let raw = zstd::bulk::decompress(payload, raw_length)
            .map_err(|_| "a frame does not decompress")?;
        let mut raw_bytes = Bytes(&raw);
        let id = BatchId(raw_bytes.array()?);
        let ingested = Timestamp::from_micros(raw_bytes.i64()?);
        let first_event_id = raw_bytes.u64()?;
        let count = raw_bytes.u32()?;
        let findings = raw_bytes.text()?;
        let findings = if findings.is_empty() {
            Vec::new()
        } else {
            serde_json::from_str(findings).map_err(|_| "findings do not read back")?
        };
        let events = raw_bytes.0.to_vec();
        let size = HEADER + length;
        Ok(Frame { sequence, durable, size, id, ingested, first_event_id, count, events, findings })
    }

    /// Where the next frame may start in `bytes`, at or after `from`.
    pub(crate) fn next_start(bytes: &[u8], from: usize) -> Option<usize> {
        let rest = bytes.get(from..)?;
        rest.windows(FRAME_MAGIC.len()).position(|window| window == FRAME_MAGIC).map(|at| from + at)
    }
}

/// What goes into a frame.
#[derive(Debug)]
pub(crate) struct NewFrame<'b> {
    pub(crate) sequence: u64,
    pub(crate) durable: u64,
    pub(crate) id: &'b BatchId,
    pub(crate) ingested: Timestamp,
    pub(crate) first_event_id: u64,
    pub(crate) count: usize,
    pub(crate) findings: &'b [Finding],
    pub(crate) events: &'b [u8],
}

/// Builds frames, keeping the compressor and its buffers.
pub(crate) struct FrameWriter {
    compressor: zstd::bulk::Compressor<'static>,
    raw: Vec<u8>,
}

impl FrameWriter {
    pub(crate) fn new(path: &Path) -> Result<Self, StoreError> {
        let compressor = zstd::bulk::Compressor::new(COMPRESSION_LEVEL)
            .map_err(|error| StoreError::io("compress", path, error))?;
        Ok(FrameWriter { compressor, raw: Vec::new() })
    }

    /// Appends a frame to `out`.
    pub(crate) fn write(
        &mut self,
        frame: &NewFrame<'_>,
        path: &Path,
        out: &mut Vec<u8>,
    ) -> Result<(), StoreError> {
        self.raw.clear();
        self.raw.extend_from_slice(&frame.id.0);
        self.raw.extend_from_slice(&frame.ingested.micros().to_le_bytes());
        self.raw.extend_from_slice(&frame.first_event_id.to_le_bytes());
        self.raw.extend_from_slice(&saturating_u32(frame.count).to_le_bytes());
        let findings = if frame.findings.is_empty() {
            String::new()
        } else {
            serde_json::to_string(frame.findings)
                .map_err(|error| StoreError::io("encode findings for", path, error.into()))?
        };
        crate::bytes_io::put_text(&mut self.raw, &findings);
        self.raw.extend_from_slice(frame.events);
        let size = self.raw.len();
        if size > MAX_BATCH_BYTES {
            return Err(StoreError::TooLarge { what: "a batch", size, limit: MAX_BATCH_BYTES });
        }
        let payload = self
            .compressor
            .compress(&self.raw)
            .map_err(|error| StoreError::io("compress", path, error))?;
        let start = out.len();
        out.extend_from_slice(&FRAME_MAGIC);
        out.extend_from_slice(&saturating_u32(payload.len()).to_le_bytes());
        out.extend_from_slice(&saturating_u32(size).to_le_bytes());
        out.extend_from_slice(&frame.sequence.to_le_bytes());
        out.extend_from_slice(&frame.durable.to_le_bytes());
        let sum = checksum(&[out.get(start..).unwrap_or_default(), &payload]);
        out.extend_from_slice(&sum);
        out.extend_from_slice(&payload);
        // One huge batch should not hold its memory for ever.
        self.raw.shrink_to(4 << 20);
        Ok(())
    }
}
