//! Folds a finding into the alert about the same thing, or into a new one.

use std::fmt::Write as _;

use bergfried_event::{Finding, Severity, Timestamp};
use serde::{Deserialize, Serialize};

use crate::alert::{
    Alert, Change, ChangeKind, MAX_EVENT_IDS, MAX_EXAMPLE, MAX_GROUP, MAX_NAME, MAX_NOTE,
    MAX_NOTES, MAX_TAGS, MAX_TECHNIQUES, Status, clip,
};
use crate::seen::Seen;

/// What makes two findings one alert.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// Where it belongs, such as `Production`.
    pub environment: String,
    /// What it is about.
    pub resource: String,
    /// What happened there.
    pub event: String,
}

/// What a finding did to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// There was no such alert before.
    New,
    /// The alert was open, and as severe.
    Repeated,
    /// The alert was open, and is now more or less severe.
    SeverityChanged {
        /// What it was.
        from: Severity,
        /// What it is.
        to: Severity,
    },
    /// The alert had been closed; its severity may have changed as well.
    Reopened,
}

impl Outcome {
    /// Whether people who are told of alerts want to hear of this: all but a repeat or a lessening.
    pub fn worth_telling(self) -> bool {
        match self {
            Outcome::New | Outcome::Reopened => true,
            Outcome::Repeated => false,
            Outcome::SeverityChanged { from, to } => to > from,
        }
    }
}

/// The alert that a finding belongs to.
///
/// The resource is the finding's host, else its source, else `unknown`; the event is the rule's
/// title, else its id. What the rule grouped by is not part of it: two sources that guess at one
/// host are one alert. Each part is at most [`MAX_NAME`] bytes.
pub fn identity(finding: &Finding, environment: &str) -> Identity {
    let resource = name(&finding.host).or_else(|| name(&finding.source));
    let title = if finding.rule_name.is_empty() { &finding.rule_id } else { &finding.rule_name };
    Identity {
        environment: clip(environment, MAX_NAME),
        resource: resource.unwrap_or_else(|| "unknown".to_owned()),
        event: clip(title, MAX_NAME),
    }
}

/// Folds `finding` into `existing`, the alert of the same [`identity`], or into a new alert.
///
/// Counts add up (at most `u64::MAX`), the time span widens, severity and description follow the
/// finding, and every change of severity or status goes to the history.
pub fn fold(
    existing: Option<&Alert>,
    finding: &Finding,
    environment: &str,
    now: Timestamp,
) -> (Alert, Outcome) {
    let (mut alert, outcome) = match existing {
        None => (new_alert(finding, environment, now), Outcome::New),
        Some(existing) => {
            let mut alert = existing.clone();
            alert.text = sentence(finding);
            let outcome = reopen_or_reweigh(&mut alert, finding, now);
            (alert, outcome)
        }
    };
    absorb(&mut alert, finding, now);
    (alert, outcome)
}

fn new_alert(finding: &Finding, environment: &str, now: Timestamp) -> Alert {
    let Identity { environment, resource, event } = identity(finding, environment);
    let text = sentence(finding);
    let first_change = Change {
        at: now,
        kind: ChangeKind::New,
        from: None,
        to: finding.severity.name().to_owned(),
        text: text.clone(),
    };
    Alert {
        id: 0,
        environment,
        resource,
        event,
        severity: finding.severity,
        previous_severity: None,
        status: Status::Open,
        count: 0,
        received: 0,
        first_seen: finding.first_seen,
        last_seen: finding.last_seen,
        updated: now,
        rule_id: String::new(),
        text,
        host: None,
        user: None,
        source: None,
        program: None,
        users: Seen::default(),
        sources: Seen::default(),
        techniques: Vec::new(),
        tags: Vec::new(),
        falsepositives: Vec::new(),
        group: Vec::new(),
        matched: Vec::new(),
        event_ids: Vec::new(),
        example: String::new(),
        history: vec![first_change],
        history_dropped: 0,
    }
}

fn reopen_or_reweigh(alert: &mut Alert, finding: &Finding, now: Timestamp) -> Outcome {
    let (from, to) = (alert.severity, finding.severity);
    let reopened = alert.status == Status::Closed;
    if reopened {
        alert.set_status(Status::Open, alert.text.clone(), now);
    }
    if from != to {
        alert.previous_severity = Some(from);
        alert.severity = to;
        alert.record(Change {
            at: now,
            kind: ChangeKind::Severity,
            from: Some(from.name().to_owned()),
            to: to.name().to_owned(),
            text: alert.text.clone(),
        });
    }
    match (reopened, from == to) {
        (true, _) => Outcome::Reopened,
        (false, true) => Outcome::Repeated,
        (false, false) => Outcome::SeverityChanged { from, to },
    }
}

fn absorb(alert: &mut Alert, finding: &Finding, now: Timestamp) {
    alert.count = alert.count.saturating_add(finding.count);
    alert.received = alert.received.saturating_add(1);
    alert.first_seen = alert.first_seen.min(finding.first_seen);
    alert.last_seen = alert.last_seen.max(finding.last_seen);
    alert.updated = now;
    alert.rule_id = clip(&finding.rule_id, MAX_NAME);
    alert.host = name(&finding.host).or_else(|| alert.host.take());
    alert.program = name(&finding.program).or_else(|| alert.program.take());
    if let Some(user) = name(&finding.user) {
        alert.users.add(&user);
        alert.user = Some(user);
    }
    if let Some(source) = name(&finding.source) {
        alert.sources.add(&source);
        alert.source = Some(source);
    }
    for technique in &finding.techniques {
        let technique = clip(technique, MAX_NAME);
        if alert.techniques.len() < MAX_TECHNIQUES && !alert.techniques.contains(&technique) {
            alert.techniques.push(technique);
        }
    }
    let texts = |texts: &[String], most: usize, limit: usize| -> Vec<String> {
        texts.iter().take(most).map(|text| clip(text, limit)).collect()
    };
    alert.tags = texts(&finding.tags, MAX_TAGS, MAX_NAME);
    alert.falsepositives = texts(&finding.falsepositives, MAX_NOTES, MAX_NOTE);
    alert.group = pairs(&finding.group, MAX_GROUP);
    alert.matched = pairs(&finding.matched, Finding::MAX_MATCHED);
    alert.event_ids.extend_from_slice(&finding.event_ids);
    let surplus = alert.event_ids.len().saturating_sub(MAX_EVENT_IDS);
    alert.event_ids.drain(..surplus);
    alert.example = clip(&finding.example, MAX_EXAMPLE);
}

/// The first pairs of a field and a value, each at most [`MAX_NAME`] bytes.
fn pairs(all: &[(String, String)], most: usize) -> Vec<(String, String)> {
    let clipped =
        |(field, value): &(String, String)| (clip(field, MAX_NAME), clip(value, MAX_NAME));
    all.iter().take(most).map(clipped).collect()
}

/// What a finding says, as one sentence: title, count, host, user, source, program.
fn sentence(finding: &Finding) -> String {
    let title = if finding.rule_name.is_empty() { &finding.rule_id } else { &finding.rule_name };
    let mut text = clip(title, MAX_NAME);
    let noun = if finding.count == 1 { "event" } else { "events" };
    // Writing to a String cannot fail.
    let _infallible = write!(text, ": {} {noun}", finding.count);
    let parts = [
        (" on ", &finding.host),
        (", user ", &finding.user),
        (", from ", &finding.source),
        (", logged by ", &finding.program),
    ];
    for (words, value) in parts {
        if let Some(value) = name(value) {
            text.push_str(words);
            text.push_str(&value);
        }
    }
    text
}

/// A name of at most [`MAX_NAME`] bytes; an empty one is none.
fn name(value: &Option<String>) -> Option<String> {
    value.as_deref().filter(|text| !text.is_empty()).map(|text| clip(text, MAX_NAME))
}

#[cfg(test)]
mod tests;
