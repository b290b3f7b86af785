//! What `distinct` and `count` remember: values and moments under names, for so many seconds.
//!
//! Names come out of log lines, so that an attacker chooses them: all of it together is bounded, what
//! would end soonest goes first, and each loss is counted.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// How much is remembered, in bytes, where nothing else is said.
const MEMORY: usize = 64 * 1024 * 1024;

/// How much of a name or of a value is remembered; what differs later is the same.
const LONGEST: usize = 4096;

/// The most values, or seconds of a count, under one name.
const VALUES: usize = 65_536;

/// What one entry costs beside its text: its places in a map and in an order.
const OVERHEAD: usize = 128;

/// The named sets of an engine.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub struct Sets {
    sets: HashMap<Arc<Key>, Set, foldhash::quality::RandomState>,
    /// When each set is empty if nothing more comes.
    ends: BTreeSet<(i64, Arc<Key>)>,
    used: usize,
    memory: usize,
    evicted: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
struct Key {
    name: Box<[u8]>,
    seconds: i64,
    distinct: bool,
}

#[derive(Debug, Clone, Default)]
struct Set {
    ends: i64,
    /// The bytes of all values.
    bytes: usize,
    /// Values with the time they were last seen, and the same by time.
    values: HashMap<Arc<[u8]>, i64, foldhash::quality::RandomState>,
    by_time: BTreeSet<(i64, Arc<[u8]>)>,
    /// How often something happened in a second.
    moments: VecDeque<(i64, u64)>,
    happened: u64,
}

impl Default for Sets {
    fn default() -> Self {
        Self::new(MEMORY)
    }
}

impl Sets {
    /// Sets that together take at most about so many bytes.
    pub fn new(memory: usize) -> Self {
        Self { sets: HashMap::default(), ends: BTreeSet::new(), used: 0, memory, evicted: 0 }
    }

    /// How many names have something.
    pub fn len(&self) -> usize {
        self.sets.len()
    }

    /// Whether no name has anything.
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// How many values were forgotten before their time for want of memory.
    pub const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// About how many bytes they take.
    pub const fn used(&self) -> usize {
        self.used
    }

    /// Adds a value and gives how many different ones there were under this name in the last so many
    /// seconds, this one included. A value seen `seconds` ago still counts.
    pub fn distinct(&mut self, name: &[u8], value: &[u8], seconds: i64, now: i64) -> usize {
        let value = value.get(..LONGEST).unwrap_or(value);
        let key = self.key(name, seconds, true);
        self.change(&key, now, |set| set.see(value, now));
        self.sets.get(&key).map_or(0, |set| set.values.len())
    }

    /// Notes that something happened and gives how often it did in the last so many seconds.
    pub fn count(&mut self, name: &[u8], seconds: i64, now: i64) -> u64 {
        let key = self.key(name, seconds, false);
        self.change(&key, now, |set| set.happen(1, now));
        self.sets.get(&key).map_or(0, |set| set.happened)
    }

    fn key(&self, name: &[u8], seconds: i64, distinct: bool) -> Arc<Key> {
        let name = name.get(..LONGEST).unwrap_or(name).into();
        let key = Key { name, seconds, distinct };
        self.sets.get_key_value(&key).map_or_else(|| Arc::new(key), |(known, _)| Arc::clone(known))
    }

    fn change(&mut self, key: &Arc<Key>, now: i64, change: impl FnOnce(&mut Set)) {
        self.forget_ended(now);
        let fresh = !self.sets.contains_key(key);
        let set = self.sets.entry(Arc::clone(key)).or_default();
        let (before, ended) = (if fresh { 0 } else { set.cost(key) }, set.ends);
        set.expire(now.saturating_sub(key.seconds));
        change(set);
        while set.entries() > VALUES && set.drop_oldest() {
            self.evicted += 1;
        }
        set.ends = set.newest().saturating_add(key.seconds);
        self.used = (self.used + set.cost(key)).saturating_sub(before);
        if fresh || ended != set.ends {
            let ends = set.ends;
            self.ends.remove(&(ended, Arc::clone(key)));
            self.ends.insert((ends, Arc::clone(key)));
        }
        self.make_room(key);
    }

    /// Forgets the sets whose values are all over.
    fn forget_ended(&mut self, now: i64) {
        while let Some((ends, key)) = self.ends.first()
            && *ends < now
        {
            let key = Arc::clone(key);
            self.remove(&key);
        }
    }

    fn make_room(&mut self, current: &Arc<Key>) {
        while self.used > self.memory {
            let other = self.ends.iter().map(|(_, key)| key).find(|key| *key != current);
            if let Some(key) = other.cloned() {
                self.evicted += self.sets.get(&key).map_or(0, |set| set.entries() as u64);
                self.remove(&key);
                continue;
            }
            // Its own values are all that is left; the newest stays.
            let Some(set) = self.sets.get_mut(current) else { return };
            let before = set.cost(current);
            if set.entries() <= 1 || !set.drop_oldest() {
                return;
            }
            self.evicted += 1;
            self.used = (self.used + set.cost(current)).saturating_sub(before);
        }
    }

    fn remove(&mut self, key: &Arc<Key>) {
        if let Some(set) = self.sets.remove(key) {
            self.used = self.used.saturating_sub(set.cost(key));
            self.ends.remove(&(set.ends, Arc::clone(key)));
        }
    }
}

impl Set {
    fn see(&mut self, value: &[u8], now: i64) {
        let value = match self.values.get_key_value(value) {
            Some((_, seen)) if *seen >= now => return,
            Some((known, seen)) => {
                let known = Arc::clone(known);
                self.by_time.remove(&(*seen, Arc::clone(&known)));
                known
            }
            None => {
                self.bytes += value.len();
                Arc::from(value)
            }
        };
        self.by_time.insert((now, Arc::clone(&value)));
        self.values.insert(value, now);
    }

    fn happen(&mut self, times: u64, now: i64) {
        self.happened = self.happened.saturating_add(times);
        match self.moments.back_mut() {
            // A clock that was set back does not make an order of its own.
            Some((second, count)) if *second >= now => *count = count.saturating_add(times),
            _ => self.moments.push_back((now, times)),
        }
    }

    /// Forgets what was before a time.
    fn expire(&mut self, before: i64) {
        while self.oldest().is_some_and(|time| time < before) && self.drop_oldest() {}
    }

    fn oldest(&self) -> Option<i64> {
        let value = self.by_time.first().map(|(time, _)| *time);
        value.or_else(|| self.moments.front().map(|(second, _)| *second))
    }

    fn newest(&self) -> i64 {
        let value = self.by_time.last().map(|(time, _)| *time);
        value.or_else(|| self.moments.back().map(|(second, _)| *second)).unwrap_or(i64::MIN)
    }

    fn drop_oldest(&mut self) -> bool {
        if let Some((_, value)) = self.by_time.pop_first() {
            self.values.remove(&value);
            self.bytes = self.bytes.saturating_sub(value.len());
            return true;
        }
        let Some((_, count)) = self.moments.pop_front() else { return false };
        self.happened = self.happened.saturating_sub(count);
        true
    }

    fn entries(&self) -> usize {
        self.values.len() + self.moments.len()
    }

    fn cost(&self, key: &Key) -> usize {
        self.bytes + key.name.len() + (self.entries() + 1) * OVERHEAD
    }
}

/// Sets as they are written down.
#[derive(Clone, Serialize, Deserialize)]
struct Saved {
    memory: usize,
    evicted: u64,
    sets: Vec<SavedSet>,
}

#[derive(Clone, Serialize, Deserialize)]
struct SavedSet {
    key: Key,
    values: Vec<(i64, Box<[u8]>)>,
    moments: Vec<(i64, u64)>,
}

impl From<Sets> for Saved {
    fn from(sets: Sets) -> Self {
        let each = sets.sets.iter().map(|(key, set)| SavedSet {
            key: Key::clone(key),
            values: set.by_time.iter().map(|(time, value)| (*time, (&**value).into())).collect(),
            moments: set.moments.iter().copied().collect(),
        });
        Self { memory: sets.memory, evicted: sets.evicted, sets: each.collect() }
    }
}

impl From<Saved> for Sets {
    fn from(saved: Saved) -> Self {
        let mut sets = Self::new(saved.memory);
        for SavedSet { key, values, moments } in saved.sets {
            for (time, value) in values {
                sets.distinct(&key.name, &value, key.seconds, time);
            }
            let key = sets.key(&key.name, key.seconds, false);
            for (second, times) in moments {
                sets.change(&key, second, |set| set.happen(times, second));
            }
        }
        sets.evicted = sets.evicted.saturating_add(saved.evicted);
        sets
    }
}
