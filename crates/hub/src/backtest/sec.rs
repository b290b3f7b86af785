//! What rules of SEC would have found: they run once more over what was stored, in the order in which
//! the hub took it and by that time, as they do over what comes in.

use std::ops::ControlFlow;
use std::time::Instant;

use bergfried_event::{Event, Finding, Timestamp};
use bergfried_pipeline::last_before;
use bergfried_rules::sec::{Runner, SecRule, Sets};
use bergfried_store::{Limits, Reader, StoreError};

use super::Backtest;
use super::tally::{Cut, Over, Tally};
use crate::history::{STRIDE, TOO_LONG, TOO_MANY, not_repeated};

/// How long before the first event that counts rules are shown what was taken, so that windows and
/// contexts are open that were.
const BEFORE: i64 = 3_600 * Timestamp::SECOND;

/// What is tried, and over which time.
pub(crate) struct SecTrial<'t> {
    pub(crate) sets: Sets,
    /// Which rules are meant.
    pub(crate) meant: &'t dyn Fn(&SecRule) -> bool,
    pub(crate) over: Over<'t>,
}

/// Tries the rules over what was taken from `from` on and before `to`.
///
/// # Errors
/// Where the store cannot be read.
pub(crate) fn backtest_sec(reader: &Reader, trial: &SecTrial<'_>) -> Result<Backtest, StoreError> {
    let started = Instant::now();
    let mut run = Run::new(trial);
    let Over { from, to, bounds, .. } = &trial.over;
    let ends = started + bounds.time;
    let limits = Limits { stop: bounds.stop.clone(), ..Limits::default() };
    let reader = reader.within(&limits);
    let fresh = not_repeated();
    let (mut cut, mut reached) = (None, *from);
    let after = last_before(&reader, from.plus_micros(-BEFORE))?;
    let followed = reader.follow(after, |id, ingested, event| {
        if ingested >= *to {
            return ControlFlow::Break(());
        }
        reached = ingested;
        let is_over = || bounds.stop.is_set() || Instant::now() >= ends;
        if run.tally.events >= bounds.events {
            cut = Some((reached, TOO_MANY));
        } else if run.tally.events.is_multiple_of(STRIDE) && is_over() {
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
    /// Matches of all rules, and of those that are meant.
    matches: u64,
    hits: u64,
    tally: Tally<'t>,
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
            matches: 0,
            hits: 0,
            tally: Tally::new(&trial.over),
        }
    }

    fn show(&mut self, event: &Event<'_>, id: u64, ingested: Timestamp) {
        self.tally.events += 1;
        if ingested < self.trial.over.from {
            self.runner.event(event, id, ingested, None);
            self.new_hits();
            return;
        }
        self.runner.event(event, id, ingested, Some(&mut self.findings));
        let new = self.new_hits();
        self.tally.hit(new, ingested, Some(event));
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
        for finding in self.findings.drain(..) {
            let rule = self.trial.sets.rules().find(|rule| rule.id == finding.rule_id);
            if rule.is_some_and(|rule| (self.trial.meant)(rule)) {
                self.tally.find(&finding);
            }
        }
    }

    fn end(mut self, oldest: Option<Timestamp>, cut: Cut) -> Backtest {
        let to = self.tally.until(cut);
        // What time alone would have brought until then.
        self.runner.advance(to, Some(&mut self.findings));
        let new = self.new_hits();
        self.tally.hit(new, to, None);
        self.take();
        self.tally.end(oldest, cut)
    }
}
