//! Which detections hold over an event, and learning from events which of them are rare.

use std::sync::Arc;

use bergfried_event::Event;
use bergfried_matcher::{Cost, Labels, Matcher, Scratch, Statistics};

use crate::logsource::Told;
use crate::set::RuleSet;

/// How many events go by for one that is kept as a sample: few at first, so that a matcher which
/// knows nothing is soon replaced, then ever more.
const INTERVALS: [u64; 3] = [4, 64, 1_024];
/// How many samples the first job wants.
const FIRST_SAMPLES: usize = 512;

/// A matcher with the memory that it works in and a sample of the events that it saw.
#[derive(Debug)]
pub(crate) struct Detector {
    matcher: Arc<Matcher>,
    told: Told,
    scratch: Scratch,
    hits: Vec<usize>,
    seen: u64,
    jobs: usize,
    samples: Statistics,
    /// Whether the samples are enough for a job.
    ready: bool,
}

/// A job that makes a matcher which knows the events seen; it may run on any thread.
#[derive(Debug)]
pub struct Training {
    rules: Arc<RuleSet>,
    samples: Statistics,
}

/// What came of a [`Training`], to be installed in the engine that handed it out.
#[derive(Debug)]
pub struct Trained {
    rules: Arc<RuleSet>,
    matcher: Matcher,
}

impl Training {
    /// Makes the matcher; takes some hundred milliseconds for some thousand rules.
    pub fn run(self) -> Trained {
        Trained { matcher: self.rules.trained(&self.samples), rules: self.rules }
    }
}

impl Detector {
    pub(crate) fn new(rules: &RuleSet) -> Detector {
        Detector {
            matcher: Arc::clone(rules.matcher()),
            told: Told::default(),
            scratch: Scratch::default(),
            hits: Vec::new(),
            seen: 0,
            jobs: 0,
            samples: Statistics::default(),
            ready: false,
        }
    }

    /// The indices of the rules that hold over the event, in ascending order.
    pub(crate) fn detections(&mut self, rules: &RuleSet, event: &Event<'_>) -> &[usize] {
        let labels = rules.labels(event, &mut self.told);
        self.sample(event, labels);
        self.hits.clear();
        self.matcher.matches(event, &labels, &mut self.scratch, &mut self.hits);
        &self.hits
    }

    /// As [`Detector::detections`], the list taken out; [`Detector::give_back`] keeps its memory.
    pub(crate) fn take_detections(&mut self, rules: &RuleSet, event: &Event<'_>) -> Vec<usize> {
        self.detections(rules, event);
        std::mem::take(&mut self.hits)
    }

    /// Takes back a list for its memory.
    pub(crate) fn give_back(&mut self, hits: Vec<usize>) {
        self.hits = hits;
    }

    /// Adds to `costs`, one for each rule, what its condition takes over the event.
    pub(crate) fn profile(
        &mut self,
        rules: &RuleSet,
        event: &Event<'_>,
        clock: &dyn Fn() -> u64,
        costs: &mut [Cost],
    ) {
        let labels = rules.labels(event, &mut self.told);
        self.matcher.profile(event, &labels, &mut self.scratch, clock, costs);
    }

    /// The job that is due, if one is.
    pub(crate) fn training(&mut self, rules: &Arc<RuleSet>) -> Option<Training> {
        if !self.ready {
            return None;
        }
        self.ready = false;
        self.jobs += 1;
        let samples = std::mem::take(&mut self.samples);
        Some(Training { rules: Arc::clone(rules), samples })
    }

    /// Takes what came of a job, unless it was about other rules.
    pub(crate) fn install(&mut self, rules: &Arc<RuleSet>, trained: Trained) {
        if Arc::ptr_eq(rules, &trained.rules) {
            self.matcher = Arc::new(trained.matcher);
        }
    }

    fn sample(&mut self, event: &Event<'_>, labels: Labels) {
        self.seen += 1;
        let last = INTERVALS.len() - 1;
        let interval = INTERVALS.get(self.jobs.min(last)).copied().unwrap_or(1);
        if self.ready || !self.seen.is_multiple_of(interval) {
            return;
        }
        let wanted = if self.jobs == 0 { FIRST_SAMPLES } else { Statistics::MAX_EVENTS };
        let added = self.samples.add(event.clone().into_owned(), labels);
        self.ready = !added && !self.samples.is_empty() || self.samples.len() >= wanted;
    }
}
