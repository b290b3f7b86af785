//! What rules of SEC would have found: they run once more over what was stored, in the order in which
//! the hub took it and by that time, as they do over what comes in.

use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use bergfried_alert::Settings;
use bergfried_alert::exception::Exception;
use bergfried_event::{Event, Finding, Timestamp};
use bergfried_pipeline::last_before;
use bergfried_rules::sec::{Runner, SecRule, Sets};
use bergfried_store::{Limits, Reader, StoreError};

use super::fold::Fold;
use super::{Backtest, EXAMPLES, Silencing, days};
use crate::history::{Bounds, STRIDE, TOO_LONG, TOO_MANY, not_repeated};

/// How long before the first event that counts rules are shown what was taken, so that windows and
/// contexts are open that were.
const BEFORE: i64 = 3_600 * Timestamp::SECOND;

/// What is tried, and over which time.
pub(crate) struct SecTrial<'t> {
    pub(crate) sets: Sets,
    /// Which rules are meant.
    pub(crate) meant: &'t dyn Fn(&SecRule) -> bool,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    pub(crate) bounds: Bounds,
    /// How findings become alerts.
    pub(crate) settings: &'t Settings,
    /// Those that count.
    pub(crate) exceptions: Vec<Arc<Exception>>,
}

/// Tries the rules over what was taken from `from` on and before `to`.
///
/// # Errors
/// Where the store cannot be read.
pub(crate) fn backtest_sec(reader: &Reader, trial: &SecTrial<'_>) -> Result<Backtest, StoreError> {
    let started = Instant::now();
    let mut run = Run::new(trial);
    let ends = started + trial.bounds.time;
    let limits = Limits { stop: trial.bounds.stop.clone(), ..Limits::default() };
    let reader = reader.within(&limits);
    let fresh = not_repeated();
    let (mut cut, mut reached) = (None, trial.from);
    let after = last_before(&reader, trial.from.plus_micros(-BEFORE))?;
    let followed = reader.follow(after, |id, ingested, event| {
        if ingested >= trial.to {
            return ControlFlow::Break(());
        }
        reached = ingested;
        let is_over = || trial.bounds.stop.is_set() || Instant::now() >= ends;
        if run.events >= trial.bounds.events {
            cut = Some((reached, TOO_MANY));
        } else if run.events.is_multiple_of(STRIDE) && is_over() {
            cut = Some((reached, TOO_LONG));
        } else {
            if fresh.matches(event) {
                run.show(event, id, ingested);
            }
            return ControlFlow::Continue(());
        }
        ControlFlow::Break(())
    });
    match followed {
        Err(StoreError::Cancelled) => cut = Some((reached, TOO_LONG)),
        other => other?,
    }
    let mut told = run.end(reader.stats().oldest, cut);
    told.took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(told)
}

struct Run<'t> {
    trial: &'t SecTrial<'t>,
    runner: Runner,
    /// The places of the rules that are meant, among all.
    meant: Vec<usize>,
    findings: Vec<Finding>,
    events: u64,
    stated: u64,
    /// Matches of all rules, and of those that are meant.
    matches: u64,
    hits: u64,
    /// Those of them before the first event that counts.
    before: u64,
    /// By the number of the day since the epoch.
    days: BTreeMap<i64, u64>,
    alerts: Fold<'t>,
    silenced: BTreeMap<usize, u64>,
    examples: VecDeque<Event<'static>>,
}

impl<'t> Run<'t> {
    fn new(trial: &'t SecTrial<'t>) -> Run<'t> {
        let rules = trial.sets.rules().enumerate();
        Run {
            trial,
            // Nothing is done but to look.
            runner: Runner::new(&trial.sets, Timestamp::MAX),
            meant: rules.filter(|(_, rule)| (trial.meant)(rule)).map(|(index, _)| index).collect(),
            findings: Vec::new(),
            events: 0,
            stated: 0,
            matches: 0,
            hits: 0,
            before: 0,
            days: BTreeMap::new(),
            alerts: Fold::new(trial.settings),
            silenced: BTreeMap::new(),
            examples: VecDeque::with_capacity(EXAMPLES),
        }
    }

    fn show(&mut self, event: &Event<'_>, id: u64, ingested: Timestamp) {
        self.events += 1;
        if ingested < self.trial.from {
            self.runner.event(event, id, ingested, None);
            let new = self.new_hits();
            self.before += new;
            return;
        }
        self.runner.event(event, id, ingested, Some(&mut self.findings));
        let new = self.new_hits();
        if new > 0 {
            *self.days.entry(day(ingested)).or_default() += new;
            if self.examples.len() >= EXAMPLES {
                self.examples.pop_front();
            }
            self.examples.push_back(event.clone().into_owned());
        }
        self.take();
    }

    /// Matches of the rules that are meant, since it was asked last.
    fn new_hits(&mut self) -> u64 {
        let matches = self.runner.matches();
        if matches == self.matches {
            return 0;
        }
        self.matches = matches;
        let counts = self.runner.counts();
        let hits: Vec<u64> = counts.into_iter().flat_map(|set| set.hits).collect();
        let all: u64 = self.meant.iter().filter_map(|index| hits.get(*index)).sum();
        let new = all.saturating_sub(self.hits);
        self.hits = all;
        new
    }

    fn take(&mut self) {
        let trial = self.trial;
        for finding in std::mem::take(&mut self.findings) {
            let rule = trial.sets.rules().find(|rule| rule.id == finding.rule_id);
            if !rule.is_some_and(|rule| (trial.meant)(rule)) {
                continue;
            }
            self.stated += 1;
            let covers = |exception: &Arc<Exception>| exception.scope.covers(&finding);
            match trial.exceptions.iter().position(covers) {
                Some(index) => *self.silenced.entry(index).or_default() += 1,
                None => self.alerts.take(&finding),
            }
        }
    }

    fn end(
        mut self,
        oldest: Option<Timestamp>,
        cut: Option<(Timestamp, &'static str)>,
    ) -> Backtest {
        let trial = self.trial;
        let to = cut.map_or(trial.to, |(at, _)| at.max(trial.from));
        // What time alone would have brought until then.
        self.runner.advance(to, Some(&mut self.findings));
        let new = self.new_hits();
        if new > 0 {
            *self.days.entry(day(to)).or_default() += new;
        }
        self.take();
        let (alerts, more_alerts) = self.alerts.end();
        let silencing = self.silenced.iter().filter_map(|(index, findings)| {
            let Exception { id, reason, .. } = &**trial.exceptions.get(*index)?;
            Some(Silencing { id: id.clone(), reason: reason.clone(), findings: *findings })
        });
        Backtest {
            from: trial.from,
            to,
            cut: cut.map(|(_, why)| why),
            events: self.events,
            hits: self.hits - self.before,
            findings: self.stated,
            silenced: self.silenced.values().sum(),
            days: days(&self.days, oldest.map_or(to, |oldest| oldest.max(trial.from)), to),
            alerts,
            more_alerts,
            exceptions: silencing.collect(),
            examples: self.examples.into(),
            took_ms: 0,
        }
    }
}

fn day(time: Timestamp) -> i64 {
    time.micros().div_euclid(Timestamp::DAY)
}
