//! Memory that connections share besides what is queued: who may read, and what is held of messages
//! that are not whole.
//!
//! A connection that has read and then finds no room still has what it read in memory, and there may
//! be 20,000 of them. So room is taken before, at the gate, and given back where nothing came.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, TryAcquireError};

use crate::collector::Stopping;
use crate::counters::{Counters, add};

/// What a read may bring, with what its records take up besides their bytes. Where it is more, the
/// room is exceeded by that: to wait for more with some in hand would let all wait for each other.
const READ: u32 = 256 << 10;
/// What a connection may hold of a message that is not whole whatever others hold.
const SMALL: usize = 4 << 10;
/// What all connections may hold besides.
const MOST: usize = 64 << 20;

type Acquire = Pin<Box<dyn Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + Send>>;

/// Where a connection waits for room before it reads. Dropped while it waits, it gives up its turn.
pub(crate) struct Gate<'c> {
    room: &'c Arc<Semaphore>,
    counters: &'c Counters,
    waiting: Option<(Acquire, Instant)>,
}

impl<'c> Gate<'c> {
    pub(crate) fn new(room: &'c Arc<Semaphore>, counters: &'c Counters) -> Gate<'c> {
        Gate { room, counters, waiting: None }
    }

    /// Whether a reader waits for room now, and not for its sender.
    pub(crate) fn is_shut(&self) -> bool {
        self.waiting.is_some()
    }

    /// Ready with room for one read.
    pub(crate) fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<OwnedSemaphorePermit, Stopping>> {
        if self.waiting.is_none() {
            match Arc::clone(self.room).try_acquire_many_owned(READ) {
                Ok(place) => return Poll::Ready(Ok(place)),
                Err(TryAcquireError::Closed) => return Poll::Ready(Err(Stopping)),
                Err(TryAcquireError::NoPermits) => {
                    let acquire = Box::pin(Arc::clone(self.room).acquire_many_owned(READ));
                    self.waiting = Some((acquire, Instant::now()));
                }
            }
        }
        let Some((acquire, since)) = &mut self.waiting else { return Poll::Pending };
        let place = ready!(acquire.as_mut().poll(context)).map_err(|_closed| Stopping);
        let held = u64::try_from(since.elapsed().as_millis()).unwrap_or(0);
        add(&self.counters.held_ms, held);
        self.waiting = None;
        Poll::Ready(place)
    }
}

/// Room of the size that it is needed in: what is too much goes back, more is taken where there is
/// more.
pub(crate) fn fit(mut place: OwnedSemaphorePermit, cost: usize) -> OwnedSemaphorePermit {
    let has = place.num_permits();
    if has > cost {
        drop(place.split(has - cost));
    } else if let Ok(missing) = u32::try_from(cost - has)
        && let Ok(more) = Arc::clone(place.semaphore()).try_acquire_many_owned(missing)
    {
        place.merge(more);
    }
    place
}

/// What all connections hold of messages that are not whole, in bytes.
#[derive(Debug, Default)]
pub(crate) struct Unfinished(AtomicUsize);

/// What one connection holds.
#[derive(Debug)]
pub(crate) struct Holding {
    all: Arc<Unfinished>,
    counted: usize,
}

impl Holding {
    pub(crate) fn new(all: &Arc<Unfinished>) -> Holding {
        Holding { all: Arc::clone(all), counted: 0 }
    }

    /// Notes what is held now; false where that is too much.
    pub(crate) fn note(&mut self, held: usize) -> bool {
        let counted = held.saturating_sub(SMALL);
        let before = self.all.0.fetch_add(counted, Ordering::Relaxed);
        let own = std::mem::replace(&mut self.counted, counted);
        self.all.0.fetch_sub(own, Ordering::Relaxed);
        counted == 0 || before.saturating_sub(own).saturating_add(counted) <= MOST
    }

    /// Whether it is worth to be given up where others need room, and they do.
    pub(crate) fn is_in_the_way(&self) -> bool {
        self.counted > 0 && self.all.0.load(Ordering::Relaxed) > MOST / 2
    }

    /// Whether it holds more than a little.
    pub(crate) fn is_large(&self) -> bool {
        self.counted > 0
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.all.0.fetch_sub(self.counted, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test]
    async fn only_who_has_room_reads_and_room_comes_back() {
        let (room, counters) = (Arc::new(Semaphore::new(600 << 10)), Counters::default());
        let gate = || Gate::new(&room, &counters);
        let mut places = Vec::new();
        for _ in 0..2 {
            let mut gate = gate();
            places.push(poll_fn(|context| gate.poll(context)).await.unwrap());
        }
        let mut shut = gate();
        let waits = poll_fn(|context| Poll::Ready(shut.poll(context).is_pending())).await;
        assert!(waits && shut.is_shut());
        let place = fit(places.pop().unwrap(), 100);
        assert_eq!(place.num_permits(), 100);
        let granted = poll_fn(|context| shut.poll(context)).await.unwrap();
        assert!(!shut.is_shut());
        // More than there is: what is there stands for it.
        assert_eq!(fit(granted, 1 << 20).num_permits(), READ as usize);
        drop((place, places));
        assert_eq!(room.available_permits(), 600 << 10);
        room.close();
        let mut gate = gate();
        assert!(poll_fn(|context| gate.poll(context)).await.is_err());
    }

    #[test]
    fn a_little_is_always_held_and_more_has_a_bound_over_all() {
        let all = Arc::new(Unfinished::default());
        let mut many: Vec<_> = (0..MOST / (1 << 20) + 2).map(|_| Holding::new(&all)).collect();
        let held = SMALL + (1 << 20);
        let refused = many.iter_mut().map(|one| one.note(held)).filter(|taken| !taken).count();
        assert_eq!(refused, 2);
        let mut small = Holding::new(&all);
        assert!(small.note(SMALL) && !small.is_in_the_way());
        assert!(!small.note(SMALL + 1) && small.is_in_the_way());
        drop(many);
        assert!(small.note(SMALL + 1) && small.is_large() && !small.is_in_the_way());
        drop(small);
        assert_eq!(all.0.load(Ordering::Relaxed), 0);
    }
}
