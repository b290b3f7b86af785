//! One frame of the spool: a batch ready to send and the positions behind it, with a checksum.
//!
//! ```text
//! 4 bytes   "BFS1"
//! 4 bytes   length of the description, little endian
//! 4 bytes   length of the body, little endian
//! 16 bytes  BLAKE3 over the lengths, the description and the body, cut to 16 bytes
//! ...       the description: JSON, see `Description`
//! ...       the body: a batch as bergfried-wire writes it, compressed; empty where only positions moved
//! ```

use std::fs::File;
use std::io;

use bergfried_source::Changes;
use serde::{Deserialize, Serialize};

use crate::disk::read_exact_at;

const MAGIC: &[u8; 4] = b"BFS1";
const PREFIX: usize = 28;
/// A description or body past this is damage, not data: one batch holds a few MiB at most.
const MAX_PART: usize = 32 << 20;

/// What a frame says besides its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Description {
    /// The batch id in hex; empty where there is no body.
    pub(crate) batch: String,
    /// How many records the body holds.
    pub(crate) records: u64,
    /// How far the sources are read once this frame is durable.
    pub(crate) changes: Changes,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) description: Description,
    pub(crate) body: Vec<u8>,
    /// Its length in the file.
    pub(crate) length: u64,
}

pub(crate) fn encode(description: &Description, body: &[u8]) -> io::Result<Vec<u8>> {
    let description = serde_json::to_vec(description)?;
    let lengths = lengths(description.len(), body.len())
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "batch too large to spool"))?;
    let mut frame = Vec::with_capacity(PREFIX + description.len() + body.len());
    frame.extend_from_slice(MAGIC);
    frame.extend_from_slice(&lengths);
    frame.extend_from_slice(&checksum(&lengths, &description, body));
    frame.extend_from_slice(&description);
    frame.extend_from_slice(body);
    Ok(frame)
}

/// The frame at `offset`; None where the file ends or is damaged there.
pub(crate) fn read(file: &File, offset: u64) -> io::Result<Option<Frame>> {
    let size = file.metadata()?.len();
    let mut prefix = [0; PREFIX];
    if size < offset + PREFIX as u64 {
        return Ok(None);
    }
    read_exact_at(file, &mut prefix, offset)?;
    let Some((description, body, sum)) = parts(&prefix) else { return Ok(None) };
    let length = PREFIX as u64 + description as u64 + body as u64;
    if size < offset + length {
        return Ok(None);
    }
    let mut head = vec![0; description];
    read_exact_at(file, &mut head, offset + PREFIX as u64)?;
    let mut rest = vec![0; body];
    read_exact_at(file, &mut rest, offset + PREFIX as u64 + description as u64)?;
    let Some(lengths) = lengths(description, body) else { return Ok(None) };
    if checksum(&lengths, &head, &rest) != sum {
        return Ok(None);
    }
    let Ok(description) = serde_json::from_slice(&head) else { return Ok(None) };
    Ok(Some(Frame { description, body: rest, length }))
}

fn parts(prefix: &[u8; PREFIX]) -> Option<(usize, usize, [u8; 16])> {
    let rest = prefix.strip_prefix(MAGIC)?;
    let (description, rest) = rest.split_first_chunk::<4>()?;
    let (body, sum) = rest.split_first_chunk::<4>()?;
    let description = usize::try_from(u32::from_le_bytes(*description)).ok()?;
    let body = usize::try_from(u32::from_le_bytes(*body)).ok()?;
    let sane = description <= MAX_PART && body <= MAX_PART;
    sane.then_some((description, body, sum.try_into().ok()?))
}

fn lengths(description: usize, body: usize) -> Option<[u8; 8]> {
    if description > MAX_PART || body > MAX_PART {
        return None;
    }
    let mut lengths = [0; 8];
    let (first, second) = lengths.split_first_chunk_mut::<4>()?;
    *first = u32::try_from(description).ok()?.to_le_bytes();
    second.copy_from_slice(&u32::try_from(body).ok()?.to_le_bytes());
    Some(lengths)
}

pub(crate) fn checksum(first: &[u8], second: &[u8], third: &[u8]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(first).update(second).update(third);
    let mut sum = [0; 16];
    hasher.finalize_xof().fill(&mut sum);
    sum
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn any_damage_is_seen() {
        let description = Description {
            batch: "00".repeat(16),
            records: 3,
            changes: Changes { journal: Some("s=1".to_owned()), ..Changes::default() },
        };
        let frame = encode(&description, b"body").unwrap();
        let read_back = |bytes: &[u8]| {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(bytes).unwrap();
            read(&file, 0).unwrap()
        };
        let whole = read_back(&frame).unwrap();
        assert_eq!((whole.description, whole.body.as_slice()), (description, &b"body"[..]));
        for position in 0..frame.len() {
            let mut damaged = frame.clone();
            damaged[position] ^= 0x20;
            assert_eq!(read_back(&damaged), None, "byte {position}");
            assert_eq!(read_back(&frame[..position]), None, "cut at {position}");
        }
    }
}
