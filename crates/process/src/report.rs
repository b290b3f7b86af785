//! What was counted of chains, laid out for people.

use crate::chains::{Chains, Step, When, Work};
use crate::meter::Counts;

/// What was counted of one chain since it was loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainCounts {
    /// Its name.
    pub name: String,
    /// Its condition as written.
    pub when: Option<String>,
    /// Events for which its condition held.
    pub held: u64,
    /// Events that it let go.
    pub dropped: u64,
    /// What it takes for each event, on average of those that were measured.
    pub nanoseconds_per_event: f64,
    /// Its steps, those within others after them.
    pub steps: Vec<StepCounts>,
}

/// What was counted of one step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepCounts {
    /// Its place among the steps around it, counted from 1: `2`, `3.then.1`.
    pub place: String,
    /// The key of its action, `if` for one with steps of its own, `options` for one without action.
    pub kind: &'static str,
    /// Its condition as written.
    pub when: Option<String>,
    /// Events for which its condition held.
    pub tried: u64,
    /// Events for which it was done.
    pub done: u64,
    /// Events for which it failed.
    pub failed: u64,
    /// Events for which a pattern of it took more steps than it may.
    pub too_hard: u64,
    /// What it takes for each event that comes to it, on average of those that were measured.
    pub nanoseconds_per_event: f64,
    /// Its patterns.
    pub patterns: Vec<PatternCounts>,
}

/// What was counted of one pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternCounts {
    /// The pattern as written.
    pub pattern: String,
    /// How it is run.
    pub engine: String,
    /// Texts that it was tried on.
    pub tried: u64,
    /// Texts that it matched.
    pub matched: u64,
    /// Texts on which it took more steps than it may.
    pub too_hard: u64,
    /// What it takes for each text, on average of those that were measured.
    pub nanoseconds_per_text: f64,
}

impl Chains {
    /// What the counters of these chains say.
    pub fn report(&self, counts: &Counts) -> Vec<ChainCounts> {
        let mut report = Vec::with_capacity(self.chains.len());
        for (number, chain) in self.chains.iter().enumerate() {
            let counted = counts.chains.get(number).copied().unwrap_or_default();
            let mut steps = Vec::new();
            walk(&chain.steps, "", counts, &mut steps);
            report.push(ChainCounts {
                name: chain.name.clone(),
                when: text(chain.when.as_ref()),
                held: counted.held,
                dropped: counted.dropped,
                nanoseconds_per_event: average(counted.nanoseconds, counted.measured),
                steps,
            });
        }
        report
    }
}

fn walk(steps: &[Step], around: &str, counts: &Counts, report: &mut Vec<StepCounts>) {
    for (index, step) in steps.iter().enumerate() {
        let place = format!("{around}{}", index + 1);
        let counted = counts.steps.get(step.number).copied().unwrap_or_default();
        let mut patterns = Vec::new();
        if let Work::Action(action) = &step.work {
            for (number, (pattern, engine)) in step.patterns.clone().zip(action.patterns()) {
                let counted = counts.patterns.get(number).copied().unwrap_or_default();
                patterns.push(PatternCounts {
                    pattern,
                    engine,
                    tried: counted.tried,
                    matched: counted.matched,
                    too_hard: counted.too_hard,
                    nanoseconds_per_text: average(counted.nanoseconds, counted.measured),
                });
            }
        }
        report.push(StepCounts {
            place: place.clone(),
            kind: step.kind,
            when: text(step.when.as_ref()),
            tried: counted.tried,
            done: counted.done,
            failed: counted.failed,
            too_hard: counted.too_hard,
            nanoseconds_per_event: average(counted.nanoseconds, counted.measured),
            patterns,
        });
        if let Work::Steps { then, otherwise } = &step.work {
            walk(then, &format!("{place}.then."), counts, report);
            walk(otherwise, &format!("{place}.else."), counts, report);
        }
    }
}

fn text(when: Option<&When>) -> Option<String> {
    when.map(|when| when.text.clone())
}

#[expect(clippy::cast_precision_loss, reason = "an average for people")]
fn average(sum: u64, count: u64) -> f64 {
    if count == 0 { 0.0 } else { sum as f64 / count as f64 }
}
