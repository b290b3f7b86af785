//! Rules on their way into the running pipeline, and what is counted of those that run.
//!
//! The pipeline's thread looks here between batches, so a batch is judged by one set of rules.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bergfried_event::{Event, Finding, Timestamp};
use bergfried_rules::{Cost, Engine, Replaced, RuleSet, SeenSources};
use tokio::sync::oneshot;

/// The first events are all looked at closely.
const FIRST: u64 = 1_000;
/// After them, one of so many is measured.
const PROFILED: u64 = 256;
/// After them, the log sources of one of so many are noted.
const NOTED: u64 = 16;

/// What is counted of one rule since the hub's start, or since the rule first ran.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleCounts {
    /// Events that it matched; of a correlation, episodes that started.
    pub hits: u64,
    /// Findings that were stored.
    pub findings: u64,
    /// When the hub saw the last hit.
    pub last_hit: Option<Timestamp>,
    /// What its condition takes for each event, on average of those that were measured.
    pub nanoseconds_per_event: f64,
    /// How often it was looked at among a thousand events, the others having been passed over.
    pub evaluated_per_thousand: f64,
    /// Groups or combinations that it forgot because there were too many.
    pub evicted: u64,
    /// Matches that came too late to count.
    pub late: u64,
}

/// What is counted of the rules that run.
#[derive(Clone, Debug)]
pub struct RuleReport {
    /// The rules.
    pub rules: Arc<RuleSet>,
    /// For each of them, in the order of the set.
    pub counts: Vec<RuleCounts>,
    /// The log sources of the events seen, as words that were given together.
    pub sources: Vec<Vec<String>>,
}

pub(crate) struct Desk {
    next: Mutex<Option<(Arc<RuleSet>, oneshot::Sender<Replaced>)>>,
    counted: Mutex<Counted>,
    started: Instant,
}

struct Counted {
    rules: Arc<RuleSet>,
    tallies: Vec<Tally>,
    costs: Vec<Cost>,
    seen: SeenSources,
    events: u64,
    profiled: u64,
}

#[derive(Clone, Debug, Default)]
struct Tally {
    hits: u64,
    findings: u64,
    last_hit: Option<Timestamp>,
    evicted: u64,
    late: u64,
    /// What the engine had counted when it was asked last; it counts anew after a failed commit.
    known: u64,
    /// How many events had been measured when the rule came.
    since: u64,
}

impl Desk {
    pub(crate) fn new(rules: Arc<RuleSet>) -> Desk {
        let counted = Counted {
            tallies: vec![Tally::default(); rules.len()],
            costs: vec![Cost::default(); rules.len()],
            rules,
            seen: SeenSources::default(),
            events: 0,
            profiled: 0,
        };
        Desk { next: Mutex::default(), counted: Mutex::new(counted), started: Instant::now() }
    }

    /// Leaves rules to be taken; those that were left before and not taken are forgotten.
    pub(crate) fn leave(&self, rules: Arc<RuleSet>) -> oneshot::Receiver<Replaced> {
        let (done, replaced) = oneshot::channel();
        *lock(&self.next) = Some((rules, done));
        replaced
    }

    /// Takes the rules that were left.
    pub(crate) fn take(&self) -> Option<(Arc<RuleSet>, oneshot::Sender<Replaced>)> {
        lock(&self.next).take()
    }

    /// Counts for other rules from now on; those that stay keep their counts.
    pub(crate) fn replaced(&self, rules: Arc<RuleSet>, engine: &Engine) {
        let mut counted = lock(&self.counted);
        let ids = |rules: &RuleSet| -> HashMap<String, usize> {
            let ids = rules.rules().iter().enumerate();
            ids.map(|(index, rule)| (rule.id().to_owned(), index)).collect()
        };
        let before = ids(&counted.rules);
        let mut tallies = Vec::with_capacity(rules.len());
        let mut costs = Vec::with_capacity(rules.len());
        for (rule, known) in rules.rules().iter().zip(engine.hits()) {
            let was = before.get(rule.id());
            let tally = was.and_then(|was| counted.tallies.get(*was)).cloned();
            let fresh = Tally { since: counted.profiled, ..Tally::default() };
            tallies.push(Tally { known: *known, ..tally.unwrap_or(fresh) });
            costs.push(was.and_then(|was| counted.costs.get(*was)).copied().unwrap_or_default());
        }
        let mut seen = SeenSources::default();
        for words in counted.seen.words(&counted.rules) {
            seen.add_words(&rules, &words);
        }
        (counted.tallies, counted.costs, counted.seen) = (tallies, costs, seen);
        counted.rules = rules;
    }

    /// Looks at some of the events more closely.
    pub(crate) fn look(&self, engine: &mut Engine, events: &[Event<'_>]) {
        let mut counted = lock(&self.counted);
        let Counted { rules, costs, seen, events: number, profiled, .. } = &mut *counted;
        for event in events {
            *number += 1;
            if *number <= FIRST || number.is_multiple_of(NOTED) {
                seen.add(rules, event);
            }
            if *number <= FIRST || number.is_multiple_of(PROFILED) {
                let clock = || u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
                engine.profile(event, &clock, costs);
                *profiled += 1;
            }
        }
    }

    /// Takes over what the engine counted.
    pub(crate) fn count(&self, engine: &Engine, now: Timestamp) {
        let mut counted = lock(&self.counted);
        let numbers = engine.hits().iter().zip(engine.evicted_by_rule()).zip(engine.late_by_rule());
        for (tally, ((hits, evicted), late)) in counted.tallies.iter_mut().zip(numbers) {
            let new = hits.checked_sub(tally.known).unwrap_or(*hits);
            if new > 0 {
                tally.hits = tally.hits.saturating_add(new);
                tally.last_hit = Some(now);
            }
            (tally.known, tally.evicted, tally.late) = (*hits, evicted, late);
        }
    }

    /// Counts findings that were stored.
    pub(crate) fn stored(&self, findings: &[Finding]) {
        if findings.is_empty() {
            return;
        }
        let mut counted = lock(&self.counted);
        let Counted { rules, tallies, .. } = &mut *counted;
        let mut new: HashMap<&str, u64> = HashMap::new();
        for finding in findings {
            *new.entry(&finding.rule_id).or_default() += 1;
        }
        for (rule, tally) in rules.rules().iter().zip(tallies) {
            if let Some(new) = new.get(rule.id()) {
                tally.findings = tally.findings.saturating_add(*new);
            }
        }
    }

    pub(crate) fn report(&self) -> RuleReport {
        let counted = lock(&self.counted);
        let counts = counted.tallies.iter().zip(&counted.costs).map(|(tally, cost)| {
            let measured = counted.profiled.saturating_sub(tally.since).max(1) as f64;
            RuleCounts {
                hits: tally.hits,
                findings: tally.findings,
                last_hit: tally.last_hit,
                nanoseconds_per_event: cost.ticks as f64 / measured,
                evaluated_per_thousand: cost.evaluated as f64 * 1_000.0 / measured,
                evicted: tally.evicted,
                late: tally.late,
            }
        });
        RuleReport {
            counts: counts.collect(),
            rules: Arc::clone(&counted.rules),
            sources: counted.seen.words(&counted.rules),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
