//! Chains on their way into the running pipeline, and what is counted of those that run.
//!
//! As with rules, the pipeline's thread looks here between batches: a batch is read by one set of
//! chains.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bergfried_process::{ChainCounts, Chains, Counts, Meter};

pub(crate) struct ChainDesk {
    next: Mutex<Option<Arc<Chains>>>,
    counted: Mutex<(Arc<Chains>, Counts)>,
}

impl ChainDesk {
    pub(crate) fn new(chains: Arc<Chains>) -> ChainDesk {
        ChainDesk { next: Mutex::default(), counted: Mutex::new((chains, Counts::default())) }
    }

    /// Leaves chains to be taken; those that were left before and not taken are forgotten.
    pub(crate) fn leave(&self, chains: Arc<Chains>) {
        *lock(&self.next) = Some(chains);
    }

    /// Takes the chains that were left.
    pub(crate) fn take(&self) -> Option<Arc<Chains>> {
        lock(&self.next).take()
    }

    /// Takes over what was counted of the chains that run.
    pub(crate) fn count(&self, chains: &Arc<Chains>, counts: &Counts) {
        let mut counted = lock(&self.counted);
        let (known, kept) = &mut *counted;
        if !Arc::ptr_eq(known, chains) {
            *known = Arc::clone(chains);
        }
        kept.clone_from(counts);
    }

    pub(crate) fn report(&self) -> Vec<ChainCounts> {
        let (chains, counts) = lock(&self.counted).clone();
        chains.report(&counts)
    }
}

/// Counters that measure by this machine's clock.
pub(crate) fn meter(chains: &Chains) -> Meter {
    let started = Instant::now();
    chains.meter(Box::new(move || u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX)))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
