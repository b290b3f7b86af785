//! What is to be looked at: paths that changed a moment ago, trees, or everything.
//!
//! A path rests a moment before it is looked at, so that a save in several steps is one change.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bergfried_event::Timestamp;

/// A path is looked at so long after it changed last, and at the latest so long after it did first.
const REST: Duration = Duration::from_millis(300);
const LATEST: Duration = Duration::from_secs(2);
/// From so many on everything is looked at instead.
const MOST_PATHS: usize = 16_384;
const MOST_TREES: usize = 1_024;

/// When a path changed, as far as was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) first: Instant,
    last: Instant,
    pub(super) at: Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct Dirty {
    paths: HashMap<PathBuf, Mark>,
    trees: BTreeSet<PathBuf>,
    everything: bool,
}

impl Dirty {
    pub(super) fn path(&mut self, path: &Path, now: Instant, at: Timestamp) {
        if let Some(mark) = self.paths.get_mut(path) {
            mark.last = now;
        } else if self.paths.len() < MOST_PATHS {
            self.paths.insert(path.to_path_buf(), Mark { first: now, last: now, at });
        } else {
            self.everything();
        }
    }

    /// Looks at a path again that could not be told by now.
    pub(super) fn again(&mut self, path: PathBuf, mark: Mark, now: Instant) {
        self.paths.entry(path).or_insert(Mark { last: now, ..mark });
    }

    /// Keeps a path that was due and could not be looked at yet.
    pub(super) fn put_back(&mut self, path: PathBuf, mark: Mark) {
        self.paths.entry(path).or_insert(mark);
    }

    pub(super) fn tree(&mut self, path: PathBuf) {
        self.trees.insert(path);
        if self.trees.len() > MOST_TREES {
            self.everything();
        }
    }

    /// More changed than can be told apart.
    pub(super) fn everything(&mut self) {
        self.everything = true;
        self.paths.clear();
        self.trees.clear();
    }

    /// Paths that rested long enough.
    pub(super) fn due(&mut self, now: Instant) -> Vec<(PathBuf, Mark)> {
        let is_due = |mark: &Mark| now >= mark.due();
        self.paths.extract_if(|_, mark| is_due(mark)).collect()
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.paths.values().map(Mark::due).min()
    }

    pub(super) fn take_trees(&mut self) -> Vec<PathBuf> {
        std::mem::take(&mut self.trees).into_iter().collect()
    }

    pub(super) fn take_everything(&mut self) -> bool {
        std::mem::take(&mut self.everything)
    }

    pub(super) fn waits_for_sweep(&self) -> bool {
        self.everything || !self.trees.is_empty()
    }
}

impl Mark {
    fn due(&self) -> Instant {
        // One that was put back waits again, also past its latest.
        (self.last + REST).min((self.first + LATEST).max(self.last + REST / 3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_rests_but_not_for_ever() {
        let (begun, at) = (Instant::now(), Timestamp::from_seconds(1));
        let after = |millis| begun + Duration::from_millis(millis);
        let mut dirty = Dirty::default();
        for moment in 0..30 {
            dirty.path(Path::new("/busy"), after(100 * moment), at);
            assert!(moment >= 20 || dirty.due(after(100 * moment)).is_empty(), "{moment}");
        }
        assert_eq!(dirty.due(after(3_000)).len(), 1);
        dirty.path(Path::new("/calm"), after(0), at);
        assert_eq!(dirty.next(), Some(after(300)));
        assert!(dirty.due(after(299)).is_empty());
        assert_eq!(dirty.due(after(300)).len(), 1);
        assert_eq!(dirty.next(), None);
    }

    #[test]
    fn a_storm_takes_bounded_memory() {
        let mut dirty = Dirty::default();
        for number in 0..3 * MOST_PATHS {
            dirty.path(
                Path::new(&format!("/{number}")),
                Instant::now(),
                Timestamp::from_seconds(1),
            );
            assert!(dirty.paths.len() <= MOST_PATHS);
        }
        for number in 0..3 * MOST_TREES {
            dirty.tree(PathBuf::from(format!("/{number}")));
            assert!(dirty.trees.len() <= MOST_TREES);
        }
        assert!(dirty.take_everything() && !dirty.take_everything());
    }
}
