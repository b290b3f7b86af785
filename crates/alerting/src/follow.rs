//! What changed lately, for who follows: a bounded ring that is read from any place in it, and what
//! comes after.
//!
//! Ids are revisions, which rise over restarts. Findings are not kept over a restart, nor which
//! alerts were deleted; who asks from before is told of a gap and gets every alert that changed since.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bergfried_alert::Alert;
use bergfried_event::Finding;
use tokio::sync::broadcast;

/// How many changes can be asked for again.
pub(crate) const RING: usize = 4_096;
/// How many bytes they may hold: an alert that is large and changes often is there in each of its
/// states.
const MAX_BYTES: usize = 64 << 20;
/// How many changes a slow follower may lag behind before it is told that it lost some.
const LAG: usize = 1_024;

/// One thing to tell a follower.
#[derive(Clone, Debug)]
pub enum News {
    /// An alert as it is now.
    Alert(Arc<Alert>),
    /// An alert that is no more.
    Deleted {
        /// Its id.
        id: String,
        /// Whose it was.
        customer: Option<String>,
    },
    /// A finding that is in an alert, or in a blackout.
    Finding(Arc<Finding>),
    /// A finding of which an exception lets no alert be made.
    Suppressed {
        /// The finding.
        finding: Arc<Finding>,
        /// The id of the exception.
        exception: String,
    },
}

/// Something that happened, with the id to go on from.
#[derive(Clone, Debug)]
pub struct Happened {
    /// Rises.
    pub id: u64,
    /// What it was.
    pub news: News,
}

/// What a follower gets.
#[derive(Debug)]
pub struct Followed {
    /// Whether something may be missing before `past`.
    pub gap: bool,
    /// What happened since the place asked for.
    pub past: Vec<Happened>,
    /// The last change that `past` knows of; each that comes live has a higher id.
    pub at: u64,
    /// What happens from now on.
    pub live: broadcast::Receiver<Happened>,
}

#[derive(Debug)]
pub(crate) struct Ring {
    inner: Mutex<Inner>,
    live: broadcast::Sender<Happened>,
}

#[derive(Debug)]
struct Inner {
    /// Nothing up to here is in the ring.
    forgotten: u64,
    /// With about how many bytes each holds.
    happened: VecDeque<(Happened, usize)>,
    bytes: usize,
}

impl Ring {
    pub(crate) fn new(revision: u64) -> Ring {
        let inner = Inner { forgotten: revision, happened: VecDeque::new(), bytes: 0 };
        Ring { inner: Mutex::new(inner), live: broadcast::channel(LAG).0 }
    }

    pub(crate) fn publish(&self, news: impl IntoIterator<Item = (Happened, usize)>) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        for (happened, bytes) in news {
            // Nobody may be following.
            let _unread = self.live.send(happened.clone());
            inner.happened.push_back((happened, bytes));
            inner.bytes = inner.bytes.saturating_add(bytes);
            while (inner.happened.len() > RING || inner.bytes > MAX_BYTES)
                && let Some((oldest, bytes)) = inner.happened.pop_front()
            {
                inner.bytes = inner.bytes.saturating_sub(bytes);
                inner.forgotten = oldest.id;
            }
        }
    }

    /// What the ring holds after this id, and what comes; the flag says whether it once held more, or
    /// never came so far.
    pub(crate) fn after(&self, after: Option<u64>) -> Followed {
        // Under the lock, so that nothing falls between the past and what comes.
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let live = self.live.subscribe();
        let at = inner.happened.back().map_or(inner.forgotten, |(happened, _)| happened.id);
        let Some(after) = after else { return Followed { gap: false, past: Vec::new(), at, live } };
        let past = inner.happened.iter().map(|(happened, _)| happened);
        let past = past.filter(|happened| happened.id > after).cloned().collect();
        // An id from the future is one of a book that was since restored from an older copy.
        Followed { gap: after < inner.forgotten || after > at, past, at, live }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_bounded_in_number_and_bytes() {
        let deleted = |id: u64| {
            let news = News::Deleted { id: id.to_string(), customer: None };
            Happened { id, news }
        };
        let ring = Ring::new(0);
        ring.publish((1..=10).map(|id| (deleted(id), MAX_BYTES / 4)));
        let kept =
            |after| ring.after(Some(after)).past.iter().map(|one| one.id).collect::<Vec<_>>();
        assert_eq!(kept(0), [7, 8, 9, 10]);
        assert!(ring.after(Some(5)).gap && !ring.after(Some(6)).gap);
        ring.publish([(deleted(11), usize::MAX)]);
        assert!(kept(0).is_empty() && ring.after(Some(10)).gap);
        ring.publish((12..12 + 2 * RING as u64).map(|id| (deleted(id), 1)));
        assert_eq!(kept(0).len(), RING);
    }
}
