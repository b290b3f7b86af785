//! The newest events, in memory: blocks of encoded events that readers share with the writer.

use std::sync::Arc;

use bergfried_event::Timestamp;

use crate::bytes_io::Malformed;
use crate::encode::Encoded;

/// Blocks are joined up to this size, so that many small batches do not make many blocks.
const JOIN_BYTES: usize = 8 << 20;

/// Consecutive events, encoded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Block {
    first_id: u64,
    bytes: Vec<u8>,
    starts: Vec<usize>,
    created: Option<(Timestamp, Timestamp)>,
}

impl Block {
    /// An empty block whose first event will have this id.
    pub(crate) fn new(first_id: u64) -> Self {
        Block { first_id, ..Block::default() }
    }

    /// Adds the next event, which happened at `created`.
    pub(crate) fn push(&mut self, encoded: &[u8], created: Timestamp) {
        self.created = join_ranges(self.created, Some((created, created)));
        self.starts.push(self.bytes.len());
        self.bytes.extend_from_slice(encoded);
    }

    /// How many events.
    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Bytes of memory, near enough.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len() + self.starts.len() * size_of::<usize>()
    }

    /// The id of the first event.
    pub(crate) fn first_id(&self) -> u64 {
        self.first_id
    }

    /// When the earliest and the latest of them happened; `None` where there are none.
    pub(crate) fn created(&self) -> Option<(Timestamp, Timestamp)> {
        self.created
    }

    /// The encoded event at this position.
    pub(crate) fn get(&self, position: usize) -> Result<Encoded<'_>, Malformed> {
        let start = *self.starts.get(position).ok_or("no event at that place")?;
        let end = self.starts.get(position + 1).copied().unwrap_or(self.bytes.len());
        Encoded::new(self.bytes.get(start..end).ok_or("an event ends early")?)
    }

    fn join(&mut self, other: &Block) {
        let base = self.bytes.len();
        // Twice the room for what mostly stays as it is would be wasted.
        self.bytes.reserve_exact(other.bytes.len());
        self.starts.reserve_exact(other.starts.len());
        self.bytes.extend_from_slice(&other.bytes);
        self.created = join_ranges(self.created, other.created);
        self.starts.extend(other.starts.iter().map(|start| base + start));
    }
}

/// The range that holds both.
pub(crate) fn join_ranges(
    one: Option<(Timestamp, Timestamp)>,
    other: Option<(Timestamp, Timestamp)>,
) -> Option<(Timestamp, Timestamp)> {
    match (one, other) {
        (Some((from, to)), Some((other_from, other_to))) => {
            Some((from.min(other_from), to.max(other_to)))
        }
        (one, other) => one.or(other),
    }
}

/// The events of one write-ahead log file: blocks in order of ids.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part {
    blocks: Vec<Arc<Block>>,
    events: usize,
    bytes: usize,
    oldest: Option<Timestamp>,
}

impl Part {
    /// Adds a block of events taken at `ingested`; joins it with those before it of like size, so
    /// that each event is copied a logarithmic number of times.
    pub(crate) fn push(&mut self, mut block: Block, ingested: Timestamp) {
        if block.len() == 0 {
            return;
        }
        self.oldest = Some(self.oldest.map_or(ingested, |oldest| oldest.min(ingested)));
        self.events += block.len();
        self.bytes += block.size();
        while let Some(last) = self.blocks.last() {
            if last.size() > 2 * block.size() || last.size() + block.size() > JOIN_BYTES {
                break;
            }
            let Some(last) = self.blocks.pop() else { break };
            let mut joined = Arc::unwrap_or_clone(last);
            joined.join(&block);
            block = joined;
        }
        self.blocks.push(Arc::new(block));
    }

    /// The blocks, in order of ids.
    pub(crate) fn blocks(&self) -> &[Arc<Block>] {
        &self.blocks
    }

    /// How many events.
    pub(crate) fn events(&self) -> usize {
        self.events
    }

    /// Bytes of memory, near enough.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// When the hub took the first of them.
    pub(crate) fn oldest(&self) -> Option<Timestamp> {
        self.oldest
    }
}

#[cfg(test)]
mod tests {
    use bergfried_event::Event;

    use super::*;
    use crate::encode::{Names, Wanted, encode};

    #[test]
    fn many_small_blocks_become_few_in_order() {
        let mut part = Part::default();
        for id in 1..=5_000_u64 {
            let mut block = Block::new(id);
            let mut bytes = Vec::new();
            let event = Event::new(Timestamp::from_seconds(0), id.to_string());
            encode(&event, Timestamp::from_seconds(1), &mut bytes).unwrap();
            block.push(&bytes, event.created());
            part.push(block, Timestamp::from_seconds(1));
        }
        assert!(part.blocks().len() < 20, "{}", part.blocks().len());
        let mut expected = 1;
        for block in part.blocks() {
            assert_eq!(block.first_id(), expected);
            for position in 0..block.len() {
                let encoded = block.get(position).unwrap();
                let event = encoded.event(&Names::current(), &Wanted::All).unwrap();
                assert_eq!(event.original(), expected.to_string());
                expected += 1;
            }
        }
        assert_eq!((expected, part.events()), (5_001, 5_000));
    }
}
