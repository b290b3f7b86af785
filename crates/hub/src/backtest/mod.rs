//! What rules would have found: they run once more over stored events, through the engine that runs
//! over what comes in.
//!
//! The findings fold into alerts as those of the running hub do, and exceptions that count now are
//! asked about each of them. Nothing is changed by it.

mod fold;
mod sec;
mod tally;

use std::sync::Arc;

use bergfried_event::{Event, Finding, Timestamp};
use bergfried_rules::{Engine, Limits, Rule, RuleSet};
use bergfried_store::{Reader, StoreError, StoredEvent};
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use self::fold::TriedAlert;
pub(crate) use self::sec::{SecTrial, backtest_sec};
pub(crate) use self::tally::Over;
use self::tally::{Cut, Tally};
use crate::history::replay;

/// What is tried, and over which time.
pub(crate) struct Trial<'t> {
    /// The rules with those that they refer to.
    pub(crate) rules: Arc<RuleSet>,
    /// Which of them are meant.
    pub(crate) meant: &'t dyn Fn(&Rule) -> bool,
    pub(crate) over: Over<'t>,
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
    let Over { from, to, bounds, .. } = &trial.over;
    let cut = replay(reader, &trial.rules, (*from, *to), bounds, |stored| run.show(stored))?;
    let mut told = run.end(reader.stats().oldest, cut);
    told.took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(told)
}

struct Run<'t> {
    trial: &'t Trial<'t>,
    engine: Engine,
    /// The places of the rules that are meant.
    meant: Vec<usize>,
    /// Of the rules that are meant, until now.
    hits: u64,
    findings: Vec<Finding>,
    tally: Tally<'t>,
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
            hits: 0,
            findings: Vec::new(),
            tally: Tally::new(&trial.over),
        }
    }

    fn show(&mut self, stored: &StoredEvent) {
        self.tally.events += 1;
        let created = stored.event.created();
        if created < self.trial.over.from {
            self.engine.warm(&stored.event, stored.id);
            return;
        }
        self.engine.observe(&stored.event, stored.id, &mut self.findings);
        let hits = self.engine.hits();
        let all: u64 = self.meant.iter().filter_map(|index| hits.get(*index)).sum();
        self.tally.hit(all.saturating_sub(self.hits), created, Some(&stored.event));
        self.hits = all;
        self.take();
    }

    fn take(&mut self) {
        for finding in self.findings.drain(..) {
            // What a rule refers to may state something of its own.
            let rule = self.trial.rules.get(&finding.rule_id);
            if rule.is_some_and(|rule| (self.trial.meant)(rule)) {
                self.tally.find(&finding);
            }
        }
    }

    fn end(mut self, oldest: Option<Timestamp>, cut: Cut) -> Backtest {
        self.engine.flush(&mut self.findings);
        self.take();
        self.tally.end(oldest, cut)
    }
}

#[cfg(test)]
mod tests;
