//! `POST /api/v1/alerts/bulk`: the same done to several alerts at once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use bergfried_alert::{Act, Action, Alert, Note, Status};
use bergfried_alerting::{Change, ChangeError};
use bergfried_control::{AuditChange, NewAudit};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::act::goal;
use crate::auth::{AlertOperator, Person, Role, alert_change, audit_all};
use crate::error::{ApiError, ErrorBody};
use crate::request::Body;
use crate::router::State;

/// The most alerts of one request.
const MAX_IDS: usize = 10_000;
/// How many alerts are changed in one transaction.
const PIECE: usize = 1_000;

/// What to do to which alerts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Their whole ids, 1 to 10000
    ids: Vec<String>,
    action: Deed,
    /// Why, for a person; of a note what it says, of `assign` who it is for
    text: Option<String>,
    /// Seconds after which an acknowledgement or shelving ends, 0 for never
    timeout: Option<u32>,
}

/// What can be done to alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Deed {
    Ack,
    Unack,
    Shelve,
    Unshelve,
    Open,
    Close,
    Assign,
    Note,
    Delete,
}

impl Deed {
    /// The word in the audit trail.
    fn name(self) -> &'static str {
        match self {
            Deed::Ack => "ack",
            Deed::Unack => "unack",
            Deed::Shelve => "shelve",
            Deed::Unshelve => "unshelve",
            Deed::Open => "open",
            Deed::Close => "close",
            Deed::Assign => "assign",
            Deed::Note => "note",
            Deed::Delete => "delete",
        }
    }

    /// The action, and what stands in the history where nobody says why.
    fn action(self) -> Option<(Action, &'static str)> {
        Some(match self {
            Deed::Ack => (Action::Ack, "acknowledged"),
            Deed::Unack => (Action::Unack, "acknowledgement ended"),
            Deed::Shelve => (Action::Shelve, "shelved"),
            Deed::Unshelve => (Action::Unshelve, "taken from the shelf"),
            Deed::Open => (Action::Open, "opened"),
            Deed::Close => (Action::Close, "closed"),
            Deed::Assign => (Action::Assign, "assigned"),
            Deed::Note | Deed::Delete => return None,
        })
    }
}

/// What became of it.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct Done {
    /// How many alerts took it, or had it already
    changed: usize,
    refused: Vec<Refused>,
}

/// An alert that did not take it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Refused {
    id: String,
    reason: String,
}

impl Done {
    fn refuse(&mut self, id: String, reason: impl Into<String>) {
        self.refused.push(Refused { id, reason: reason.into() });
    }
}

/// Do the same to several alerts
///
/// What one refuses, the others take all the same. `delete` is the administrator's.
#[utoipa::path(post, path = "/api/v1/alerts/bulk", tag = "alerts", request_body = Wanted,
    responses((status = 200, description = "What became of it", body = Done),
        (status = 400, description = "No ids, too many, or a body that cannot be read", body = ErrorBody),
        (status = 403, description = "Deleting needs an administrator", body = ErrorBody)))]
pub(crate) async fn act(
    AlertOperator(by): AlertOperator,
    Shared(state): Shared<State>,
    Body(wanted): Body<Wanted>,
) -> Result<Json<Done>, ApiError> {
    if !(1..=MAX_IDS).contains(&wanted.ids.len()) {
        return Err(ApiError::invalid(format!("`ids` must be 1 to {MAX_IDS}")));
    }
    if wanted.timeout.is_some() && !matches!(wanted.action, Deed::Ack | Deed::Shelve) {
        return Err(ApiError::invalid("`timeout` is for `ack` and `shelve`"));
    }
    let (ids, mut done) = seen(&state, &by, wanted.ids);
    let Some(change) = change(&state, &by, wanted.action, wanted.text, wanted.timeout)? else {
        delete(&state, &by, ids, &mut done).await?;
        return Ok(Json(done));
    };
    let goal = wanted.action.action().and_then(|(action, _)| goal(&action));
    let goal = goal.filter(|_| wanted.timeout.is_none());
    let action = format!("alert.{}", wanted.action.name());
    for piece in ids.chunks(PIECE) {
        let before = known(&state, piece);
        let mut trail = Vec::new();
        for changed in state.alerting.change(piece.to_vec(), change.clone()).await? {
            match changed.result {
                Ok(alert) => {
                    done.changed += 1;
                    if let Some(before) = before.get(&changed.id) {
                        let change = alert_change(before, &alert)?;
                        let (who, target) = (by.name.clone(), changed.id);
                        trail.push(NewAudit { who, action: action.clone(), target, change });
                    }
                }
                Err(ChangeError::Conflict(_)) if has(&state, &changed.id, goal) => {
                    done.changed += 1;
                }
                Err(error) => done.refuse(changed.id, error.to_string()),
            }
        }
        audit_all(&state, trail).await?;
    }
    Ok(Json(done))
}

/// The alerts as they are, by their ids.
fn known(state: &State, ids: &[String]) -> HashMap<String, Arc<Alert>> {
    let book = state.alerting.read();
    ids.iter().filter_map(|id| Some((id.clone(), book.get(id)?.clone()))).collect()
}

/// Those of the alerts that the person sees, each once; the others are refused.
fn seen(state: &State, by: &Person, ids: Vec<String>) -> (Vec<String>, Done) {
    let (mut kept, mut done) = (Vec::with_capacity(ids.len()), Done::default());
    let mut known = HashSet::with_capacity(ids.len());
    let book = state.alerting.read();
    for id in ids {
        if !known.insert(id.clone()) {
            continue;
        }
        let alert = book.get(&id).filter(|alert| by.sees(alert.customer.as_deref()));
        match alert {
            Some(alert) if alert.id == id => kept.push(id),
            _ => done.refuse(id, "there is no such alert"),
        }
    }
    (kept, done)
}

fn has(state: &State, id: &str, goal: Option<Status>) -> bool {
    let alert = state.alerting.read().get(id).cloned();
    goal.is_some() && alert.map(|alert| alert.status) == goal
}

/// The change; none where the alerts are to be deleted.
fn change(
    state: &State,
    by: &Person,
    deed: Deed,
    text: Option<String>,
    timeout: Option<u32>,
) -> Result<Option<Change>, ApiError> {
    if let Some((action, done)) = deed.action() {
        let text = text.unwrap_or_else(|| format!("{done} by {}", by.name));
        let (user, id) = (Some(by.name.clone()), Uuid::new_v4().to_string());
        return Ok(Some(Change::Act(Act { action, text, timeout, user, id })));
    }
    if deed == Deed::Delete {
        return Ok(None);
    }
    let text = text.filter(|text| !text.trim().is_empty());
    let text =
        text.ok_or_else(|| ApiError::invalid("`text` is empty: write what the note says"))?;
    let (user, id) = (Some(by.name.clone()), Uuid::new_v4().to_string());
    let created = state.alerting.now();
    Ok(Some(Change::AddNote(Note { id, text, user, created, updated: None })))
}

async fn delete(
    state: &State,
    by: &Person,
    ids: Vec<String>,
    done: &mut Done,
) -> Result<(), ApiError> {
    if by.role < Role::Admin {
        return Err(ApiError::forbidden("deleting alerts needs the role admin: close them"));
    }
    for piece in ids.chunks(PIECE) {
        let before = known(state, piece);
        let mut trail = Vec::new();
        for id in state.alerting.delete(piece.to_vec()).await? {
            done.changed += 1;
            if let Some(alert) = before.get(&id) {
                let change = AuditChange::deleted(&json!({
                    "resource": alert.resource, "event": alert.event, "text": alert.text,
                    "severity": alert.severity, "status": alert.status,
                }))?;
                let (who, action) = (by.name.clone(), "alert.delete".to_owned());
                trail.push(NewAudit { who, action, target: id, change });
            }
        }
        audit_all(state, trail).await?;
    }
    Ok(())
}
