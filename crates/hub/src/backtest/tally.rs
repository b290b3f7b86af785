//! What a backtest tells, counted the same way whatever rules are tried.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bergfried_alert::Settings;
use bergfried_alert::exception::Exception;
use bergfried_event::{Event, Finding, Timestamp};

use super::fold::Fold;
use super::{Backtest, Day, Silencing};
use crate::history::Bounds;

/// How many of the events that were hit are shown.
const EXAMPLES: usize = 10;
/// The most days that are told one by one.
const MAX_DAYS: i64 = 3_660;

/// Over which time rules are tried, and what comes of their findings.
pub(crate) struct Over<'t> {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    pub(crate) bounds: Bounds,
    /// How findings become alerts.
    pub(crate) settings: &'t Settings,
    /// Those that count.
    pub(crate) exceptions: Vec<Arc<Exception>>,
}

/// Where it ended early, and why.
pub(super) type Cut = Option<(Timestamp, &'static str)>;

/// What was counted until now.
pub(super) struct Tally<'t> {
    over: &'t Over<'t>,
    pub(super) events: u64,
    findings: u64,
    hits: u64,
    /// By the number of the day since the epoch.
    days: BTreeMap<i64, u64>,
    alerts: Fold<'t>,
    /// Findings by the place of the exception that covers them.
    silenced: BTreeMap<usize, u64>,
    examples: VecDeque<Event<'static>>,
}

impl<'t> Tally<'t> {
    pub(super) fn new(over: &'t Over<'t>) -> Tally<'t> {
        Tally {
            over,
            events: 0,
            findings: 0,
            hits: 0,
            days: BTreeMap::new(),
            alerts: Fold::new(over.settings),
            silenced: BTreeMap::new(),
            examples: VecDeque::with_capacity(EXAMPLES),
        }
    }

    /// So many hits at a time, of an event or of time alone.
    pub(super) fn hit(&mut self, hits: u64, at: Timestamp, event: Option<&Event<'_>>) {
        if hits == 0 {
            return;
        }
        self.hits += hits;
        *self.days.entry(day(at)).or_default() += hits;
        if let Some(event) = event {
            if self.examples.len() >= EXAMPLES {
                self.examples.pop_front();
            }
            self.examples.push_back(event.clone().into_owned());
        }
    }

    /// A finding of a rule that is meant.
    pub(super) fn find(&mut self, finding: &Finding) {
        self.findings += 1;
        let covers = |exception: &Arc<Exception>| exception.scope.covers(finding);
        match self.over.exceptions.iter().position(covers) {
            Some(index) => *self.silenced.entry(index).or_default() += 1,
            None => self.alerts.take(finding),
        }
    }

    /// Until when it counts.
    pub(super) fn until(&self, cut: Cut) -> Timestamp {
        cut.map_or(self.over.to, |(at, _)| at.max(self.over.from))
    }

    /// All that was counted; `oldest` is the first event that is stored.
    pub(super) fn end(self, oldest: Option<Timestamp>, cut: Cut) -> Backtest {
        let (from, to) = (self.over.from, self.until(cut));
        let (alerts, more_alerts) = self.alerts.end();
        let silencing = self.silenced.iter().filter_map(|(index, findings)| {
            let Exception { id, reason, .. } = &**self.over.exceptions.get(*index)?;
            Some(Silencing { id: id.clone(), reason: reason.clone(), findings: *findings })
        });
        Backtest {
            from,
            to,
            cut: cut.map(|(_, why)| why),
            events: self.events,
            hits: self.hits,
            findings: self.findings,
            silenced: self.silenced.values().sum(),
            days: days(&self.days, oldest.map_or(to, |oldest| oldest.max(from)), to),
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

/// Every day from the first on that events are stored of.
fn days(hits: &BTreeMap<i64, u64>, from: Timestamp, to: Timestamp) -> Vec<Day> {
    let last = day(to.plus_micros(-1));
    let first = day(from).max(last.saturating_sub(MAX_DAYS));
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
