//! `/_bulk`: one change of all alerts that a query finds, done in process.
//!
//! A bulk change takes what the caller may see and no more. It is made in pieces, so that what senders
//! say in between need not wait for all of it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State as Shared;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::{delete, get, put};
use bergfried_alert::Alert;
use bergfried_alert::query::Listing;
use bergfried_alerting::Change;
use bergfried_control::{AuditChange, NewAudit};
use serde_json::json;

use super::caller::Caller;
use super::document::Document;
use super::error::Refusal;
use super::request::{Base, InPath, Parameters};
use super::{alerts, find, reply, wire};
use crate::auth::{alert_change, audit_all};
use crate::error::ApiError;
use crate::router::State;

/// How many alerts are changed in one transaction.
const PIECE: usize = 1_000;
/// How many tasks are remembered.
const MAX_TASKS: usize = 1_000;
/// How many are under way at once; each holds the ids of all that it changes.
const MAX_RUNNING: usize = 8;

pub(super) fn routes() -> Router<State> {
    Router::new()
        .route("/_bulk/alerts/status", put(set_status))
        .route("/_bulk/alerts/action", put(act))
        .route("/_bulk/alerts/tag", put(tag))
        .route("/_bulk/alerts/untag", put(untag))
        .route("/_bulk/alerts/attributes", put(set_attributes))
        .route("/_bulk/alerts", delete(delete_all))
        .route("/_bulk/task/{id}", get(task))
}

/// Where a task stands, in the words of the original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    Started,
    Done,
    Failed,
}

/// The last tasks, and where they stand.
#[derive(Default)]
pub(crate) struct Tasks(Mutex<VecDeque<Task>>);

/// Something that is done while nobody waits.
struct Task {
    id: String,
    /// Whose alerts it is about; none: everyone's.
    customers: Option<Vec<String>>,
    stand: Stand,
}

impl Tasks {
    /// Notes a task that begins, where not too many are under way.
    fn begin(&self, id: &str, customers: Option<Vec<String>>) -> bool {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let running = tasks.iter().filter(|task| task.stand == Stand::Started).count();
        if running >= MAX_RUNNING {
            return false;
        }
        if tasks.len() >= MAX_TASKS {
            let over = tasks.iter().position(|task| task.stand != Stand::Started);
            over.and_then(|place| tasks.remove(place));
        }
        tasks.push_back(Task { id: id.to_owned(), customers, stand: Stand::Started });
        true
    }

    fn end(&self, id: &str, stand: Stand) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = tasks.iter_mut().find(|task| task.id == id) {
            task.stand = stand;
        }
    }

    /// Where a task stands, for who sees all alerts or began it for the same customers.
    fn get(&self, id: &str, customers: Option<&[String]>) -> Option<Stand> {
        let tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let task = tasks.iter().find(|task| task.id == id)?;
        let seen = customers.is_none() || task.customers.as_deref() == customers;
        seen.then_some(task.stand)
    }
}

/// The ids of the alerts that a query finds.
async fn found(state: &State, listing: Listing) -> Result<Vec<String>, Refusal> {
    find::over(state, listing, |_, alerts, listing| {
        let found = alerts.filter(|(alert, glance)| listing.filter.takes(alert, glance));
        Ok(found.map(|(alert, _)| alert.id.clone()).collect())
    })
    .await
}

/// Makes the change; the ids of the alerts that took it.
async fn changed(
    state: &State,
    who: Option<&str>,
    ids: &[String],
    change: &Change,
) -> Result<Vec<String>, Refusal> {
    let mut taken = Vec::with_capacity(ids.len());
    let action = find::action_of(change);
    for piece in ids.chunks(PIECE) {
        let before = known(state, piece);
        let changes = state.alerting.change(piece.to_vec(), change.clone()).await?;
        let mut audited = Vec::new();
        for changed in changes {
            let Ok(after) = changed.result else { continue };
            if let Some(before) = before.get(&changed.id) {
                let change = alert_change(before, &after).map_err(ApiError::from)?;
                audited.push(entry(who, action, changed.id.clone(), change));
            }
            taken.push(changed.id);
        }
        audit_all(state, audited).await?;
    }
    Ok(taken)
}

/// These alerts as they are now.
fn known(state: &State, ids: &[String]) -> HashMap<String, Arc<Alert>> {
    let book = state.alerting.read();
    ids.iter().filter_map(|id| Some((id.clone(), book.get(id)?.clone()))).collect()
}

fn entry(who: Option<&str>, action: &str, target: String, change: AuditChange) -> NewAudit {
    let who = who.unwrap_or("anonymous").to_owned();
    NewAudit { who, action: action.to_owned(), target, change }
}

async fn change(
    caller: &Caller,
    parameters: &Parameters,
    state: &State,
    change: Change,
) -> Result<Vec<String>, Refusal> {
    let listing = find::listing(state, caller, parameters).await?;
    let ids = found(state, listing).await?;
    changed(state, caller.name.as_deref(), &ids, &change).await
}

fn updated(ids: &[String]) -> Response {
    reply::ok([("count", json!(ids.len())), ("updated", json!(ids))])
}

async fn set_status(
    caller: Caller,
    parameters: Parameters,
    Shared(state): Shared<State>,
    document: Document,
) -> Result<Response, Refusal> {
    caller.require("write:alerts")?;
    let wanted = alerts::status_change(&state, &caller, &document, "bulk status update")?;
    let ids = change(&caller, &parameters, &state, wanted).await?;
    match ids.is_empty() {
        true => Err(Refusal::not_found()),
        false => Ok(updated(&ids)),
    }
}

async fn tag(
    caller: Caller,
    parameters: Parameters,
    Shared(state): Shared<State>,
    document: Document,
) -> Result<Response, Refusal> {
    caller.require("write:alerts")?;
    let wanted = Change::Tag(alerts::tags(&document)?);
    Ok(updated(&change(&caller, &parameters, &state, wanted).await?))
}

async fn untag(
    caller: Caller,
    parameters: Parameters,
    Shared(state): Shared<State>,
    document: Document,
) -> Result<Response, Refusal> {
    caller.require("write:alerts")?;
    let wanted = Change::Untag(alerts::tags(&document)?);
    Ok(updated(&change(&caller, &parameters, &state, wanted).await?))
}

async fn set_attributes(
    caller: Caller,
    parameters: Parameters,
    Shared(state): Shared<State>,
    document: Document,
) -> Result<Response, Refusal> {
    caller.require("write:alerts")?;
    let wanted = alerts::attributes(&document)?;
    Ok(updated(&change(&caller, &parameters, &state, wanted).await?))
}

/// Answers at once, and acts while nobody waits.
async fn act(
    caller: Caller,
    base: Base,
    parameters: Parameters,
    Shared(state): Shared<State>,
    document: Document,
) -> Result<Response, Refusal> {
    caller.require("write:alerts")?;
    let wanted = alerts::action(&state, &caller, &document, "bulk operator action")?;
    let listing = find::listing(&state, &caller, &parameters).await?;
    let ids = found(&state, listing).await?;
    let message = format!("{} alerts queued for action", ids.len());
    let task = wire::new_id();
    if !state.bulk_tasks.begin(&task, caller.customers.clone()) {
        let message = "too many bulk actions are under way, try again";
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, message)
            .with_header(header::RETRY_AFTER, 5_u32.into()));
    }
    let (of, id) = (state.clone(), task.clone());
    tokio::spawn(async move {
        let stand = match changed(&of, caller.name.as_deref(), &ids, &wanted).await {
            Ok(_) => Stand::Done,
            Err(error) => {
                tracing::error!(?error, "a bulk action failed");
                Stand::Failed
            }
        };
        of.bulk_tasks.end(&id, stand);
    });
    let mut response = reply::with_status(StatusCode::ACCEPTED, [("message", json!(message))]);
    if let Ok(location) = HeaderValue::from_str(&base.href(&format!("/_bulk/task/{task}"))) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

async fn task(
    caller: Caller,
    Shared(state): Shared<State>,
    InPath(id): InPath<String>,
) -> Result<Response, Refusal> {
    caller.require("read:alerts")?;
    let stand = match state
        .bulk_tasks
        .get(&id, caller.customers.as_deref())
        .ok_or_else(Refusal::not_found)?
    {
        Stand::Started => "STARTED",
        Stand::Done => "SUCCESS",
        Stand::Failed => "FAILURE",
    };
    Ok(reply::ok([("id", json!(id)), ("status", json!(stand))]))
}

/// Deletes what a query finds; everything where nothing at all is asked, or `all=true` says so. Where
/// only a page or an order is asked for, somebody means less than everything.
async fn delete_all(
    caller: Caller,
    Parameters(mut parameters): Parameters,
    Shared(state): Shared<State>,
) -> Result<Response, Refusal> {
    caller.require("delete:alerts")?;
    parameters.retain(|(name, _)| name != "api-key");
    let asks = !parameters.is_empty();
    let is_all = parameters.iter().any(|(name, value)| name == "all" && value == "true");
    parameters.retain(|(name, _)| name != "all");
    let listing = find::listing(&state, &caller, &Parameters(parameters)).await?;
    if asks && !is_all && !listing.filter.narrows() {
        let message = "a query must say which alerts to delete; `all=true` deletes every one";
        return Err(Refusal::invalid(message));
    }
    let ids = found(&state, listing).await?;
    let mut deleted = Vec::with_capacity(ids.len());
    for piece in ids.chunks(PIECE) {
        let before = known(&state, piece);
        let gone = state.alerting.delete(piece.to_vec()).await?;
        let mut audited = Vec::new();
        for id in &gone {
            if let Some(alert) = before.get(id) {
                let change = AuditChange::deleted(&**alert).map_err(ApiError::from)?;
                let action = "alerta.alert.delete";
                audited.push(entry(caller.name.as_deref(), action, id.clone(), change));
            }
        }
        audit_all(&state, audited).await?;
        deleted.extend(gone);
    }
    Ok(reply::ok([("count", json!(deleted.len())), ("deleted", json!(deleted))]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_tasks_are_remembered() {
        let tasks = Tasks::default();
        for number in 0..=MAX_TASKS {
            assert!(tasks.begin(&number.to_string(), None));
            tasks.end(&number.to_string(), Stand::Done);
        }
        assert_eq!(tasks.get("0", None), None);
        assert_eq!(tasks.get("1", None), Some(Stand::Done));
    }

    #[test]
    fn only_some_tasks_run_at_once() {
        let tasks = Tasks::default();
        for number in 0..MAX_RUNNING {
            assert!(tasks.begin(&number.to_string(), None));
        }
        assert!(!tasks.begin("one more", None));
        tasks.end("3", Stand::Failed);
        assert_eq!(tasks.get("3", None), Some(Stand::Failed));
        assert!(tasks.begin("one more", None));
        assert_eq!(tasks.get("0", None), Some(Stand::Started));
    }

    #[test]
    fn a_task_is_of_those_who_began_it() {
        let tasks = Tasks::default();
        let [foo, bar] = ["Foo", "Bar"].map(|name| vec![name.to_owned()]);
        assert!(tasks.begin("1", Some(foo.clone())));
        assert_eq!(tasks.get("1", Some(&foo)), Some(Stand::Started));
        assert_eq!(tasks.get("1", Some(&bar)), None);
        assert_eq!(tasks.get("1", None), Some(Stand::Started));
    }
}
