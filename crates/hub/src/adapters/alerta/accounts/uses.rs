//! How often keys are used: counted in memory, written down once in a while.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bergfried_control::AccountUse;
use bergfried_event::Timestamp;

use super::records::Key;

/// How old what is written may get, in microseconds.
const RESOLUTION: i64 = 60 * Timestamp::SECOND;

#[derive(Debug, Default)]
pub(super) struct Uses(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    of: HashMap<String, Count>,
    /// When the counts were last written down.
    written: Option<Timestamp>,
}

#[derive(Clone, Debug)]
struct Count {
    count: u64,
    last: Timestamp,
    is_written: bool,
}

impl Uses {
    pub(super) fn of(kept: Vec<AccountUse>) -> Uses {
        let of = kept.into_iter().map(|used| {
            (used.id, Count { count: used.count, last: used.last_used, is_written: true })
        });
        Uses(Mutex::new(Counts { of: of.collect(), written: None }))
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a use; says whether it is time to write.
    pub(super) fn used(&self, key: &str, now: Timestamp) -> bool {
        let mut counts = self.counts();
        match counts.of.get_mut(key) {
            Some(count) => {
                count.count += 1;
                count.last = now;
                count.is_written = false;
            }
            None => {
                let first = Count { count: 1, last: now, is_written: false };
                counts.of.insert(key.to_owned(), first);
            }
        }
        // A clock that was set back does not end the writing.
        let due = counts.written.is_none_or(|at| !(0..RESOLUTION).contains(&now.since(at)));
        if due {
            counts.written = Some(now);
        }
        due
    }

    pub(super) fn of_key(&self, key: &str) -> (u64, Option<Timestamp>) {
        let counts = self.counts();
        counts.of.get(key).map_or((0, None), |count| (count.count, Some(count.last)))
    }

    /// What is not written yet, of keys that there still are.
    pub(super) fn take_unwritten(&self, keys: &BTreeMap<String, Arc<Key>>) -> Vec<AccountUse> {
        let mut counts = self.counts();
        counts.of.retain(|id, _| keys.contains_key(id));
        let unwritten = counts.of.iter_mut().filter(|(_, count)| !count.is_written);
        unwritten
            .map(|(id, count)| {
                count.is_written = true;
                AccountUse { id: id.clone(), count: count.count, last_used: count.last }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_are_written_once_a_minute_and_only_of_keys_that_there_are() {
        let uses = Uses::default();
        let at = Timestamp::from_seconds;
        assert!(uses.used("a", at(100)));
        assert!(!uses.used("a", at(101)));
        assert!(!uses.used("gone", at(102)));
        assert_eq!(uses.of_key("a"), (2, Some(at(101))));
        assert!(uses.used("a", at(161)));
        let key = Key {
            id: "a".to_owned(),
            hash: String::new(),
            hint: String::new(),
            user: String::new(),
            scopes: Vec::new(),
            text: String::new(),
            expires: at(0),
            customer: None,
        };
        let keys = BTreeMap::from([("a".to_owned(), Arc::new(key))]);
        let unwritten = uses.take_unwritten(&keys);
        assert_eq!(unwritten, [AccountUse { id: "a".to_owned(), count: 3, last_used: at(161) }]);
        assert_eq!(uses.take_unwritten(&keys), []);
        assert_eq!(uses.of_key("gone"), (0, None));
        assert_eq!(Uses::of(unwritten).of_key("a"), (3, Some(at(161))));
    }
}
