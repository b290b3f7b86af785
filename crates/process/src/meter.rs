//! What is counted of the steps of chains.

use std::fmt;

use bergfried_grok::Captures;

/// The first events are all measured.
const FIRST: u64 = 256;
/// After them, one of so many is measured.
const MEASURED: u64 = 64;

/// The counters of a set of chains, and memory that is used again; belongs to the thread that runs them.
pub struct Meter {
    pub(crate) clock: Box<dyn Fn() -> u64 + Send>,
    pub(crate) counts: Counts,
    /// Memory for the captures of one text.
    pub(crate) captures: Captures,
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").field("counts", &self.counts).finish_non_exhaustive()
    }
}

/// The counters alone, to be looked at elsewhere.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub(crate) events: u64,
    pub(crate) dropped: u64,
    pub(crate) chains: Vec<ChainMeter>,
    pub(crate) steps: Vec<StepMeter>,
    pub(crate) patterns: Vec<PatternMeter>,
}

impl Clone for Counts {
    fn clone(&self) -> Self {
        let mut counts = Counts::default();
        counts.clone_from(self);
        counts
    }

    /// Uses the memory that it has: counters are looked at after every commit.
    fn clone_from(&mut self, other: &Self) {
        (self.events, self.dropped) = (other.events, other.dropped);
        self.chains.clone_from(&other.chains);
        self.steps.clone_from(&other.steps);
        self.patterns.clone_from(&other.patterns);
    }
}

impl Counts {
    /// Events that came to the chains.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Events that a chain let go; they are answered, not stored.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// What is counted of one chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ChainMeter {
    pub(crate) held: u64,
    pub(crate) dropped: u64,
    pub(crate) measured: u64,
    pub(crate) nanoseconds: u64,
}

/// What is counted of one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StepMeter {
    /// Events for which its condition held.
    pub(crate) tried: u64,
    pub(crate) done: u64,
    pub(crate) failed: u64,
    pub(crate) too_hard: u64,
    pub(crate) measured: u64,
    pub(crate) nanoseconds: u64,
}

/// What is counted of one pattern of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PatternMeter {
    pub(crate) tried: u64,
    pub(crate) matched: u64,
    pub(crate) too_hard: u64,
    pub(crate) measured: u64,
    pub(crate) nanoseconds: u64,
}

impl Meter {
    pub(crate) fn new(
        chains: usize,
        steps: usize,
        patterns: usize,
        clock: Box<dyn Fn() -> u64 + Send>,
    ) -> Meter {
        Meter {
            clock,
            captures: Captures::new(),
            counts: Counts {
                events: 0,
                dropped: 0,
                chains: vec![ChainMeter::default(); chains],
                steps: vec![StepMeter::default(); steps],
                patterns: vec![PatternMeter::default(); patterns],
            },
        }
    }

    /// What was counted so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Counts one more event; whether it is one that is measured.
    pub(crate) fn next(&mut self) -> bool {
        self.counts.events += 1;
        self.counts.events <= FIRST || self.counts.events.is_multiple_of(MEASURED)
    }
}
