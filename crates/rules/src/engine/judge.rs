//! What one match of a group means: an episode starts, goes on or ends, and what findings say of it.

use bergfried_event::{Event, Finding};

use super::Limits;
use super::details::shaped;
use super::group::Group;
use super::key;
use super::measure::Measure;
use super::window::{Match, Stretch};
use crate::rule::{Correlation, CorrelationKind, Rule};

/// A point of time at which the condition came to hold, or goes on holding.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) time: i64,
    /// The event of the match there, which may not be the one under way.
    pub(super) event_id: u64,
    /// How many events stand behind it: those of the window where an episode starts.
    pub(super) weight: u64,
    /// When the first of them happened.
    pub(super) first: i64,
    /// Whether an episode starts here.
    pub(super) starts: bool,
}

/// What is needed to judge one match of a group.
pub(super) struct Judge<'j> {
    pub(super) rule: &'j Rule,
    pub(super) correlation: &'j Correlation,
    pub(super) limits: &'j Limits,
    pub(super) key: &'j str,
    pub(super) measure: &'j mut Measure,
    pub(super) stretches: &'j mut Vec<Stretch>,
    pub(super) findings: Option<&'j mut Vec<Finding>>,
    pub(super) points: &'j mut Vec<Point>,
}

impl Judge<'_> {
    /// Takes a match into the group, which comes no later than one may.
    pub(super) fn add(&mut self, group: &mut Group, event: &Event<'_>, new: Match) {
        let correlation = self.correlation;
        let was_running = group.window.is_running();
        let over = group
            .window
            .newest()
            .is_none_or(|newest| newest < new.time.saturating_sub(correlation.timespan));
        if over && !was_running && group.pending.is_none() {
            group.details.clear();
        }
        let place = group.window.insert(new);
        group.window.judge(correlation, place, self.measure, self.stretches);
        let runs = group.window.is_running();
        if was_running && !runs {
            self.state(group, new.time);
        }
        if !self.rule.silent {
            if !runs && group.pending.is_none() {
                group.details.hide();
            }
            describe(group, correlation, place, event, was_running && runs);
            if runs || !self.stretches.is_empty() {
                group.details.show(event);
            }
        }
        for stretch in std::mem::take(self.stretches) {
            self.take(group, stretch, new.time);
        }
        self.cover(group, place, event);
        if self.rule.silent || self.findings.is_none() {
            group.pending = None;
        } else if new.time.saturating_sub(group.stated) >= self.limits.update_interval {
            self.state(group, new.time);
        }
        group.window.settle(correlation);
    }

    /// States where an episode starts, gathers what belongs to one that is known.
    fn take(&mut self, group: &mut Group, stretch: Stretch, now: i64) {
        for place in stretch.first..=stretch.last {
            let starts = stretch.starts && place == stretch.first;
            let Some(found) = group.window.matches.get(place).copied() else { return };
            if !starts {
                // The newest match only brings itself: the others of its window are stated.
                let newest = place + 1 == group.window.matches.len();
                let alone = newest && stretch.first == place
                    || self.correlation.kind == CorrelationKind::ValueShare;
                let length = match alone {
                    true => 1,
                    false => group.window.at(self.correlation, place).len(),
                };
                for place in (place + 1).saturating_sub(length)..=place {
                    group.gather(place);
                }
                let Match { time, event_id, weight, .. } = found;
                self.points.push(Point { time, event_id, weight, first: time, starts });
                continue;
            }
            let evidence = group.evidence(self.correlation, place, true);
            group.stated = now;
            self.points.push(Point {
                time: found.time,
                event_id: found.event_id,
                weight: evidence.span.count,
                first: evidence.span.first.micros(),
                starts,
            });
            if let Some(findings) = self.findings.as_deref_mut().filter(|_| !self.rule.silent) {
                let finding = group.details.finding(self.rule, evidence.span, evidence.event_ids);
                findings.push(named(self.rule, self.correlation, self.key, finding));
            }
        }
    }

    /// A late match may stand in the window of an episode that is known.
    fn cover(&mut self, group: &mut Group, place: usize, event: &Event<'_>) {
        let reach = group.window.reach(self.correlation, place);
        let covered = group.window.matches.get(reach).unwrap_or_default();
        let known = covered.first().is_some_and(|found| found.stated);
        if known || !covered.iter().any(|found| found.held) {
            return;
        }
        group.gather(place);
        if !self.rule.silent {
            group.details.show(event);
        }
    }

    fn state(&mut self, group: &mut Group, now: i64) {
        if let Some(findings) = self.findings.as_deref_mut() {
            group.state(self.rule, self.correlation, self.key, now, findings);
        }
    }
}

/// Remembers what a finding says of the event.
///
/// An order of events is told by the one that completes it (the login, not the failures), other
/// correlations by what their events have in common.
fn describe(
    group: &mut Group,
    correlation: &Correlation,
    place: usize,
    event: &Event<'_>,
    goes_on: bool,
) {
    if correlation.kind == CorrelationKind::TemporalOrdered {
        let ends = |found: &Match| usize::from(found.step) + 1 == correlation.steps.len();
        let later = group.window.matches.get(place..).unwrap_or_default();
        if later.first().is_some_and(ends) {
            group.details.clear();
        } else if goes_on || later.iter().any(ends) {
            return;
        }
    }
    group.details.add(event);
}

impl Group {
    /// States what was gathered, if anything.
    pub(super) fn state(
        &mut self,
        rule: &Rule,
        correlation: &Correlation,
        key: &str,
        now: i64,
        findings: &mut Vec<Finding>,
    ) {
        let Some(pending) = self.pending.take() else { return };
        self.stated = now;
        let finding = self.details.finding(rule, pending.span, pending.event_ids.into());
        findings.push(named(rule, correlation, key, finding));
    }
}

fn named(rule: &Rule, correlation: &Correlation, key: &str, mut finding: Finding) -> Finding {
    let values = key::values(key).map(str::to_owned);
    finding.group = correlation.group_names.iter().cloned().zip(values).collect();
    finding.matched = finding.group.iter().take(Finding::MAX_MATCHED).cloned().collect();
    shaped(rule, finding, None)
}
