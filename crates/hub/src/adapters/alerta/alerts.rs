//! `/alert`: what senders say, and what people do to one alert.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use bergfried_alert::{Act, Action, Alert, Incoming, SetStatus};
use bergfried_alerting::{Change, Receipt};
use bergfried_control::AuditChange;
use serde::Serialize;
use serde_json::json;

use super::caller::Caller;
use super::document::Document;
use super::error::Refusal;
use super::request::{Base, InPath};
use super::resource::record;
use super::wire::{self, AlertBody, Parts};
use super::{find, policy, reply};
use crate::router::State;

pub(super) fn routes() -> Router<State> {
    Router::new()
        .route("/alert", post(receive))
        .route("/alert/{id}", get(show).delete(delete))
        .route("/alert/{id}/status", put(set_status))
        .route("/alert/{id}/action", put(act))
        .route("/alert/{id}/tag", put(tag))
        .route("/alert/{id}/untag", put(untag))
        .route("/alert/{id}/attributes", put(set_attributes))
}

/// One alert; the fields stand in the order of their names.
#[derive(Serialize)]
struct One<'a> {
    alert: AlertBody<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<usize>,
}

async fn receive(
    caller: Caller,
    base: Base,
    Shared(state): Shared<State>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    document: Document,
) -> Result<Response, Refusal> {
    caller.require("write:alerts")?;
    let sender = Sender { state: &state, caller: &caller, base: &base, headers: &headers, peer };
    let incoming = wire::incoming(&document, state.alerting.settings(), state.alerting.now())?;
    policy::charge(&state, &caller, peer.ip(), &incoming.id)?;
    let received = sender.judge(&document, incoming)?.receive(&state).await?;
    Ok(received.answer(&base))
}

/// Who sends alerts, and how they came.
pub(super) struct Sender<'a> {
    pub(super) state: &'a State,
    pub(super) caller: &'a Caller,
    pub(super) base: &'a Base,
    pub(super) headers: &'a HeaderMap,
    pub(super) peer: SocketAddr,
}

impl Sender<'_> {
    /// Judges what was read from a document; nothing is received yet.
    ///
    /// # Errors
    /// Where the sender may not say it, the owner does not want it, or nobody's is taken now.
    pub(super) fn judge(
        &self,
        document: &Document,
        mut incoming: Incoming,
    ) -> Result<Judged, Refusal> {
        self.state.alerta_switches.take_senders()?;
        incoming.customer = self.caller.customer_of_new(incoming.customer)?;
        let (base, headers, peer) = (self.base, self.headers, self.peer.ip());
        let way = policy::judge(self.state, base, headers, peer, document, &mut incoming)?;
        Ok(Judged { incoming, way })
    }
}

/// What may be received, and as what.
pub(super) struct Judged {
    incoming: Incoming,
    way: policy::Way,
}

impl Judged {
    /// Receives it; durable when it is answered.
    ///
    /// # Errors
    /// Where it could not be written.
    pub(super) async fn receive(self, state: &State) -> Result<Taken, Refusal> {
        Ok(match self.way {
            policy::Way::Alert => match policy::receive(state, self.incoming).await? {
                Receipt::Kept { alert, .. } => Taken::Alert(alert),
                Receipt::Suppressed { id } => Taken::Suppressed(id),
            },
            policy::Way::Heartbeat(heartbeat) => {
                Taken::Heartbeat(state.alerting.heartbeat(*heartbeat).await?.id.clone())
            }
            policy::Way::Loop => Taken::Loop,
        })
    }
}

/// What became of something that was said.
pub(super) enum Taken {
    Alert(Arc<Alert>),
    /// The id under which it would have been kept.
    Suppressed(String),
    /// The id of the heartbeat.
    Heartbeat(String),
    Loop,
}

impl Taken {
    /// The id of what came of it, where anything did.
    pub(super) fn id(&self) -> Option<&str> {
        match self {
            Taken::Alert(alert) => Some(&alert.id),
            Taken::Suppressed(id) | Taken::Heartbeat(id) => Some(id),
            Taken::Loop => None,
        }
    }

    pub(super) fn answer(&self, base: &Base) -> Response {
        let message = match self {
            Taken::Alert(alert) => {
                let body = wire::alert(alert, base, Parts::ALL);
                let one = One { alert: body, id: Some(&alert.id), status: "ok", total: None };
                return (StatusCode::CREATED, axum::Json(one)).into_response();
            }
            Taken::Suppressed(_) => "Suppressed alert during blackout period",
            Taken::Heartbeat(_) => "the event is a heartbeat's, it was taken as one",
            Taken::Loop => "the alert was here already: it is forwarded in a loop",
        };
        accepted(message, self.id())
    }
}

/// 202: taken, and no alert came of it.
fn accepted(message: &str, id: Option<&str>) -> Response {
    match id {
        Some(id) => reply::with_status(
            StatusCode::ACCEPTED,
            [("id", json!(id)), ("message", json!(message))],
        ),
        None => reply::with_status(StatusCode::ACCEPTED, [("message", json!(message))]),
    }
}

async fn show(
    caller: Caller,
    base: Base,
    Shared(state): Shared<State>,
    InPath(id): InPath<String>,
) -> Result<Response, Refusal> {
    caller.require("read:alerts")?;
    let alert = find::alert(&state, &caller, &id)?;
    let body = wire::alert(&alert, &base, Parts::ALL);
    Ok(axum::Json(One { alert: body, id: None, status: "ok", total: Some(1) }).into_response())
}

async fn delete(
    caller: Caller,
    Shared(state): Shared<State>,
    InPath(id): InPath<String>,
) -> Result<Response, Refusal> {
    caller.require("delete:alerts")?;
    let alert = find::alert(&state, &caller, &id)?;
    if state.alerting.delete(vec![alert.id.clone()]).await?.is_empty() {
        return Err(Refusal::not_found());
    }
    let gone = AuditChange::deleted(&*alert);
    record(&state, &caller, "alerta.alert.delete", &alert.id, gone).await?;
    Ok(reply::ok([]))
}

async fn change(
    caller: Caller,
    state: State,
    id: String,
    change: Change,
) -> Result<Response, Refusal> {
    find::changed(&state, &caller, &id, change).await?;
    Ok(reply::ok([]))
}

async fn set_status(
    caller: Caller,
    Shared(state): Shared<State>,
    InPath(id): InPath<String>,
    document: Document,
) -> Result<Response, Refusal> {
    caller.require("write:alerts")?;
    let wanted = status_change(&state, &caller, &document, "")?;
    change(caller, state, id, wanted).await
}

/// The status that a document wants.
pub(super) fn status_change(
    state: &State,
    caller: &Caller,
    document: &Document,
    text: &str,
) -> Result<Change, Refusal> {
    let word = document.required("status")?;
    let status = state.alerting.settings().model.status(&word);
    let status = status.map_err(|unknown| Refusal::invalid(unknown.to_string()))?;
    Ok(Change::Status(SetStatus {
        status,
        text: document.text("text")?.unwrap_or_else(|| text.to_owned()),
        timeout: document.seconds("timeout")?,
        user: caller.name.clone(),
        id: wire::new_id(),
    }))
}

async fn act(
    caller: Caller,
    Shared(state): Shared<State>,
    InPath(id): InPath<String>,
    document: Document,
) -> Result<Response, Refusal> {
    caller.require("write:alerts")?;
    let wanted = action(&state, &caller, &document, "operator action")?;
    change(caller, state, id, wanted).await
}

/// The action that a document wants.
pub(super) fn action(
    state: &State,
    caller: &Caller,
    document: &Document,
    by: &str,
) -> Result<Change, Refusal> {
    let word = document.required("action")?;
    let Ok(action) = word.parse::<Action>();
    // The plugin of this name lets nobody choose how long.
    let timeout = document.seconds("timeout")?.filter(|_| !state.alerta.runs("timeout"));
    Ok(Change::Act(Act {
        action,
        text: document.text("text")?.unwrap_or_else(|| format!("{word} {by}")),
        timeout,
        user: caller.name.clone(),
        id: wire::new_id(),
    }))
}

async fn tag(
    caller: Caller,
    Shared(state): Shared<State>,
    InPath(id): InPath<String>,
    document: Document,
) -> Result<Response, Refusal> {
    caller.require("write:alerts")?;
    change(caller, state, id, Change::Tag(tags(&document)?)).await
}

async fn untag(
    caller: Caller,
    Shared(state): Shared<State>,
    InPath(id): InPath<String>,
    document: Document,
) -> Result<Response, Refusal> {
    caller.require("write:alerts")?;
    change(caller, state, id, Change::Untag(tags(&document)?)).await
}

/// The tags that a document names.
pub(super) fn tags(document: &Document) -> Result<Vec<String>, Refusal> {
    match document.words("tags")? {
        Some(tags) if !tags.is_empty() => Ok(tags),
        _ => Err(Refusal::invalid("must supply `tags` as a list of texts that is not empty")),
    }
}

async fn set_attributes(
    caller: Caller,
    Shared(state): Shared<State>,
    InPath(id): InPath<String>,
    document: Document,
) -> Result<Response, Refusal> {
    caller.require("write:alerts")?;
    change(caller, state, id, attributes(&document)?).await
}

/// The attributes that a document names; a null takes one away.
pub(super) fn attributes(document: &Document) -> Result<Change, Refusal> {
    match document.attributes("attributes")? {
        Some(attributes) if !attributes.is_empty() => Ok(Change::Attributes(attributes)),
        _ => Err(Refusal::invalid("must supply `attributes` as an object that is not empty")),
    }
}
