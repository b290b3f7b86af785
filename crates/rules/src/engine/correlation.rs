//! The state of one correlation: its groups, and the episodes in which its condition holds.
//!
//! An episode starts when the condition starts to hold for a group: a finding states the events of
//! the window. While it goes on, further events are gathered and stated as follow-ups whose count is
//! only the new ones, so that the counts of one group's findings add up to its events. It ends with
//! the first match after which the condition does not hold.

use std::hash::{BuildHasher, RandomState};

use bergfried_event::{Event, Finding, Timestamp};

use super::Limits;
use super::details::{Details, MAX_IDS, Span};
use super::groups::{Groups, value, write_key};
use super::window::{Added, Arrival, Window};
use crate::rule::{Correlation, CorrelationKind, Rule};

/// A match that reaches a correlation.
pub(super) struct Hit<'h, 'e> {
    pub(super) event: &'h Event<'e>,
    pub(super) event_id: u64,
    /// Counts events; a match of the same event has the same.
    pub(super) sequence: u64,
    pub(super) step: usize,
    pub(super) weight: u64,
    /// When the first event behind the match happened, in microseconds.
    pub(super) first: i64,
}

/// What a match did.
pub(super) enum Outcome {
    /// The condition does not hold, or the match says nothing to it.
    Silent,
    /// The match came too late to count.
    Late,
    /// The condition holds from now on.
    Started { count: u64, first: i64 },
    /// The condition goes on holding.
    Goes,
}

/// What one correlation remembers.
#[derive(Debug)]
pub(super) struct CorrelationState {
    groups: Groups<Group>,
    limits: Limits,
    hasher: RandomState,
    key: String,
    /// How many groups have something to state.
    pending: usize,
    clock: Clock,
}

/// Event time as it can be trusted to pass: it moves by at most [`MAX_STEP`] for each match, so that
/// a line with a wild stamp does not make the groups of all others look old.
#[derive(Debug, Default)]
struct Clock {
    now: Option<i64>,
    turned: i64,
}

/// How far behind the events of other groups those of one group may lag (a host that was offline)
/// and still meet what the group remembers: one hour.
const MAX_LATENESS: i64 = 3_600_000_000;

/// Ten seconds.
const MAX_STEP: i64 = 10_000_000;

impl Clock {
    /// Whether so much time has passed since this was last true.
    fn has_passed(&mut self, period: i64, time: i64) -> bool {
        let Some(before) = self.now else {
            self.now = Some(time);
            self.turned = time;
            return false;
        };
        let now = time.clamp(before, before.saturating_add(MAX_STEP));
        self.now = Some(now);
        let passed = now.saturating_sub(self.turned) >= period;
        if passed {
            self.turned = now;
        }
        passed
    }
}

#[derive(Debug)]
struct Group {
    values: Vec<String>,
    window: Window,
    details: Details,
    episode: Option<Episode>,
}

#[derive(Debug)]
struct Episode {
    stated: i64,
    pending: Option<Pending>,
}

/// What is to be stated next of an episode.
#[derive(Debug)]
struct Pending {
    span: Span,
    event_ids: Vec<u64>,
}

impl CorrelationKind {
    /// Whether a match of a running episode below matters: these ask for what there is at a time,
    /// while the counting types count each episode once.
    pub(super) fn asks_for_presence(self) -> bool {
        matches!(self, CorrelationKind::Temporal | CorrelationKind::TemporalOrdered)
    }
}

impl CorrelationState {
    pub(super) fn new(limits: Limits) -> Self {
        CorrelationState {
            groups: Groups::new(limits.max_groups),
            limits,
            hasher: RandomState::new(),
            key: String::new(),
            pending: 0,
            clock: Clock::default(),
        }
    }

    pub(super) fn evicted(&self) -> u64 {
        self.groups.evicted()
    }

    /// Takes a match in. Without `findings` (warming up) nothing is stated, now or later.
    pub(super) fn observe(
        &mut self,
        rule: &Rule,
        correlation: &Correlation,
        hit: &Hit<'_, '_>,
        mut findings: Option<&mut Vec<Finding>>,
    ) -> Outcome {
        let Some(step) = correlation.steps.get(hit.step) else { return Outcome::Silent };
        if !write_key(hit.event, &step.group_by, &mut self.key) {
            return Outcome::Silent;
        }
        let counted = match counted_value(hit.event, &step.values, &self.hasher) {
            Some(counted) => counted,
            None => return Outcome::Silent,
        };
        let make = || Group {
            values: step
                .group_by
                .iter()
                .map(|field| value(hit.event, field).unwrap_or_default().into_owned())
                .collect(),
            window: Window::new(correlation),
            details: Details::default(),
            episode: None,
        };
        let pending = &mut self.pending;
        let time = hit.event.created().micros();
        // A group without a match for so long has an empty window, also for events that come late.
        if self.clock.has_passed(correlation.timespan.saturating_add(MAX_LATENESS), time) {
            self.groups.turn(|mut over| {
                if let Some(findings) = findings.as_deref_mut() {
                    over.state(rule, correlation, i64::MAX, pending, findings);
                }
            });
        }
        let (group, _) = self.groups.entry(&self.key, make, |mut forgotten: Group| {
            if let Some(findings) = findings.as_deref_mut() {
                forgotten.state(rule, correlation, i64::MAX, pending, findings);
            }
        });
        if group.episode.is_none() && group.window.is_over(correlation, time) {
            group.details = Details::default();
        }
        let arrival = Arrival {
            time,
            first: hit.first,
            weight: hit.weight,
            event_id: hit.event_id,
            sequence: hit.sequence,
            step: hit.step,
            value: counted,
        };
        let Added::Counted { weight, holds } = group.window.add(correlation, arrival) else {
            return Outcome::Late;
        };
        if !holds {
            if let Some(findings) = findings {
                group.state(rule, correlation, time, pending, findings);
            }
            group.episode = None;
            group.details.hide();
            group.describe(rule, correlation, hit);
            return Outcome::Silent;
        }
        group.describe(rule, correlation, hit);
        if !rule.silent {
            group.details.show(hit.event);
        }
        let Some(episode) = &mut group.episode else {
            return group.start(rule, correlation, time, findings);
        };
        if let Some(findings) = findings.filter(|_| !rule.silent) {
            if episode.gather(hit, weight) {
                *pending += 1;
            }
            if time.saturating_sub(episode.stated) >= self.limits.update_interval {
                group.state(rule, correlation, time, pending, findings);
            }
        }
        Outcome::Goes
    }

    /// States what was gathered by episodes that stated nothing for `interval`.
    pub(super) fn flush(
        &mut self,
        rule: &Rule,
        correlation: &Correlation,
        now: i64,
        interval: i64,
        findings: &mut Vec<Finding>,
    ) {
        if self.pending == 0 {
            return;
        }
        let from = findings.len();
        for group in self.groups.values_mut() {
            let due = group
                .episode
                .as_ref()
                .is_some_and(|episode| now.saturating_sub(episode.stated) >= interval);
            if due {
                group.state(rule, correlation, now, &mut self.pending, findings);
            }
        }
        // Maps have no order; findings of one moment have that of their groups.
        if let Some(new) = findings.get_mut(from..) {
            new.sort_by(|a, b| (a.last_seen, &a.group).cmp(&(b.last_seen, &b.group)));
        }
    }
}

impl Group {
    /// Remembers what a finding says of the event.
    ///
    /// An order of events is told by the one that completes it (the login, not the failures), other
    /// correlations by what their events have in common.
    fn describe(&mut self, rule: &Rule, correlation: &Correlation, hit: &Hit<'_, '_>) {
        if rule.silent {
            return;
        }
        if correlation.kind == CorrelationKind::TemporalOrdered {
            if hit.step + 1 == correlation.steps.len() {
                self.details = Details::default();
            } else if self.episode.is_some() {
                return;
            }
        }
        self.details.add(hit.event);
    }

    fn start(
        &mut self,
        rule: &Rule,
        correlation: &Correlation,
        time: i64,
        findings: Option<&mut Vec<Finding>>,
    ) -> Outcome {
        let (count, first, last, ids) = self.window.evidence();
        self.episode = Some(Episode { stated: time, pending: None });
        if let Some(findings) = findings.filter(|_| !rule.silent) {
            let (first, last) = (Timestamp::from_micros(first), Timestamp::from_micros(last));
            let finding = self.details.finding(rule, Span { count, first, last }, ids);
            findings.push(self.named(correlation, finding));
        }
        Outcome::Started { count, first }
    }

    /// States what the episode gathered, if anything.
    fn state(
        &mut self,
        rule: &Rule,
        correlation: &Correlation,
        now: i64,
        pending: &mut usize,
        findings: &mut Vec<Finding>,
    ) {
        let Some(episode) = &mut self.episode else { return };
        let Some(gathered) = episode.pending.take() else { return };
        episode.stated = now;
        *pending = pending.saturating_sub(1);
        let finding = self.details.finding(rule, gathered.span, gathered.event_ids);
        findings.push(self.named(correlation, finding));
    }

    fn named(&self, correlation: &Correlation, mut finding: Finding) -> Finding {
        finding.group =
            correlation.group_names.iter().cloned().zip(self.values.iter().cloned()).collect();
        let matched = finding.group.iter().take(Finding::MAX_MATCHED);
        finding.matched = matched.cloned().collect();
        finding
    }
}

impl Episode {
    /// Adds a match to what is to be stated; true where it is the first.
    fn gather(&mut self, hit: &Hit<'_, '_>, weight: u64) -> bool {
        if weight == 0 {
            return false;
        }
        let time = hit.event.created();
        match &mut self.pending {
            None => {
                let span = Span { count: weight, first: time, last: time };
                self.pending = Some(Pending { span, event_ids: vec![hit.event_id] });
                true
            }
            Some(Pending { span, event_ids }) => {
                span.count = span.count.saturating_add(weight);
                span.first = span.first.min(time);
                span.last = span.last.max(time);
                if event_ids.len() >= MAX_IDS {
                    event_ids.remove(0);
                }
                event_ids.push(hit.event_id);
                false
            }
        }
    }
}

/// A hash of the values that `value_count` counts, taken together; `None` where one is missing.
fn counted_value(
    event: &Event<'_>,
    fields: &[bergfried_event::FieldName<'static>],
    hasher: &RandomState,
) -> Option<u64> {
    let mut hash = 0_u64;
    for field in fields {
        hash = hasher.hash_one((hash, value(event, field)?.as_ref()));
    }
    Some(hash)
}
