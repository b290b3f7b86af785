//! What people do to alerts.

use std::sync::Arc;

use bergfried_alert::{Act, Alert, Settings, act, set_status};
use bergfried_event::Timestamp;

use crate::command::{Change, Changed};
use crate::draft::{Draft, fresh_id};
use crate::error::ChangeError;
use crate::tell::{Before, Cause, Told};

/// Changes each alert by itself: what one refuses, others may take.
pub(crate) fn change(
    draft: &mut Draft<'_>,
    settings: &Settings,
    ids: Vec<String>,
    change: &Change,
    now: Timestamp,
) -> Vec<Changed> {
    let several = ids.len() > 1;
    let mut changed = Vec::with_capacity(ids.len());
    for id in ids {
        let result = one(draft, settings, &id, change.clone(), several, now);
        changed.push(Changed { id, result });
    }
    changed
}

fn one(
    draft: &mut Draft<'_>,
    settings: &Settings,
    id: &str,
    mut change: Change,
    several: bool,
    now: Timestamp,
) -> Result<Arc<Alert>, ChangeError> {
    if several {
        with_its_own_id(&mut change);
    }
    let number = draft.number_of(id).ok_or(ChangeError::NotFound)?;
    let before = draft.alert(number).map(|alert| Before::of(alert));
    let cause = cause(&change);
    let result = draft.try_edit(number, |alert| apply(settings, alert, change, now));
    result.ok_or(ChangeError::NotFound)??;
    let alert = draft.alert(number).cloned().ok_or(ChangeError::NotFound)?;
    draft.tell(Told { before, alert: Arc::clone(&alert), cause });
    Ok(alert)
}

fn apply(
    settings: &Settings,
    alert: &mut Alert,
    change: Change,
    now: Timestamp,
) -> Result<(), ChangeError> {
    let conflict = |refused: bergfried_alert::Refused| ChangeError::Conflict(refused.to_string());
    match change {
        Change::Act(wanted) => act(settings, alert, wanted, now).map_err(conflict),
        Change::Status(wanted) => set_status(settings, alert, wanted, now).map_err(conflict),
        Change::Tag(tags) => Ok(alert.tag(&tags)?),
        Change::Untag(tags) => {
            alert.untag(&tags);
            Ok(())
        }
        Change::Attributes(attributes) => Ok(alert.set_attributes(attributes)?),
        Change::AddNote(mut note) => {
            note.created = now;
            Ok(alert.add_note(settings, note)?)
        }
        Change::ChangeNote { id, text } => match alert.change_note(&id, text, now)? {
            Some(_) => Ok(()),
            None => Err(ChangeError::NoNote(id)),
        },
        Change::RemoveNote { id, user } => {
            let found = alert.remove_note(settings, &id, user, now);
            found.then_some(()).ok_or(ChangeError::NoNote(id))
        }
    }
}

/// Entries of several alerts' histories do not share an id.
fn with_its_own_id(change: &mut Change) {
    match change {
        Change::Act(wanted) => wanted.id = fresh_id(),
        Change::Status(wanted) => wanted.id = fresh_id(),
        Change::AddNote(note) => note.id = fresh_id(),
        _ => {}
    }
}

fn cause(change: &Change) -> Cause {
    match change {
        Change::Act(Act { action, user, text, .. }) => {
            Cause::Acted { action: action.clone(), user: user.clone(), text: text.clone() }
        }
        Change::Status(wanted) => {
            Cause::Status { user: wanted.user.clone(), text: wanted.text.clone() }
        }
        Change::AddNote(note) => Cause::Noted { user: note.user.clone(), text: note.text.clone() },
        _ => Cause::Edited,
    }
}
