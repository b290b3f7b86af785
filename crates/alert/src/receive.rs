//! What becomes of something that comes in: a new alert, or an alert that is there and changes.

use bergfried_event::Timestamp;

use crate::alert::{Alert, Trend};
use crate::bounds::{merge_attributes, merge_tags};
use crate::history::{Entry, EntryKind};
use crate::hold;
use crate::incoming::Incoming;
use crate::model::Model;
use crate::relation::Relation;
use crate::settings::Settings;
use crate::status::Status;
use crate::transition::{self, Standing};

/// What something that came in did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// There is a new alert.
    New,
    /// The alert was told of once more.
    Duplicate,
    /// The alert changed its severity or its event.
    Correlated,
}

/// The alert after `incoming`, which is about `stored` where that is given (see [`crate::related`]).
pub fn receive(
    settings: &Settings,
    stored: Option<(&Alert, Relation)>,
    incoming: Incoming,
    now: Timestamp,
) -> (Alert, Received) {
    match stored {
        None => (create(settings, incoming, now), Received::New),
        Some((stored, relation)) => {
            let mut alert = stored.clone();
            let received = update(settings, &mut alert, relation, incoming, now);
            (alert, received)
        }
    }
}

/// Changes the alert that `incoming` is about, in place.
///
/// Its id, group, origin, kind and its list of correlated events stay as they are.
pub fn update(
    settings: &Settings,
    alert: &mut Alert,
    relation: Relation,
    incoming: Incoming,
    now: Timestamp,
) -> Received {
    let model = &settings.model;
    let is_duplicate = relation == Relation::Duplicate;
    let from_rule = incoming.evidence.is_some();
    // A duplicate is as bad as it was, whatever it was before that.
    let previous = std::mem::replace(&mut alert.severity, incoming.severity);
    let changed = take_status(settings, alert, &previous, incoming.status, now);
    if is_duplicate {
        alert.duplicate_count = alert.duplicate_count.saturating_add(1);
    } else {
        alert.trend = trend(model, &previous, &alert.severity);
        alert.previous_severity = previous;
        alert.event = incoming.event;
        alert.create_time = incoming.create_time;
        alert.receive_time = now;
        alert.duplicate_count = 0;
    }
    alert.repeat = is_duplicate;
    alert.last_receive_id = incoming.id;
    alert.last_receive_time = now;
    alert.service = incoming.service;
    alert.text = incoming.text;
    alert.timeout = incoming.timeout;
    alert.raw_data = incoming.raw_data;
    merge_tags(&mut alert.tags, &incoming.tags);
    merge_attributes(&mut alert.attributes, incoming.attributes);
    if let Some(evidence) = incoming.evidence {
        match &mut alert.evidence {
            Some(known) => known.absorb(*evidence),
            none => *none = Some(evidence),
        }
    }
    let value = incoming.value.or_else(|| from_rule.then(|| counted(alert)).flatten());
    let value_changed = std::mem::replace(&mut alert.value, value) != alert.value;
    let kind = if !is_duplicate {
        Some(EntryKind::Severity)
    } else if changed {
        Some(EntryKind::Status)
    } else {
        // Each finding has another count; that alone is nothing to remember.
        let remembered = value_changed && settings.history_on_value_change && !from_rule;
        remembered.then_some(EntryKind::Value)
    };
    if let Some(kind) = kind {
        enter(settings, alert, kind, now);
    }
    if is_duplicate { Received::Duplicate } else { Received::Correlated }
}

fn create(settings: &Settings, incoming: Incoming, now: Timestamp) -> Alert {
    let model = &settings.model;
    let mut alert = Alert {
        last_receive_id: incoming.id.clone(),
        id: incoming.id,
        environment: incoming.environment,
        resource: incoming.resource,
        event: incoming.event,
        trend: trend(model, &model.previous, &incoming.severity),
        severity: incoming.severity,
        correlate: incoming.correlate,
        status: model.default_status(),
        service: incoming.service,
        group: incoming.group,
        value: incoming.value,
        text: incoming.text,
        tags: Vec::new(),
        attributes: Default::default(),
        origin: incoming.origin,
        kind: incoming.kind,
        create_time: incoming.create_time,
        timeout: incoming.timeout,
        raw_data: incoming.raw_data,
        customer: incoming.customer,
        duplicate_count: 0,
        repeat: false,
        previous_severity: model.previous.clone(),
        receive_time: now,
        last_receive_time: now,
        update_time: now,
        history: Vec::new(),
        notes: Vec::new(),
        holds: Vec::new(),
        evidence: incoming.evidence,
        revision: 0,
    };
    if !alert.correlate.is_empty() && !alert.correlate.contains(&alert.event) {
        alert.correlate.push(alert.event.clone());
    }
    merge_tags(&mut alert.tags, &incoming.tags);
    merge_attributes(&mut alert.attributes, incoming.attributes);
    alert.value = alert.value.take().or_else(|| counted(&alert));
    take_status(settings, &mut alert, &model.previous, incoming.status, now);
    enter(settings, &mut alert, EntryKind::New, now);
    alert
}

/// How many events an alert of a rule stands on, which is its value where the rule says no other.
fn counted(alert: &Alert) -> Option<String> {
    alert.evidence.as_ref().map(|evidence| evidence.count.to_string())
}

/// Moves the alert to the status that follows from what was received; whether that is another one.
fn take_status(
    settings: &Settings,
    alert: &mut Alert,
    previous_severity: &str,
    sent: Status,
    now: Timestamp,
) -> bool {
    let before = alert.status;
    let back = match before {
        Status::Closed if alert.is_shelved_beneath(now) => Status::Shelved,
        Status::Closed => Status::Open,
        _ => alert.back(),
    };
    let standing = Standing { status: before, back, severity: &alert.severity, previous_severity };
    let next = transition::received(&settings.model, &standing, sent);
    if next == before {
        return false;
    }
    // Only a sender asks for a status that holds; one that the alert goes back to holds it already.
    if hold::holds(next) && next == sent {
        let until = ends(settings, next, None, now);
        alert.hold(next, until);
    } else {
        alert.leave(next);
    }
    alert.update_time = now;
    true
}

/// When a status that begins now ends by itself.
pub(crate) fn ends(
    settings: &Settings,
    status: Status,
    timeout: Option<u32>,
    now: Timestamp,
) -> Option<Timestamp> {
    let seconds = hold_timeout(settings, status, timeout)?;
    let until = now.plus_micros(i64::from(seconds).saturating_mul(Timestamp::SECOND));
    (seconds > 0).then_some(until)
}

/// Seconds after which an acknowledgement or shelving ends, 0 for never; none for other statuses.
pub(crate) fn hold_timeout(
    settings: &Settings,
    status: Status,
    timeout: Option<u32>,
) -> Option<u32> {
    match status {
        Status::Ack | Status::Acked => Some(timeout.unwrap_or(settings.ack_timeout)),
        Status::Shelved | Status::Shlvd => Some(timeout.unwrap_or(settings.shelve_timeout)),
        _ => None,
    }
}

/// Whether the second severity is worse than the first.
fn trend(model: &Model, previous: &str, severity: &str) -> Trend {
    match model.code(severity).cmp(&model.code(previous)) {
        std::cmp::Ordering::Less => Trend::MoreSevere,
        std::cmp::Ordering::Equal => Trend::NoChange,
        std::cmp::Ordering::Greater => Trend::LessSevere,
    }
}

fn enter(settings: &Settings, alert: &mut Alert, kind: EntryKind, now: Timestamp) {
    let entry = Entry {
        id: alert.last_receive_id.clone(),
        text: alert.text.clone(),
        kind,
        timeout: alert.timeout,
        ..Entry::of(alert, now)
    };
    alert.record(settings, entry);
}
