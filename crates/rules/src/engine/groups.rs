//! State by key, compact and in the order of use: the least recently used can be taken out.
//!
//! Entries lie in chunks that never move, an open-addressing index of four bytes each finds them, and
//! links between them give the order of use.

use std::hash::{BuildHasher, RandomState};

/// Entries of one chunk.
const CHUNK: usize = 1_024;
/// So many entries may lie idle in a table of any size.
const SLACK: usize = 16;
/// No entry.
const NONE: u32 = u32::MAX;
/// The most groups of one table, whatever the caller asks for.
const MAX_GROUPS: usize = 1 << 30;

/// A map from keys to values that knows its order of use and about how many bytes it takes.
#[derive(Debug)]
pub(super) struct Groups<V> {
    hasher: RandomState,
    /// Slots by hash, linear probing; its length is zero or a power of two.
    index: Vec<u32>,
    chunks: Vec<Vec<Entry<V>>>,
    free: u32,
    newest: u32,
    oldest: u32,
    len: usize,
    key_bytes: usize,
    max: usize,
}

#[derive(Debug)]
struct Entry<V> {
    hash: u32,
    /// The entry used after this one.
    newer: u32,
    /// The entry used before this one; the next free slot where this is free.
    older: u32,
    used: Used,
    marked: bool,
    live: bool,
    key: Box<str>,
    value: V,
}

/// When an entry was used last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Used {
    /// By a counter of the engine.
    pub(super) turn: u32,
    /// By the clock of the rule, in seconds.
    pub(super) second: u32,
}

/// What the allocator takes for so many bytes, about.
pub(super) fn on_heap(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { (bytes + 8).next_multiple_of(16) }
}

impl<V: Default> Groups<V> {
    pub(super) fn new(max: usize) -> Self {
        Groups {
            hasher: RandomState::new(),
            index: Vec::new(),
            chunks: Vec::new(),
            free: NONE,
            newest: NONE,
            oldest: NONE,
            len: 0,
            key_bytes: 0,
            max: max.clamp(1, MAX_GROUPS),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Whether there are as many entries as there may be.
    pub(super) fn is_full(&self) -> bool {
        self.len >= self.max
    }

    /// About how many bytes the table takes, without what values hold on the heap.
    pub(super) fn bytes(&self) -> usize {
        let entries = self.capacity() * size_of::<Entry<V>>();
        entries + self.index.len() * size_of::<u32>() + self.key_bytes
    }

    /// Gives memory back where most of it lies idle. Then slots are others than before: those that
    /// are marked are returned.
    pub(super) fn shrink(&mut self) -> Option<Vec<u32>> {
        if self.capacity() <= self.len * 2 + SLACK {
            return None;
        }
        let mut small = Groups::new(self.max);
        let mut marked = Vec::new();
        while let Some((slot, used)) = self.oldest() {
            let was_marked = self.mark(slot);
            let Some((key, value)) = self.remove(slot) else { break };
            let new = small.insert(&key, value, used);
            if was_marked && let Some(new) = new {
                small.mark(new);
                marked.push(new);
            }
        }
        *self = small;
        Some(marked)
    }

    pub(super) fn find(&self, key: &str) -> Option<u32> {
        let hash = self.hash(key);
        let mut at = self.home(hash)?;
        loop {
            let slot = *self.index.get(at)?;
            let entry = self.entry(slot)?;
            if entry.hash == hash && *entry.key == *key {
                return Some(slot);
            }
            at = self.after(at);
        }
    }

    /// Adds an entry whose key is not there yet, as the one used last.
    pub(super) fn insert(&mut self, key: &str, value: V, used: Used) -> Option<u32> {
        if self.index.len() * 2 <= (self.len + 1) * 3 {
            self.grow();
        }
        let hash = self.hash(key);
        let key: Box<str> = key.into();
        self.key_bytes += on_heap(key.len());
        let slot = match self.entry(self.free).map(|entry| entry.older) {
            Some(next) => {
                let slot = std::mem::replace(&mut self.free, next);
                let entry = self.entry_mut(slot)?;
                (entry.hash, entry.used, entry.key, entry.value) = (hash, used, key, value);
                entry.live = true;
                slot
            }
            None => self.push(Entry {
                hash,
                newer: NONE,
                older: NONE,
                used,
                marked: false,
                live: true,
                key,
                value,
            })?,
        };
        self.len += 1;
        self.place(slot, hash);
        self.link(slot);
        Some(slot)
    }

    /// Notes that the entry is the one used last.
    pub(super) fn touch(&mut self, slot: u32, used: Used) {
        if let Some(entry) = self.entry_mut(slot) {
            entry.used = used;
        }
        if self.newest != slot {
            self.unlink(slot);
            self.link(slot);
        }
    }

    pub(super) fn key(&self, slot: u32) -> &str {
        self.entry(slot).map_or("", |entry| &entry.key)
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut V> {
        self.entry_mut(slot).filter(|entry| entry.live).map(|entry| &mut entry.value)
    }

    /// The entry that was not used for the longest time, and when it was.
    pub(super) fn oldest(&self) -> Option<(u32, Used)> {
        self.entry(self.oldest).map(|entry| (self.oldest, entry.used))
    }

    /// Takes an entry out.
    pub(super) fn remove(&mut self, slot: u32) -> Option<(Box<str>, V)> {
        self.get_mut(slot)?;
        self.unlink(slot);
        self.displace(slot);
        let free = self.free;
        let entry = self.entry_mut(slot)?;
        let key = std::mem::take(&mut entry.key);
        let value = std::mem::take(&mut entry.value);
        entry.older = free;
        entry.live = false;
        self.free = slot;
        self.len = self.len.saturating_sub(1);
        self.key_bytes = self.key_bytes.saturating_sub(on_heap(key.len()));
        Some((key, value))
    }

    /// Marks a slot, whatever entry it will hold; true where it was marked already.
    pub(super) fn mark(&mut self, slot: u32) -> bool {
        self.entry_mut(slot).is_some_and(|entry| std::mem::replace(&mut entry.marked, true))
    }

    pub(super) fn unmark(&mut self, slot: u32) {
        if let Some(entry) = self.entry_mut(slot) {
            entry.marked = false;
        }
    }

    /// Keys and values, the least recently used first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &V, Used)> {
        let mut slot = self.oldest;
        std::iter::from_fn(move || {
            let entry = self.entry(slot)?;
            slot = entry.newer;
            Some((&*entry.key, &entry.value, entry.used))
        })
    }

    fn hash(&self, key: &str) -> u32 {
        // The upper half is as good as the lower one.
        (self.hasher.hash_one(key) >> 32) as u32
    }

    fn entry(&self, slot: u32) -> Option<&Entry<V>> {
        let slot = slot as usize;
        self.chunks.get(slot / CHUNK)?.get(slot % CHUNK)
    }

    fn entry_mut(&mut self, slot: u32) -> Option<&mut Entry<V>> {
        let slot = slot as usize;
        self.chunks.get_mut(slot / CHUNK)?.get_mut(slot % CHUNK)
    }

    /// For how many entries there is memory.
    fn capacity(&self) -> usize {
        let full = self.chunks.len().saturating_sub(1) * CHUNK;
        full + self.chunks.last().map_or(0, Vec::capacity)
    }

    fn push(&mut self, entry: Entry<V>) -> Option<u32> {
        match self.chunks.last() {
            // Most rules have a few groups, if any.
            None => self.chunks.push(Vec::new()),
            Some(last) if last.len() == CHUNK => self.chunks.push(Vec::with_capacity(CHUNK)),
            Some(_) => {}
        }
        let before = (self.chunks.len() - 1) * CHUNK;
        let chunk = self.chunks.last_mut()?;
        chunk.push(entry);
        u32::try_from(before + chunk.len() - 1).ok()
    }

    /// Where the search for a hash begins; `None` where there is no index yet.
    fn home(&self, hash: u32) -> Option<usize> {
        self.index.len().checked_sub(1).map(|mask| hash as usize & mask)
    }

    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.index.len().wrapping_sub(1))
    }

    fn place(&mut self, slot: u32, hash: u32) {
        let Some(mut at) = self.home(hash) else { return };
        while self.index.get(at).is_some_and(|known| *known != NONE) {
            at = self.after(at);
        }
        if let Some(empty) = self.index.get_mut(at) {
            *empty = slot;
        }
    }

    /// Takes a slot out of the index; those behind it move up, so that no search ends too early.
    fn displace(&mut self, slot: u32) {
        let Some(hash) = self.entry(slot).map(|entry| entry.hash) else { return };
        let Some(mut at) = self.home(hash) else { return };
        while self.index.get(at).is_some_and(|known| *known != slot) {
            if self.index.get(at) == Some(&NONE) {
                return;
            }
            at = self.after(at);
        }
        let mut hole = at;
        loop {
            at = self.after(at);
            let Some(known) = self.index.get(at).copied().filter(|known| *known != NONE) else {
                break;
            };
            let Some(home) = self.entry(known).and_then(|entry| self.home(entry.hash)) else {
                break;
            };
            let mask = self.index.len() - 1;
            // It may move up where its home is not behind the hole.
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(hole) & mask {
                if let Some(place) = self.index.get_mut(hole) {
                    *place = known;
                }
                hole = at;
            }
        }
        if let Some(place) = self.index.get_mut(hole) {
            *place = NONE;
        }
    }

    fn grow(&mut self) {
        let length = (self.index.len() * 2).max(16);
        self.index = vec![NONE; length];
        let mut slot = self.oldest;
        while let Some(entry) = self.entry(slot) {
            let (hash, newer) = (entry.hash, entry.newer);
            self.place(slot, hash);
            slot = newer;
        }
    }

    fn link(&mut self, slot: u32) {
        let before = std::mem::replace(&mut self.newest, slot);
        if let Some(entry) = self.entry_mut(slot) {
            (entry.older, entry.newer) = (before, NONE);
        }
        match self.entry_mut(before) {
            Some(entry) => entry.newer = slot,
            None => self.oldest = slot,
        }
    }

    fn unlink(&mut self, slot: u32) {
        let Some((older, newer)) = self.entry(slot).map(|entry| (entry.older, entry.newer)) else {
            return;
        };
        match self.entry_mut(older) {
            Some(entry) => entry.newer = newer,
            None => self.oldest = newer,
        }
        match self.entry_mut(newer) {
            Some(entry) => entry.older = older,
            None => self.newest = older,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_map_in_the_order_of_use(
            actions in prop::collection::vec((0..40_u8, 0..4_u8), 0..400),
        ) {
            let mut groups = Groups::new(1_000);
            // Least recently used first.
            let mut naive: Vec<(String, u32)> = Vec::new();
            for (turn, (key, action)) in (0_u32..).zip(actions) {
                let key = format!("key{key}");
                let known = naive.iter().position(|(known, _)| *known == key);
                let slot = groups.find(&key);
                prop_assert_eq!(slot.is_some(), known.is_some());
                match (slot, known, action) {
                    (Some(slot), Some(known), 0) => {
                        let (_, value) = naive.remove(known);
                        prop_assert_eq!(groups.remove(slot), Some((key.as_str().into(), value)));
                    }
                    (Some(slot), Some(known), 1) => {
                        *groups.get_mut(slot).unwrap() = turn;
                        naive[known].1 = turn;
                    }
                    (Some(slot), Some(known), _) => {
                        groups.touch(slot, Used { turn, second: 0 });
                        let used = naive.remove(known);
                        naive.push(used);
                    }
                    _ => {
                        groups.insert(&key, turn, Used { turn, second: 0 });
                        naive.push((key, turn));
                    }
                }
                let entries: Vec<(String, u32)> =
                    groups.iter().map(|(key, value, _)| (key.to_owned(), *value)).collect();
                prop_assert_eq!(&entries, &naive);
                prop_assert_eq!(groups.len(), naive.len());
            }
            let bytes: usize = naive.iter().map(|(key, _)| on_heap(key.len())).sum();
            prop_assert_eq!(groups.key_bytes, bytes);
        }
    }

    #[test]
    fn memory_that_lies_idle_is_given_back() {
        let mut groups = Groups::new(100_000);
        for turn in 0..10_000_u32 {
            let used = Used { turn, second: 0 };
            let slot = groups.insert(&turn.to_string(), turn, used).unwrap();
            if turn % 1_000 == 999 {
                groups.mark(slot);
            }
        }
        let full = groups.bytes();
        assert_eq!(groups.shrink(), None);
        while groups.len() > 1_500 {
            let (slot, _) = groups.oldest().unwrap();
            groups.remove(slot);
        }
        let marked = groups.shrink().unwrap();
        assert!(groups.bytes() * 4 < full, "{} of {full}", groups.bytes());
        let marked: Vec<&str> = marked.iter().map(|slot| groups.key(*slot)).collect();
        assert_eq!(marked, ["8999", "9999"]);
        let left: Vec<u32> = groups.iter().map(|(_, value, _)| *value).collect();
        assert_eq!(left, (8_500..10_000).collect::<Vec<_>>());
        assert!(groups.find("9000").is_some() && groups.find("8000").is_none());
    }

    #[test]
    fn a_mark_stays_with_the_slot() {
        let mut groups = Groups::new(1);
        let slot = groups.insert("a", 1, Used::default()).unwrap();
        assert!(!groups.mark(slot));
        groups.insert("b", 2, Used::default());
        assert!(groups.is_full());
        assert_eq!(groups.oldest().map(|(slot, _)| slot), Some(slot));
        groups.remove(slot);
        assert_eq!(groups.insert("c", 3, Used::default()), Some(slot));
        assert!(groups.mark(slot), "it is still in the list that it was marked for");
        groups.unmark(slot);
        assert!(!groups.mark(slot));
    }
}
