//! Ids that senders gave what they sent lately, so that what comes twice is stored once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// What an id is remembered by.
pub(crate) type Key = [u8; 16];

/// The key of an id that consists of these parts.
pub(crate) fn key(parts: &[&[u8]]) -> Key {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut key = [0; 16];
    hasher.finalize_xof().fill(&mut key);
    key
}

/// The newest ids, and those that are on their way to the disk.
pub(crate) struct Ids {
    /// How many are remembered at least; at most twice as many.
    remembered: usize,
    kept: Mutex<Kept>,
    /// Rung when ids are no longer on their way.
    arrived: Notify,
}

#[derive(Default)]
struct Kept {
    young: HashSet<Key>,
    old: HashSet<Key>,
    underway: HashSet<Key>,
}

impl Ids {
    /// Remembers at least so many ids.
    pub(crate) fn new(remembered: usize) -> Ids {
        Ids { remembered, kept: Mutex::default(), arrived: Notify::new() }
    }

    /// Remembers ids of what is stored, the oldest first.
    pub(crate) fn stored(&self, keys: impl IntoIterator<Item = Key>) {
        self.with(|kept| keys.into_iter().for_each(|key| kept.remember(key, self.remembered)));
    }

    /// Whether something stored has this id.
    pub(crate) fn knows(&self, key: &Key) -> bool {
        self.with(|kept| kept.knows(key))
    }

    /// Which of these ids are new: those that nothing stored has, and of equal ones the first. They
    /// are the caller's until it drops the claim; who brings one of them meanwhile waits until it is
    /// known whether it was stored.
    pub(crate) async fn claim(self: &Arc<Self>, keys: &[Option<Key>]) -> (Claim, Vec<bool>) {
        loop {
            let arrived = self.arrived.notified();
            tokio::pin!(arrived);
            // From here on no ring is missed.
            arrived.as_mut().enable();
            if let Some(claimed) = self.try_claim(keys) {
                return claimed;
            }
            arrived.await;
        }
    }

    fn try_claim(self: &Arc<Self>, keys: &[Option<Key>]) -> Option<(Claim, Vec<bool>)> {
        self.with(|kept| {
            // All or none, so that two requests never wait for each other.
            if keys.iter().flatten().any(|key| kept.underway.contains(key)) {
                return None;
            }
            let mut mine = Vec::new();
            let new = keys.iter().map(|key| match key {
                None => true,
                Some(key) if kept.knows(key) => false,
                Some(key) => {
                    let first = kept.underway.insert(*key);
                    mine.extend(first.then_some(*key));
                    first
                }
            });
            let new = new.collect();
            Some((Claim { ids: Arc::clone(self), keys: mine }, new))
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Kept {
    fn knows(&self, key: &Key) -> bool {
        self.young.contains(key) || self.old.contains(key)
    }

    fn remember(&mut self, key: Key, remembered: usize) {
        if self.young.len() >= remembered {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key);
    }
}

/// Ids of what is on its way to the disk. Dropped, those of them that were not stored are as if they
/// had never come.
pub(crate) struct Claim {
    ids: Arc<Ids>,
    keys: Vec<Key>,
}

impl Claim {
    /// What has these of the claimed ids is durable.
    pub(crate) fn stored(&self, keys: impl IntoIterator<Item = Key>) {
        self.ids.stored(keys);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.ids.with(|kept| {
            for key in &self.keys {
                kept.underway.remove(key);
            }
        });
        self.ids.arrived.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> Key {
        key(&[&number.to_le_bytes()])
    }

    #[tokio::test]
    async fn the_newest_ids_are_known_and_the_number_is_bounded() {
        let ids = Arc::new(Ids::new(1_000));
        ids.stored((0..5_000).map(id));
        let keys: Vec<_> = (4_000..5_001).map(id).map(Some).collect();
        let (_claim, new) = ids.claim(&keys).await;
        assert_eq!(new.iter().position(|new| *new), Some(1_000));
        assert_eq!(ids.claim(&[Some(id(0)), None]).await.1, [true, true]);
        let kept = ids.kept.lock().unwrap();
        assert!(kept.young.len() + kept.old.len() <= 2_000);
    }

    #[tokio::test]
    async fn what_was_not_stored_may_come_again() {
        let ids = Arc::new(Ids::new(10));
        let keys = [Some(id(1)), Some(id(2)), Some(id(1)), None];
        let (claim, new) = ids.claim(&keys).await;
        assert_eq!(new, [true, true, false, true]);
        claim.stored([id(1)]);
        drop(claim);
        assert_eq!(ids.claim(&keys).await.1, [false, true, false, true]);
        assert!(ids.kept.lock().unwrap().underway.is_empty());
    }

    #[tokio::test]
    async fn equal_ids_of_two_requests_wait_for_each_other() {
        let ids = Arc::new(Ids::new(10));
        for is_stored in [true, false] {
            let number = usize::from(is_stored);
            let (claim, _) = ids.claim(&[Some(id(number))]).await;
            assert!(ids.try_claim(&[Some(id(7)), Some(id(number))]).is_none());
            assert!(!ids.kept.lock().unwrap().underway.contains(&id(7)), "all or none");
            let keys = [Some(id(number))];
            let second = ids.claim(&keys);
            let first = async {
                tokio::task::yield_now().await;
                claim.stored(is_stored.then_some(id(number)));
                drop(claim);
            };
            let ((_claim, new), ()) = tokio::join!(second, first);
            assert_eq!(new, [!is_stored]);
        }
    }

    #[test]
    fn parts_are_told_apart() {
        assert_ne!(key(&[b"a", b"b"]), key(&[b"ab", b""]));
        assert_ne!(key(&[b"a", b"b"]), key(&[b"a"]));
    }
}
