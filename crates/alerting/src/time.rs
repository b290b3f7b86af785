//! What time does: alerts expire, come back and go, silent senders become alerts, blackouts end.

use std::collections::BTreeMap;
use std::sync::Arc;

use bergfried_alert::{
    Alert, Incoming, Pulse, SetStatus, Settings, Status, Step, due, set_status, step,
};
use bergfried_event::Timestamp;

use crate::beats::Beat;
use crate::command::Housekept;
use crate::draft::{Draft, fresh_id};
use crate::receive::take;
use crate::tell::{Before, Cause, Told};

/// The most steps of one alert at one time; there are fewer states than that.
const MOST_STEPS: usize = 8;

/// Does everything to an alert that is due.
pub(crate) fn steps(
    draft: &mut Draft<'_>,
    settings: &Settings,
    number: u64,
    now: Timestamp,
    kept: &mut Housekept,
) {
    for _ in 0..MOST_STEPS {
        let Some(alert) = draft.alert(number).cloned() else { return };
        let Some((_, next)) = due(settings, &alert).filter(|(time, _)| *time <= now) else {
            return;
        };
        let id = alert.id.clone();
        match next {
            Step::Delete => {
                delete(draft, number, Cause::Step(next));
                kept.deleted.push(id);
                return;
            }
            Step::Expire => kept.expired.push(id),
            Step::Unshelve => kept.unshelved.push(id),
            Step::Unack => kept.unacked.push(id),
        }
        let before = Before::of(&alert);
        drop(alert);
        draft.edit(number, |alert| step(settings, alert, next, fresh_id(), now));
        if let Some(alert) = draft.alert(number).cloned() {
            draft.tell(Told { before: Some(before), alert, cause: Cause::Step(next) });
        }
    }
}

/// Deletes an alert, and says so.
pub(crate) fn delete(draft: &mut Draft<'_>, number: u64, cause: Cause) {
    let Some(alert) = draft.alert(number).cloned() else { return };
    let before = Some(Before::of(&alert));
    draft.delete(number);
    draft.tell(Told { before, alert, cause });
}

/// Does to every alert what time would do, with these ages for what is deleted.
pub(crate) fn housekeeping(
    draft: &mut Draft<'_>,
    settings: &Settings,
    (expired, info): (Option<u32>, Option<u32>),
    now: Timestamp,
) -> Housekept {
    let mut settings = settings.clone();
    settings.delete_expired_after = expired.unwrap_or(settings.delete_expired_after);
    settings.delete_info_after = info.unwrap_or(settings.delete_info_after);
    let mut kept = Housekept::default();
    for number in draft.numbers() {
        steps(draft, &settings, number, now, &mut kept);
    }
    kept
}

/// Says that a sender is silent, or still is.
pub(crate) fn silence(
    draft: &mut Draft<'_>,
    settings: &Settings,
    number: u64,
    listening_since: Timestamp,
    now: Timestamp,
) {
    let Some(beat) = draft.beat(number).cloned() else { return };
    if beat.due(settings, listening_since).is_none_or(|due| due > now) {
        return;
    }
    take(draft, settings, beat.heartbeat.alert(settings, Pulse::Expired, fresh_id(), now), now);
    let told = Beat { told: Pulse::Expired, told_at: now, heartbeat: Arc::clone(&beat.heartbeat) };
    draft.put_beat(number, Some(told));
}

/// Says how a sender is that was just heard of, where that is news.
pub(crate) fn heard(draft: &mut Draft<'_>, settings: &Settings, number: u64, now: Timestamp) {
    let Some(beat) = draft.beat(number).cloned() else { return };
    let pulse = beat.heartbeat.pulse(settings, now);
    let incoming = beat.heartbeat.alert(settings, pulse, fresh_id(), now);
    let worth_it = match pulse {
        Pulse::Slow => beat.told != Pulse::Slow,
        Pulse::Expired => false,
        // That it is well is news only where there is an alert to close, whoever raised it.
        Pulse::Ok => {
            draft.find(&incoming).and_then(|(number, _)| draft.alert(number)).is_some_and(|alert| {
                !matches!(alert.status, Status::Closed) || alert.event != incoming.event
            })
        }
    };
    if worth_it {
        take(draft, settings, incoming, now);
    }
    let told = Beat { told: pulse, told_at: now, heartbeat: Arc::clone(&beat.heartbeat) };
    draft.put_beat(number, Some(told));
}

/// Lets alerts out that came in during a blackout, where none covers them any more.
pub(crate) fn blackout_ended(draft: &mut Draft<'_>, settings: &Settings, now: Timestamp) {
    for number in draft.numbers() {
        let Some(alert) = draft.alert(number).filter(|alert| alert.status == Status::Blackout)
        else {
            continue;
        };
        let incoming = as_incoming(alert, now);
        if draft.blackouts().any(|(_, blackout)| blackout.covers(&incoming)) {
            continue;
        }
        let before = Before::of(alert);
        let open = SetStatus {
            status: Status::Open,
            text: "the blackout ended".to_owned(),
            timeout: None,
            user: None,
            id: fresh_id(),
        };
        let opened = draft.try_edit(number, |alert| set_status(settings, alert, open, now));
        if let (Some(Ok(())), Some(alert)) = (opened, draft.alert(number).cloned()) {
            draft.tell(Told { before: Some(before), alert, cause: Cause::BlackoutEnded });
        }
    }
}

/// The alert as if it were said now, which is what a blackout looks at.
fn as_incoming(alert: &Alert, now: Timestamp) -> Incoming {
    Incoming {
        id: alert.id.clone(),
        environment: alert.environment.clone(),
        resource: alert.resource.clone(),
        event: alert.event.clone(),
        severity: alert.severity.clone(),
        correlate: alert.correlate.clone(),
        status: alert.status,
        service: alert.service.clone(),
        group: alert.group.clone(),
        value: None,
        text: String::new(),
        tags: alert.tags.clone(),
        attributes: BTreeMap::new(),
        origin: alert.origin.clone(),
        kind: alert.kind.clone(),
        create_time: now,
        timeout: alert.timeout,
        raw_data: None,
        customer: alert.customer.clone(),
        evidence: None,
    }
}
