//! What a search read and what it could leave out.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a search read and what it could leave out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// Segment files; `read` are those whose index was looked into.
    pub segments: Parts,
    /// Row groups of the segments that were looked into.
    pub row_groups: Parts,
    /// Blocks of the newest events, which are in memory.
    pub blocks: Parts,
    /// Events in row groups that were answered from what the index says of them, unread.
    pub events_from_index: u64,
    /// Events in the parts of row groups of which columns were read, and those looked at in memory.
    pub events_read: u64,
    /// Of them, events that were made and looked at one by one, because columns could not tell.
    pub events_decoded: u64,
    /// Of them, events that matched, and those answered from the index; where reading stopped early,
    /// so many until then.
    pub events_matched: u64,
    /// Whether reading stopped because the page was full.
    pub stopped_early: bool,
}

/// What became of some parts of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// How many there are.
    pub all: u64,
    /// Left out because all their events happened outside of the time.
    pub by_time: u64,
    /// Left out because their least and greatest ids or times of ingestion rule them out.
    pub by_statistics: u64,
    /// Left out because the Bloom filter has none of the values.
    pub by_bloom_filter: u64,
    /// Left out because the token filter has none of the words.
    pub by_token_filter: u64,
    /// Left out because the page was full before.
    pub unneeded: u64,
    /// Answered from what the index says of them.
    pub from_index: u64,
    /// Of which columns were read.
    pub read: u64,
}

/// What a search counts while it runs, on several threads.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) segments: SeenParts,
    pub(crate) row_groups: SeenParts,
    pub(crate) blocks: SeenParts,
    pub(crate) events_from_index: Tally,
    pub(crate) events_read: Tally,
    pub(crate) events_decoded: Tally,
    pub(crate) events_matched: Tally,
    pub(crate) broken_off: Tally,
}

/// What becomes of some parts of the store.
#[derive(Debug, Default)]
pub(crate) struct SeenParts {
    pub(crate) all: Tally,
    pub(crate) by_time: Tally,
    pub(crate) by_statistics: Tally,
    pub(crate) by_bloom_filter: Tally,
    pub(crate) by_token_filter: Tally,
    pub(crate) unneeded: Tally,
    pub(crate) from_index: Tally,
    pub(crate) read: Tally,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Tally(AtomicU64);

impl Tally {
    pub(crate) fn add(&self, count: usize) {
        self.0.fetch_add(count as u64, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl SeenParts {
    fn parts(&self) -> Parts {
        Parts {
            all: self.all.get(),
            by_time: self.by_time.get(),
            by_statistics: self.by_statistics.get(),
            by_bloom_filter: self.by_bloom_filter.get(),
            by_token_filter: self.by_token_filter.get(),
            unneeded: self.unneeded.get(),
            from_index: self.from_index.get(),
            read: self.read.get(),
        }
    }
}

impl Seen {
    /// What it comes to.
    pub(crate) fn explanation(&self) -> Explanation {
        let (row_groups, blocks) = (self.row_groups.parts(), self.blocks.parts());
        Explanation {
            segments: self.segments.parts(),
            row_groups,
            blocks,
            events_from_index: self.events_from_index.get(),
            events_read: self.events_read.get(),
            events_decoded: self.events_decoded.get(),
            events_matched: self.events_matched.get(),
            stopped_early: row_groups.unneeded + blocks.unneeded + self.broken_off.get() > 0,
        }
    }
}
