//! Shows events to the rules of a set and states findings.
//!
//! Each event meets the detections of its log sources, all at once in a matcher; matches go on to the
//! correlations that refer to them. Everything kept between events has a cap, and what
//! a cap pushes out is counted.

mod bytes;
mod correlation;
mod details;
mod detect;
mod first_seen;
mod group;
mod groups;
mod judge;
mod key;
mod measure;
mod pairs;
mod snapshot;
mod state;
mod tally;
mod window;

pub(crate) use key::any_value;

use std::sync::Arc;

use bergfried_event::{Event, Field, Finding};
use bergfried_matcher::Cost;

use crate::rule::{Body, Correlation, Detection, Rule};
use crate::set::RuleSet;
use correlation::{Hit, turn};
use detect::Detector;
pub use detect::{Trained, Training};
use judge::Point;
pub use pairs::{FIRST_SEEN, LEARNT, Pairs};
pub use snapshot::{Replaced, SnapshotError};
use state::State;

/// Bounds of what an engine keeps and how often it repeats itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Microseconds of event time between two findings of one running episode; `i64::MAX` leaves the
    /// rest of an episode to its end and to [`Engine::flush`].
    pub update_interval: i64,
    /// The most groups that each rule keeps; the least recently used are dropped and counted.
    pub max_groups: usize,
    /// About how many bytes the groups of all rules may take together; the least recently used are
    /// dropped and counted.
    pub max_state_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { update_interval: 60_000_000, max_groups: 2_000_000, max_state_bytes: 256 << 20 }
    }
}

/// A rule set with what it remembers of the events so far.
#[derive(Debug)]
pub struct Engine {
    rules: Arc<RuleSet>,
    detector: Detector,
    limits: Limits,
    /// One for each rule, empty for plain detections.
    states: Vec<State>,
    /// For each rule: a correlation stands after all that it refers to.
    ranks: Vec<usize>,
    /// Event time of the last look for findings that are due.
    swept: Option<i64>,
    observed: u64,
    /// For each rule how many events it matched, or how many episodes started; without warming up.
    hits: Vec<u64>,
    /// About how many bytes the states take.
    bytes: usize,
    /// For each rule whether it remembers something but started anew.
    anew: Vec<bool>,
    /// Whether only those are shown what comes.
    learning: bool,
    /// Kept between events for their memory alone.
    queue: Vec<Queued>,
    points: Vec<Point>,
}

/// A match on its way to a correlation.
#[derive(Clone, Copy, Debug)]
struct Queued {
    correlation: usize,
    step: usize,
    time: i64,
    event_id: u64,
    weight: u64,
    times: u64,
    first: i64,
}

impl Engine {
    /// An engine that has seen nothing yet.
    pub fn new(rules: Arc<RuleSet>, limits: Limits) -> Engine {
        let states = rules.rules().iter().map(|rule| State::new(rule, limits)).collect();
        let ranks = ranks(rules.rules());
        Engine {
            hits: vec![0; rules.len()],
            detector: Detector::new(&rules),
            rules,
            limits,
            states,
            ranks,
            swept: None,
            observed: 0,
            bytes: 0,
            anew: Vec::new(),
            learning: false,
            queue: Vec::new(),
            points: Vec::new(),
        }
    }

    /// Shows an event to the rules; what they state is added to `findings`.
    ///
    /// `event_id` is what findings name the event by. Time is the event's own: an event may come
    /// later than a newer one of its group by up to the correlation's time span; one that is later
    /// still is left out and counted in [`Engine::late`].
    pub fn observe(&mut self, event: &Event<'_>, event_id: u64, findings: &mut Vec<Finding>) {
        self.step(event, event_id, Some(findings));
    }

    /// Shows an event that was stated upon before a restart: it is remembered, nothing is stated.
    pub fn warm(&mut self, event: &Event<'_>, event_id: u64) {
        self.step(event, event_id, None);
    }

    /// States what is still to be said of running episodes; they go on all the same.
    pub fn flush(&mut self, findings: &mut Vec<Finding>) {
        for (rule, state) in self.rules.rules().iter().zip(&mut self.states) {
            if let (State::Correlation(state), Body::Correlation(body)) = (state, &rule.body) {
                state.flush(rule, body, i64::MAX, 0, findings);
            }
        }
    }

    /// How many groups or combinations were forgotten because there were too many.
    pub fn evicted(&self) -> u64 {
        self.states.iter().map(State::evicted).sum()
    }

    /// As [`Engine::evicted`], for each rule in the order of the set.
    pub fn evicted_by_rule(&self) -> impl Iterator<Item = u64> {
        self.states.iter().map(State::evicted)
    }

    /// How many matches were left out of a correlation because they came too late.
    pub fn late(&self) -> u64 {
        self.late_by_rule().sum()
    }

    /// As [`Engine::late`], for each rule in the order of the set.
    pub fn late_by_rule(&self) -> impl Iterator<Item = u64> {
        self.states.iter().map(State::late)
    }

    /// For each rule, in the order of the set, how many events it matched; for a correlation, how
    /// many of its episodes started.
    pub fn hits(&self) -> &[u64] {
        &self.hits
    }

    /// About how many bytes the groups of all rules take; never more than
    /// [`Limits::max_state_bytes`] for longer than one event.
    pub fn state_bytes(&self) -> usize {
        self.bytes
    }

    /// The rules.
    pub fn rules(&self) -> &Arc<RuleSet> {
        &self.rules
    }

    /// The indices in [`RuleSet::rules`] of the detections that hold over an event, in ascending
    /// order; nothing is remembered or stated of it.
    pub fn detections(&mut self, event: &Event<'_>) -> &[usize] {
        self.detector.detections(&self.rules, event)
    }

    /// Adds to `costs`, one for each rule in the order of the set, what its condition takes over an
    /// event by this clock; nothing is remembered or stated of it. For a sample of events, since it
    /// takes longer than [`Engine::detections`].
    pub fn profile(&mut self, event: &Event<'_>, clock: &dyn Fn() -> u64, costs: &mut [Cost]) {
        self.detector.profile(&self.rules, event, clock, costs);
    }

    /// A job that learns from the events seen which rules can be told apart by what is rare; due
    /// after some thousand events, then ever less often. It may run on any thread.
    pub fn training(&mut self) -> Option<Training> {
        self.detector.training(&self.rules)
    }

    /// Installs what a job of this engine learnt. The same is found, but faster.
    pub fn install(&mut self, trained: Trained) {
        self.detector.install(&self.rules, trained);
    }

    /// Runs a job in place where one is due.
    pub fn train(&mut self) {
        if let Some(training) = self.training() {
            self.install(training.run());
        }
    }

    fn step(&mut self, event: &Event<'_>, event_id: u64, mut findings: Option<&mut Vec<Finding>>) {
        self.observed = self.observed.wrapping_add(1);
        if let Some(findings) = findings.as_deref_mut() {
            self.sweep(event.created().micros(), findings);
        }
        let rules = Arc::clone(&self.rules);
        let hits = self.detector.take_detections(&rules, event);
        for index in hits.iter().copied() {
            let Some(rule) = rules.rules().get(index) else { continue };
            let Body::Detection(detection) = &rule.body else { continue };
            if !self.is_new(index, detection, event) {
                continue;
            }
            let weight = weight(event);
            if findings.is_some() {
                self.hit(index);
            }
            let time = event.created().micros();
            let found = Queued {
                correlation: 0,
                step: 0,
                time,
                event_id,
                weight,
                times: weight,
                first: time,
            };
            self.enqueue(&rules, index, found, |_| true);
            if let Some(findings) = findings.as_deref_mut().filter(|_| !rule.silent) {
                findings.push(details::single(rule, &detection.predicate, event, event_id, weight));
            }
        }
        self.detector.give_back(hits);
        while let Some(queued) = self.dequeue() {
            self.correlate(&rules, queued, event, findings.as_deref_mut());
        }
        if self.bytes > self.limits.max_state_bytes {
            self.shed(&rules, findings);
        }
    }

    /// Whether the rule never saw what this event combines; true where it does not ask for that.
    fn is_new(&mut self, rule: usize, detection: &Detection, event: &Event<'_>) -> bool {
        let Some(first_seen) = &detection.first_seen else { return true };
        if !self.attends(rule) {
            return false;
        }
        let turn = turn(self.observed);
        let Some(State::FirstSeen(state)) = self.states.get_mut(rule) else { return true };
        let before = state.bytes();
        let new = state.is_new(first_seen, event, turn);
        self.bytes = (self.bytes + state.bytes()).saturating_sub(before);
        new
    }

    fn hit(&mut self, rule: usize) {
        if let Some(hits) = self.hits.get_mut(rule) {
            *hits = hits.saturating_add(1);
        }
    }

    /// Forgets the least recently used of all rules until there is some room again.
    fn shed(&mut self, rules: &RuleSet, mut findings: Option<&mut Vec<Finding>>) {
        // Some room at once: finding the oldest looks at every rule.
        let target = self.limits.max_state_bytes - self.limits.max_state_bytes / 256;
        while self.bytes > target {
            let states = self.states.iter().enumerate();
            let oldest =
                states.filter_map(|(rule, state)| Some((state.oldest_turn()?, rule))).min();
            let Some((_, index)) = oldest else { return };
            let (Some(rule), Some(state)) = (rules.rules().get(index), self.states.get_mut(index))
            else {
                return;
            };
            let before = state.bytes();
            // A few at a time, for the same reason.
            for _ in 0..16 {
                let shed = match (&mut *state, &rule.body) {
                    (State::Correlation(state), Body::Correlation(body)) => {
                        state.shed(rule, body, findings.as_deref_mut())
                    }
                    (State::FirstSeen(state), _) => state.shed(),
                    _ => false,
                };
                if !shed {
                    break;
                }
            }
            self.bytes = (self.bytes + state.bytes()).saturating_sub(before);
            if state.bytes() == before {
                return;
            }
        }
    }

    /// States follow-ups that are due, once for each interval of event time.
    fn sweep(&mut self, now: i64, findings: &mut Vec<Finding>) {
        let interval = self.limits.update_interval;
        let due = match self.swept {
            None => false,
            // Time that runs backwards (another file) starts the interval anew.
            Some(swept) => now < swept || now.saturating_sub(swept) >= interval,
        };
        if due && interval != i64::MAX {
            for (rule, state) in self.rules.rules().iter().zip(&mut self.states) {
                if let (State::Correlation(state), Body::Correlation(body)) = (state, &rule.body) {
                    state.flush(rule, body, now, interval, findings);
                }
            }
        }
        if due || self.swept.is_none() {
            self.swept = Some(now);
        }
    }

    /// Hands a match of a rule on to the correlations that refer to it.
    fn enqueue(
        &mut self,
        rules: &RuleSet,
        rule: usize,
        found: Queued,
        wanted: impl Fn(&Correlation) -> bool,
    ) {
        for (correlation, step) in rules.referrers(rule) {
            let body = rules.rules().get(*correlation).map(|rule| &rule.body);
            if let Some(Body::Correlation(body)) = body
                && wanted(body)
            {
                self.queue.push(Queued { correlation: *correlation, step: *step, ..found });
            }
        }
    }

    /// The next match to hand on: inner correlations first, later steps before earlier ones, so that
    /// one event is never two steps of an order.
    fn dequeue(&mut self) -> Option<Queued> {
        let rank = |queued: &Queued| self.ranks.get(queued.correlation).copied().unwrap_or(0);
        let key = |queued: &Queued| {
            (rank(queued), queued.correlation, usize::MAX - queued.step, queued.time)
        };
        let (index, _) = self.queue.iter().enumerate().min_by_key(|(_, queued)| key(queued))?;
        Some(self.queue.swap_remove(index))
    }

    fn correlate(
        &mut self,
        rules: &RuleSet,
        queued: Queued,
        event: &Event<'_>,
        findings: Option<&mut Vec<Finding>>,
    ) {
        let Some(rule) = rules.rules().get(queued.correlation) else { return };
        let Body::Correlation(body) = &rule.body else { return };
        if !self.attends(queued.correlation) {
            return;
        }
        let Some(State::Correlation(state)) = self.states.get_mut(queued.correlation) else {
            return;
        };
        let hit = Hit {
            event,
            event_id: queued.event_id,
            sequence: self.observed,
            step: queued.step,
            time: queued.time,
            weight: queued.weight,
            times: queued.times,
            first: queued.first,
        };
        let counts = findings.is_some();
        let before = state.bytes();
        let mut points = std::mem::take(&mut self.points);
        points.clear();
        state.observe(rule, body, &hit, findings, &mut points);
        self.bytes = (self.bytes + state.bytes()).saturating_sub(before);
        for point in &points {
            let Point { time, event_id, weight, first, starts } = *point;
            if starts && counts {
                self.hit(queued.correlation);
            }
            // An episode counts once, whatever stands behind it.
            let found = Queued { correlation: 0, step: 0, time, event_id, weight, times: 1, first };
            let wanted = |outer: &Correlation| starts || outer.kind.asks_for_presence();
            self.enqueue(rules, queued.correlation, found, wanted);
        }
        self.points = points;
    }
}

/// How many times the event happened (`event.count`; sshd's "message repeated N times").
fn weight(event: &Event<'_>) -> u64 {
    let count = event.get(Field::EventCount).and_then(bergfried_event::Value::as_int);
    count.and_then(|count| u64::try_from(count).ok()).map_or(1, |count| count.max(1))
}

/// For each rule the longest way down to a detection.
fn ranks(rules: &[Rule]) -> Vec<usize> {
    let mut ranks = vec![0; rules.len()];
    // Loaded sets have no circles, so a chain is no longer than the set.
    for _ in 0..rules.len() {
        let mut changed = false;
        for (index, rule) in rules.iter().enumerate() {
            let Body::Correlation(body) = &rule.body else { continue };
            let below = body.steps.iter().filter_map(|step| ranks.get(step.rule)).max();
            let rank = below.map_or(1, |below| below + 1);
            if let Some(slot) = ranks.get_mut(index).filter(|slot| **slot < rank) {
                *slot = rank;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    ranks
}
