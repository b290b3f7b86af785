//! What rules would have found: they run once more over stored events, through the engine that runs
//! over what comes in.
//!
//! The findings fold into alerts as those of the running hub do, and exceptions that count now are
//! asked about each of them. Nothing is changed by it.

mod fold;
mod sec;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bergfried_alert::Settings;
use bergfried_alert::exception::Exception;
use bergfried_event::{Event, Finding, Timestamp};
use bergfried_rules::{Engine, Limits, Rule, RuleSet};
use bergfried_store::{Reader, StoreError, StoredEvent};
use serde::Serialize;
use utoipa::ToSchema;

use self::fold::Fold;
pub(crate) use self::fold::TriedAlert;
pub(crate) use self::sec::{SecTrial, backtest_sec};
use crate::history::{Bounds, replay};

/// How many of the events that were hit are shown.
const EXAMPLES: usize = 10;
/// The most days that are told one by one.
const MAX_DAYS: i64 = 3_660;

/// What is tried, and over which time.
pub(crate) struct Trial<'t> {
    /// The rules with those that they refer to.
    pub(crate) rules: Arc<RuleSet>,
    /// Which of them are meant.
    pub(crate) meant: &'t dyn Fn(&Rule) -> bool,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    pub(crate) bounds: Bounds,
    /// How findings become alerts.
    pub(crate) settings: &'t Settings,
    /// Those that count.
    pub(crate) exceptions: Vec<Arc<Exception>>,
}

/// What would have been found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Backtest {
    /// From when on it counts
    #[schema(value_type = String)]
    pub(crate) from: Timestamp,
    /// Until when: earlier than was asked for where it was cut
    #[schema(value_type = String)]
    pub(crate) to: Timestamp,
    /// Why later events were not looked at, where they were not
    pub(crate) cut: Option<&'static str>,
    /// Events that were shown to the rules, also those from before that rules over several events need
    pub(crate) events: u64,
    /// Events that matched; of a correlation, episodes that started
    pub(crate) hits: u64,
    /// Findings that there would have been
    pub(crate) findings: u64,
    /// Those that exceptions would have kept from becoming alerts
    pub(crate) silenced: u64,
    /// Hits of each day in UTC, also of days without
    pub(crate) days: Vec<Day>,
    /// The alerts that there would be, by their first event
    pub(crate) alerts: Vec<TriedAlert>,
    /// Alerts that are left out because there are so many
    pub(crate) more_alerts: u64,
    /// The exceptions that would have covered findings
    pub(crate) exceptions: Vec<Silencing>,
    /// The last events that were hit
    #[schema(value_type = Vec<serde_json::Value>)]
    pub(crate) examples: Vec<Event<'static>>,
    /// How long it took, in milliseconds
    pub(crate) took_ms: u64,
}

/// Hits of one day.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Day {
    /// Such as 2026-11-21, in UTC
    pub(crate) day: String,
    pub(crate) hits: u64,
}

/// What an exception would have covered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Silencing {
    pub(crate) id: String,
    pub(crate) reason: String,
    pub(crate) findings: u64,
}

/// Tries the rules over what is stored.
///
/// # Errors
/// Where the store cannot be read.
pub(crate) fn backtest(reader: &Reader, trial: &Trial<'_>) -> Result<Backtest, StoreError> {
    let started = std::time::Instant::now();
    let mut run = Run::new(trial);
    let range = (trial.from, trial.to);
    let cut = replay(reader, &trial.rules, range, &trial.bounds, |stored| run.show(stored))?;
    let mut told = run.end(reader.stats().oldest, cut);
    told.took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(told)
}

struct Run<'t> {
    trial: &'t Trial<'t>,
    engine: Engine,
    /// The places of the rules that are meant.
    meant: Vec<usize>,
    findings: Vec<Finding>,
    events: u64,
    stated: u64,
    hits: u64,
    /// By the number of the day since the epoch.
    days: BTreeMap<i64, u64>,
    alerts: Fold<'t>,
    silenced: BTreeMap<usize, u64>,
    examples: VecDeque<Event<'static>>,
}

impl<'t> Run<'t> {
    fn new(trial: &'t Trial<'t>) -> Run<'t> {
        // Of a running episode its start is stated, and the rest once.
        let limits = Limits { update_interval: i64::MAX, ..Limits::default() };
        let rules = trial.rules.rules().iter().enumerate();
        let meant: Vec<(usize, &Rule)> = rules.filter(|(_, rule)| (trial.meant)(rule)).collect();
        // A rule that only serves another says nothing, so its hits are told only where it is alone.
        let speaks = meant.iter().any(|(_, rule)| !rule.is_silent());
        let counted = meant.iter().filter(|(_, rule)| !(speaks && rule.is_silent()));
        Run {
            trial,
            engine: Engine::new(Arc::clone(&trial.rules), limits),
            meant: counted.map(|(index, _)| *index).collect(),
            findings: Vec::new(),
            events: 0,
            stated: 0,
            hits: 0,
            days: BTreeMap::new(),
            alerts: Fold::new(trial.settings),
            silenced: BTreeMap::new(),
            examples: VecDeque::with_capacity(EXAMPLES),
        }
    }

    fn show(&mut self, stored: &StoredEvent) {
        self.events += 1;
        let created = stored.event.created();
        if created < self.trial.from {
            self.engine.warm(&stored.event, stored.id);
            return;
        }
        self.engine.observe(&stored.event, stored.id, &mut self.findings);
        let hits = self.engine.hits();
        let all: u64 = self.meant.iter().filter_map(|index| hits.get(*index)).sum();
        let new = all.saturating_sub(self.hits);
        if new > 0 {
            self.hits = all;
            *self.days.entry(created.micros().div_euclid(Timestamp::DAY)).or_default() += new;
            if self.examples.len() >= EXAMPLES {
                self.examples.pop_front();
            }
            self.examples.push_back(stored.event.clone());
        }
        self.take();
    }

    fn take(&mut self) {
        let trial = self.trial;
        for finding in std::mem::take(&mut self.findings) {
            // What a rule refers to may state something of its own.
            if !trial.rules.get(&finding.rule_id).is_some_and(|rule| (trial.meant)(rule)) {
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
        self.engine.flush(&mut self.findings);
        self.take();
        let trial = self.trial;
        let to = cut.map_or(trial.to, |(at, _)| at.max(trial.from));
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
            hits: self.hits,
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

/// Every day from the first on that events are stored of.
fn days(hits: &BTreeMap<i64, u64>, from: Timestamp, to: Timestamp) -> Vec<Day> {
    let number = |time: Timestamp| time.micros().div_euclid(Timestamp::DAY);
    let last = number(to.plus_micros(-1));
    let first = number(from).max(last.saturating_sub(MAX_DAYS));
    let one = |day: i64| Day {
        day: Timestamp::from_micros(day.saturating_mul(Timestamp::DAY))
            .to_string()
            .chars()
            .take(10)
            .collect(),
        hits: hits.get(&day).copied().unwrap_or(0),
    };
    (first..=last).map(one).collect()
}

#[cfg(test)]
mod tests;
