//! What is said of matters, by senders and by rules, becomes alerts.

use std::sync::Arc;

use bergfried_alert::{Alert, Incoming, Received, Settings, of_finding, receive, update};
use bergfried_event::{Finding, Timestamp};

use crate::command::Receipt;
use crate::draft::{Draft, fresh_id};
use crate::tell::{Before, Cause, Told};

/// Takes in what a sender says.
pub(crate) fn take_in(
    draft: &mut Draft<'_>,
    settings: &Settings,
    incoming: Incoming,
    now: Timestamp,
) -> Receipt {
    let id = incoming.id.clone();
    let Some((number, received)) = take(draft, settings, incoming, now) else {
        return Receipt::Suppressed { id };
    };
    match draft.alert(number) {
        Some(alert) => Receipt::Kept { alert: Arc::clone(alert), received },
        None => Receipt::Suppressed { id },
    }
}

/// Takes in what a rule found; nobody waits for an answer.
pub(crate) fn take_finding(
    draft: &mut Draft<'_>,
    settings: &Settings,
    finding: &Finding,
    now: Timestamp,
) {
    take(draft, settings, of_finding(settings, finding, fresh_id(), now), now);
}

/// The number of the alert, and what was received to it; none where a blackout does not want it.
pub(crate) fn take(
    draft: &mut Draft<'_>,
    settings: &Settings,
    mut incoming: Incoming,
    now: Timestamp,
) -> Option<(u64, Received)> {
    if settings.blackouts && draft.blackouts().any(|(_, blackout)| blackout.covers(&incoming)) {
        if settings.notification_blackout {
            incoming.status = settings.model.blackout_status();
        } else if !settings.blackout_accept.contains(&incoming.severity) {
            return None;
        }
    }
    let found = draft.find(&incoming);
    if draft.is_taken(&incoming.id, found.map(|(number, _)| number)) {
        incoming.id = fresh_id();
    }
    let Some((number, relation)) = found else {
        let (alert, received) = receive(settings, None, incoming, now);
        let number = draft.insert(alert, now);
        tell(draft, number, None, received);
        return Some((number, received));
    };
    let edit = |alert: &mut Alert| {
        let before = Before::of(alert);
        (before, update(settings, alert, relation, incoming, now))
    };
    let (before, received) = draft.edit(number, edit)?;
    tell(draft, number, Some(before), received);
    Some((number, received))
}

fn tell(draft: &mut Draft<'_>, number: u64, before: Option<Before>, received: Received) {
    let Some(alert) = draft.alert(number).cloned() else { return };
    if before.as_ref().is_none_or(|before| !before.is_as(&alert)) {
        draft.tell(Told { before, alert, cause: Cause::Received(received) });
    }
}
