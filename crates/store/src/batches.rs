//! Which batches were stored already: the newest ids, so that a batch sent twice is stored once.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::path::Path;

use crate::bytes_io::Bytes;
use crate::error::StoreError;
use crate::{BatchId, Committed};

/// How many batch ids are remembered.
pub(crate) const REMEMBERED: usize = 65_536;
const ENTRY: usize = 16 + 8 + 8;
const CHECKSUM: usize = 32;

/// The newest batches, oldest forgotten first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batches {
    order: VecDeque<(BatchId, Committed)>,
    found: HashMap<BatchId, Committed>,
}

impl Batches {
    /// Remembers a batch.
    pub(crate) fn insert(&mut self, id: BatchId, committed: Committed) {
        if self.found.insert(id, committed).is_some() {
            return;
        }
        self.order.push_back((id, committed));
        if self.order.len() > REMEMBERED
            && let Some((oldest, _)) = self.order.pop_front()
        {
            self.found.remove(&oldest);
        }
    }

    /// The batch of this id, where it is remembered.
    pub(crate) fn get(&self, id: &BatchId) -> Option<Committed> {
        self.found.get(id).copied()
    }

    /// The batches up to this sequence as a file's bytes.
    pub(crate) fn to_bytes(&self, last_sequence: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.order.len() * ENTRY + CHECKSUM);
        for (id, committed) in &self.order {
            if committed.sequence <= last_sequence {
                out.extend_from_slice(&id.0);
                out.extend_from_slice(&committed.sequence.to_le_bytes());
                out.extend_from_slice(&committed.first_event_id.to_le_bytes());
            }
        }
        let hash = blake3::hash(&out);
        out.extend_from_slice(hash.as_bytes());
        out
    }

    /// Reads what [`Batches::to_bytes`] wrote.
    pub(crate) fn read(path: &Path) -> Result<Self, StoreError> {
        let bytes = fs::read(path).map_err(|error| StoreError::io("read", path, error))?;
        let (entries, hash) = bytes
            .split_last_chunk::<CHECKSUM>()
            .ok_or_else(|| StoreError::corrupt(path, "it ends early"))?;
        if blake3::hash(entries) != *hash || !entries.len().is_multiple_of(ENTRY) {
            return Err(StoreError::corrupt(path, "its checksum is wrong"));
        }
        let mut batches = Batches::default();
        let mut reader = Bytes(entries);
        while !reader.0.is_empty() {
            let mut entry = || -> Result<_, &'static str> {
                let id = BatchId(reader.array()?);
                Ok((id, Committed { sequence: reader.u64()?, first_event_id: reader.u64()? }))
            };
            let (id, committed) = entry().map_err(|reason| StoreError::corrupt(path, reason))?;
            batches.insert(id, committed);
        }
        Ok(batches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> BatchId {
        BatchId(u128::from(number).to_le_bytes())
    }

    #[test]
    fn the_oldest_is_forgotten_and_the_file_reads_back() {
        let mut batches = Batches::default();
        for sequence in 1..=REMEMBERED as u64 + 2 {
            batches.insert(id(sequence), Committed { sequence, first_event_id: sequence * 10 });
        }
        assert_eq!((batches.get(&id(2)), batches.found.len()), (None, REMEMBERED));
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("batches");
        fs::write(&path, batches.to_bytes(100)).unwrap();
        let read = Batches::read(&path).unwrap();
        let expected = Committed { sequence: 100, first_event_id: 1_000 };
        assert_eq!((read.get(&id(100)), read.get(&id(101))), (Some(expected), None));
        fs::write(&path, &batches.to_bytes(100)[1..]).unwrap();
        assert!(matches!(Batches::read(&path), Err(StoreError::Corrupt { .. })));
    }
}
