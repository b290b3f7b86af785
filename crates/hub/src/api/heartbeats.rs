//! Heartbeats: senders say that they are alive, and people see who is.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use bergfried_alert::{Heartbeat, Pulse};
use bergfried_control::{AuditChange, ControlError};
use bergfried_event::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use crate::auth::{AlertViewer, Operator, audit};
use crate::error::{ApiError, ErrorBody};
use crate::request::{Body, InPath, Params};
use crate::router::State;

/// The longest origin, in bytes.
const MAX_ORIGIN: usize = 4_096;
/// The most tags, and the most attributes.
const MAX_LIST: usize = 1_000;

/// A sender that says that it is alive.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Alive {
    /// Who is alive, such as `backup/web-01`
    origin: String,
    /// Seconds after which it counts as silent; 0: never (the hub's heartbeat timeout)
    timeout: Option<u32>,
    #[serde(default)]
    tags: Vec<String>,
    /// `environment`, `severity`, `service` and `group` shape the alert of a silent sender
    #[serde(default)]
    attributes: BTreeMap<String, Value>,
    customer: Option<String>,
}

/// A sender as it was last heard of.
#[derive(Serialize, ToSchema)]
pub(crate) struct Listed {
    #[serde(flatten)]
    #[schema(value_type = serde_json::Value)]
    heartbeat: Heartbeat,
    /// `ok`, `slow` or `expired`
    status: &'static str,
    /// Seconds since it was last heard of
    since: u64,
    /// Milliseconds that what it last sent was on its way
    latency: i64,
}

/// Which senders.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Only those that are `ok`, `slow` or `expired`
    status: Option<String>,
}

/// List the senders that say that they are alive
#[utoipa::path(get, path = "/api/v1/heartbeats", tag = "heartbeats", params(Wanted),
    responses((status = 200, description = "Every sender, by origin", body = Vec<Listed>),
        (status = 400, description = "An unknown status", body = ErrorBody)))]
pub(crate) async fn list(
    AlertViewer(person): AlertViewer,
    Shared(state): Shared<State>,
    Params(wanted): Params<Wanted>,
) -> Result<Json<Vec<Listed>>, ApiError> {
    let pulse = match wanted.status.as_deref() {
        None => None,
        Some(word) => Some(
            Pulse::ALL
                .into_iter()
                .find(|pulse| pulse.name() == word)
                .ok_or_else(|| ApiError::invalid("`status` must be ok, slow or expired"))?,
        ),
    };
    let (settings, now) = (state.alerting.settings(), state.alerting.now());
    let heartbeats: Vec<_> = state.alerting.read().heartbeats().cloned().collect();
    let mut listed: Vec<Listed> = heartbeats
        .iter()
        .filter(|heartbeat| person.sees(heartbeat.customer.as_deref()))
        .filter(|heartbeat| pulse.is_none_or(|pulse| heartbeat.pulse(settings, now) == pulse))
        .map(|heartbeat| of(&state, heartbeat, now))
        .collect();
    listed.sort_by(|one, other| one.heartbeat.origin.cmp(&other.heartbeat.origin));
    Ok(Json(listed))
}

/// Say that a sender is alive
///
/// Once a sender was heard of, an alert is raised when it falls silent, and closed when it is heard of
/// again.
#[utoipa::path(post, path = "/api/v1/heartbeats", tag = "heartbeats", request_body = Alive,
    responses((status = 201, description = "The sender; its id stays the same", body = Listed),
        (status = 400, description = "No origin, or too much", body = ErrorBody)))]
pub(crate) async fn send(
    Operator(by): Operator,
    Shared(state): Shared<State>,
    Body(alive): Body<Alive>,
) -> Result<(StatusCode, Json<Listed>), ApiError> {
    if alive.origin.is_empty() || alive.origin.len() > MAX_ORIGIN {
        return Err(ApiError::invalid(format!("`origin` must have 1 to {MAX_ORIGIN} bytes")));
    }
    if alive.tags.len() > MAX_LIST || alive.attributes.len() > MAX_LIST {
        let message = format!("`tags` and `attributes` have at most {MAX_LIST} elements");
        return Err(ApiError::invalid(message));
    }
    let now = state.alerting.now();
    let heartbeat = Heartbeat {
        id: uuid::Uuid::new_v4().to_string(),
        origin: alive.origin,
        tags: alive.tags,
        attributes: alive.attributes,
        create_time: now,
        receive_time: now,
        timeout: alive.timeout.unwrap_or(state.alerting.settings().heartbeat_timeout),
        customer: alive.customer,
    };
    let sender = (&heartbeat.origin, &heartbeat.customer);
    let known = {
        let book = state.alerting.read();
        book.heartbeats().find(|one| (&one.origin, &one.customer) == sender).cloned()
    };
    let kept = state.alerting.heartbeat(heartbeat).await?;
    if let Some((action, change)) = changed(known.as_deref(), &kept) {
        audit(&state, &by.name, action, kept.origin.clone(), change).await?;
    }
    Ok((StatusCode::CREATED, Json(of(&state, &kept, now))))
}

/// What the audit trail says of a heartbeat: of a new sender, and of one that says something else of
/// itself. That it is alive as before changes nothing.
fn changed(
    known: Option<&Heartbeat>,
    kept: &Heartbeat,
) -> Option<(&'static str, Result<AuditChange, ControlError>)> {
    let said = |of: &Heartbeat| {
        json!({
            "tags": of.tags, "attributes": of.attributes, "timeout": of.timeout,
            "customer": of.customer,
        })
    };
    match known {
        None => Some(("heartbeat.create", AuditChange::created(&said(kept)))),
        Some(known) if said(known) == said(kept) => None,
        Some(known) => Some(("heartbeat.change", AuditChange::between(&said(known), &said(kept)))),
    }
}

/// Forget a sender
///
/// Nobody is told any more that it is silent.
#[utoipa::path(delete, path = "/api/v1/heartbeats/{id}", tag = "heartbeats",
    params(("id" = String, Path, description = "The heartbeat's id")),
    responses((status = 204, description = "It is forgotten"),
        (status = 404, description = "There is none of this id", body = ErrorBody)))]
pub(crate) async fn delete(
    Operator(by): Operator,
    Shared(state): Shared<State>,
    InPath(id): InPath<String>,
) -> Result<StatusCode, ApiError> {
    let known = state.alerting.read().heartbeats().find(|one| one.id == id).cloned();
    if !state.alerting.delete_heartbeat(&id).await? {
        return Err(ApiError::not_found("there is no heartbeat of this id"));
    }
    audit(&state, &by.name, "heartbeat.delete", id, AuditChange::deleted(&known)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn of(state: &State, heartbeat: &Heartbeat, now: Timestamp) -> Listed {
    Listed {
        heartbeat: heartbeat.clone(),
        status: heartbeat.pulse(state.alerting.settings(), now).name(),
        since: heartbeat.since(now),
        latency: heartbeat.latency(),
    }
}
