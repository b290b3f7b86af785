//! Ids of documents that were created lately, so that a document created twice is stored once.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// How many ids are remembered at least; at most twice as many.
const REMEMBERED: usize = 65_536;

/// What a document's id is remembered by.
pub(super) type Key = [u8; 16];

/// The newest ids. They are forgotten when the hub stops: a log is added to, and nothing looks an
/// event up by the id that its sender gave it.
#[derive(Default)]
pub(crate) struct Ids {
    kept: Mutex<Generations>,
}

#[derive(Default)]
struct Generations {
    young: HashSet<Key>,
    old: HashSet<Key>,
}

impl Ids {
    /// An id is a document's own within its index, and the tokens of different senders do not meet.
    pub(super) fn key(token: u64, index: &str, id: &str) -> Key {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&token.to_le_bytes());
        hasher.update(&(index.len() as u64).to_le_bytes());
        hasher.update(index.as_bytes());
        hasher.update(id.as_bytes());
        let mut key = [0; 16];
        hasher.finalize_xof().fill(&mut key);
        key
    }

    pub(super) fn knows(&self, key: &Key) -> bool {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.young.contains(key) || kept.old.contains(key)
    }

    /// Remembers documents that are stored now.
    pub(super) fn stored(&self, keys: impl IntoIterator<Item = Key>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            if kept.young.len() >= REMEMBERED {
                kept.old = std::mem::take(&mut kept.young);
            }
            kept.young.insert(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_ids_are_known_and_the_number_is_bounded() {
        let ids = Ids::default();
        let key = |number: usize| Ids::key(1, "logs", &number.to_string());
        ids.stored((0..5 * REMEMBERED).map(key));
        assert!((4 * REMEMBERED..5 * REMEMBERED).all(|number| ids.knows(&key(number))));
        assert!(!ids.knows(&key(0)));
        let kept = ids.kept.lock().unwrap();
        assert!(kept.young.len() + kept.old.len() <= 2 * REMEMBERED);
    }

    #[test]
    fn an_id_belongs_to_its_index_and_sender() {
        let key = Ids::key(1, "logs", "7");
        for other in [Ids::key(2, "logs", "7"), Ids::key(1, "log", "s7"), Ids::key(1, "logs", "8")]
        {
            assert_ne!(key, other);
        }
    }
}
