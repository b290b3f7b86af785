//! What waits for its second.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// Things by the second in which they are due. An entry may be out of date: whoever takes one out
/// looks at the thing itself.
#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(i64, usize, u64)>>,
}

impl Timers {
    /// Notes when a thing is due; `serial` tells it from others that had its place.
    pub(super) fn add(&mut self, due: i64, place: usize, serial: u64) {
        self.heap.push(Reverse((due, place, serial)));
    }

    /// The earliest second noted.
    pub(super) fn next_due(&self) -> Option<i64> {
        self.heap.peek().map(|Reverse((due, ..))| *due)
    }

    /// Takes out what is due by `now`.
    pub(super) fn pop(&mut self, now: i64) -> Option<(usize, u64)> {
        if self.next_due()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, place, serial))| (place, serial))
    }

    /// Whether so many entries are out of date that it is time to note all anew.
    pub(super) fn is_stale(&self, living: usize) -> bool {
        self.heap.len() > 1_024 && self.heap.len() > living.saturating_mul(4)
    }

    /// Forgets all entries.
    pub(super) fn clear(&mut self) {
        self.heap.clear();
    }
}

/// Synthetic events by the second in which they are due.
#[derive(Debug, Default)]
pub(super) struct Delayed {
    seconds: BTreeMap<i64, Vec<super::Waiting>>,
    count: usize,
}

impl Delayed {
    pub(super) fn add(&mut self, due: i64, event: super::Waiting) {
        self.seconds.entry(due).or_default().push(event);
        self.count += 1;
    }

    pub(super) const fn len(&self) -> usize {
        self.count
    }

    pub(super) fn next_due(&self) -> Option<i64> {
        self.seconds.keys().next().copied()
    }

    /// Takes out what is due by `now`, earliest first.
    pub(super) fn take(&mut self, now: i64) -> Vec<super::Waiting> {
        let mut due = Vec::new();
        while let Some(entry) = self.seconds.first_entry().filter(|entry| *entry.key() <= now) {
            due.extend(entry.remove());
        }
        self.count -= due.len();
        due
    }

    /// All, earliest first.
    pub(super) fn all(&self) -> impl Iterator<Item = (i64, &super::Waiting)> {
        self.seconds.iter().flat_map(|(due, events)| events.iter().map(move |event| (*due, event)))
    }
}
