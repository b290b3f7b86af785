//! Rules on their way into the running pipeline, and what is counted of those that run.
//!
//! The pipeline's thread looks here between batches, so a batch is judged by one set of rules.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bergfried_event::{Event, Finding, Timestamp};
use bergfried_rules::sec::{self, Runner, SecRule, Sets};
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
    /// Its hits in each of the last 24 hours of the clock, the present one last.
    pub hits_by_hour: [u64; Hours::KEPT],
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
    /// The rule files of SEC.
    pub sec: SecReport,
}

/// What is counted of rules of SEC.
#[derive(Clone, Debug, Default)]
pub struct SecReport {
    /// The rules, in the order of their files.
    pub rules: Vec<(SecRule, RuleCounts)>,
    /// The sets.
    pub sets: Vec<sec::Counts>,
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
    /// For each rule of SEC, in the order of the sets.
    sec: Vec<Tally>,
    sets: Vec<sec::Counts>,
}

#[derive(Clone, Debug, Default)]
struct Tally {
    hits: u64,
    hours: Hours,
    findings: u64,
    last_hit: Option<Timestamp>,
    evicted: u64,
    late: u64,
    /// What the engine had counted when it was asked last; it counts anew after a failed commit.
    known: u64,
    /// How many events had been measured when the rule came.
    since: u64,
}

impl Tally {
    /// Takes over what the engine counted in all.
    fn count(&mut self, hits: u64, now: Timestamp) {
        let new = hits.checked_sub(self.known).unwrap_or(hits);
        if new > 0 {
            self.hits = self.hits.saturating_add(new);
            self.hours.add(new, now);
            self.last_hit = Some(now);
        }
        self.known = hits;
    }

    fn counts(&self, now: Timestamp) -> RuleCounts {
        RuleCounts {
            hits: self.hits,
            hits_by_hour: self.hours.until(now),
            findings: self.findings,
            last_hit: self.last_hit,
            evicted: self.evicted,
            late: self.late,
            ..RuleCounts::default()
        }
    }
}

/// Counts of the last hours.
#[derive(Clone, Debug, Default)]
pub struct Hours {
    /// The number of the last hour that is counted, since the epoch.
    last: i64,
    /// By the number of the hour, modulo their number.
    counts: [u64; Hours::KEPT],
}

impl Hours {
    /// How many hours are kept.
    pub const KEPT: usize = 24;

    fn add(&mut self, new: u64, now: Timestamp) {
        let hour = number(now);
        // A clock that was put back counts on in the last hour.
        while self.last < hour {
            self.last = (self.last + 1).max(hour - Hours::KEPT as i64 + 1);
            if let Some(count) = self.counts.get_mut(place(self.last)) {
                *count = 0;
            }
        }
        if let Some(count) = self.counts.get_mut(place(self.last)) {
            *count = count.saturating_add(new);
        }
    }

    /// The counts of the hours that end with that of `now`.
    fn until(&self, now: Timestamp) -> [u64; Hours::KEPT] {
        let end = number(now).max(self.last);
        std::array::from_fn(|index| {
            let hour = end - (Hours::KEPT - 1 - index) as i64;
            let is_kept = hour <= self.last && hour > self.last - Hours::KEPT as i64;
            self.counts.get(place(hour)).copied().filter(|_| is_kept).unwrap_or(0)
        })
    }
}

fn number(time: Timestamp) -> i64 {
    time.micros().div_euclid(3_600 * Timestamp::SECOND)
}

fn place(hour: i64) -> usize {
    usize::try_from(hour.rem_euclid(Hours::KEPT as i64)).unwrap_or(0)
}

impl Desk {
    pub(crate) fn new(rules: Arc<RuleSet>) -> Desk {
        let counted = Counted {
            tallies: vec![Tally::default(); rules.len()],
            costs: vec![Cost::default(); rules.len()],
            sec: vec![Tally::default(); rules.sec().rules().count()],
            sets: Vec::new(),
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
        counted.sec = carried(&counted.rules, &counted.sec, rules.sec());
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
            tally.count(*hits, now);
            (tally.evicted, tally.late) = (evicted, late);
        }
    }

    /// Notes what was counted of rules of SEC before the hub's start.
    pub(crate) fn know_sec(&self, runner: &Runner) {
        let mut counted = lock(&self.counted);
        let sets = runner.counts();
        let hits = sets.iter().flat_map(|set| &set.hits);
        counted.sec.iter_mut().zip(hits).for_each(|(tally, hits)| tally.known = *hits);
        counted.sets = sets;
    }

    /// Takes over what was counted of rules of SEC.
    pub(crate) fn count_sec(&self, runner: &Runner, now: Timestamp) {
        if runner.is_empty() {
            return;
        }
        let mut counted = lock(&self.counted);
        let sets = runner.counts();
        let hits = sets.iter().flat_map(|set| &set.hits);
        for (tally, hits) in counted.sec.iter_mut().zip(hits) {
            // Fewer than known after a failed commit, of which the rules forgot what they saw.
            tally.known = tally.known.min(*hits);
            tally.count(*hits, now);
        }
        counted.sets = sets;
    }

    /// Counts findings that were stored.
    pub(crate) fn stored(&self, findings: &[Finding]) {
        if findings.is_empty() {
            return;
        }
        let mut counted = lock(&self.counted);
        let Counted { rules, tallies, sec, .. } = &mut *counted;
        let mut new: HashMap<&str, u64> = HashMap::new();
        for finding in findings {
            *new.entry(&finding.rule_id).or_default() += 1;
        }
        for (rule, tally) in rules.rules().iter().zip(tallies) {
            if let Some(new) = new.get(rule.id()) {
                tally.findings = tally.findings.saturating_add(*new);
            }
        }
        for (rule, tally) in rules.sec().rules().zip(sec) {
            if let Some(new) = new.get(rule.id.as_str()) {
                tally.findings = tally.findings.saturating_add(*new);
            }
        }
    }

    pub(crate) fn report(&self, now: Timestamp) -> RuleReport {
        let counted = lock(&self.counted);
        let counts = counted.tallies.iter().zip(&counted.costs).map(|(tally, cost)| {
            let measured = counted.profiled.saturating_sub(tally.since).max(1) as f64;
            RuleCounts {
                nanoseconds_per_event: cost.ticks as f64 / measured,
                evaluated_per_thousand: cost.evaluated as f64 * 1_000.0 / measured,
                ..tally.counts(now)
            }
        });
        let sec = counted.rules.sec().rules().zip(&counted.sec);
        let sec = sec.map(|(rule, tally)| (rule.clone(), tally.counts(now))).collect();
        RuleReport {
            sec: SecReport { rules: sec, sets: counted.sets.clone() },
            counts: counts.collect(),
            rules: Arc::clone(&counted.rules),
            sources: counted.seen.words(&counted.rules),
        }
    }
}

/// The counts of rules of SEC that stay.
fn carried(before: &RuleSet, tallies: &[Tally], after: &Sets) -> Vec<Tally> {
    let known: HashMap<&str, &Tally> =
        before.sec().rules().map(|rule| rule.id.as_str()).zip(tallies).collect();
    let tally = |rule: &SecRule| known.get(rule.id.as_str()).map(|tally| (*tally).clone());
    after.rules().map(|rule| tally(rule).unwrap_or_default()).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_counted_and_forgotten() {
        let at = |hour: i64| Timestamp::from_seconds(1_795_219_200 + hour * 3_600 + 7);
        let mut hours = Hours::default();
        for (hour, new) in [(0, 3), (0, 1), (2, 5), (1, 2), (30, 4)] {
            let before = hours.until(at(hour));
            hours.add(new, at(hour));
            assert!(hours.until(at(hour)).iter().sum::<u64>() >= new, "{before:?}");
        }
        assert_eq!(hours.until(at(30)).last(), Some(&4));
        assert_eq!(hours.until(at(30)).iter().sum::<u64>(), 4, "the others are over");
        assert_eq!(hours.until(at(33))[20..], [4, 0, 0, 0]);
        assert_eq!(hours.until(at(60)).iter().sum::<u64>(), 0);
        let mut hours = Hours::default();
        hours.add(1, at(0));
        hours.add(2, at(5));
        // Late by a clock that was put back.
        hours.add(4, at(3));
        assert_eq!(hours.until(at(5))[18..], [1, 0, 0, 0, 0, 6]);
    }
}
