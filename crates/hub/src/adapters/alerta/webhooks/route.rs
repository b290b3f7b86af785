//! `/webhooks/{name}`: what a product says is received as alerts, or done to those that are there.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use bergfried_alert::{Act, Action, Alert, Incoming, Status};
use bergfried_alerting::Change;
use serde_json::{Value, json};

use super::super::alerts::{self, Judged, Sender};
use super::super::caller::Caller;
use super::super::document::Document;
use super::super::error::Refusal;
use super::super::request::{Base, InPath, Parameters};
use super::super::{find, reply, wire};
use super::call::{Asked, Call, MAX_ALERTS, Over, Wanted, What};
use super::hook;
use crate::router::State;

/// What a button may do to an alert.
const ACTIONS: &[&str] = &["open", "assign", "ack", "unack", "shelve", "unshelve", "close"];

pub(in super::super) fn routes() -> Router<State> {
    Router::new()
        .route("/webhooks/{name}", get(take).post(take))
        // Some products add a path of their own to the address that they are given.
        .route("/webhooks/{name}/{*path}", get(take).post(take))
}

#[expect(clippy::too_many_arguments, reason = "each is an extractor")]
async fn take(
    caller: Caller,
    base: Base,
    Shared(state): Shared<State>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    InPath(path): InPath<Vec<(String, String)>>,
    Parameters(parameters): Parameters,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    caller.require("write:webhooks")?;
    let name = path.first().map_or("", |(_, name)| name);
    let (name, hook) = hook(name).ok_or_else(Refusal::not_found)?;
    let body = body.map_err(|rejection| {
        Refusal::new(rejection.status(), rejection.body_text().to_lowercase())
    })?;
    let call = Call {
        body: &body,
        headers: &headers,
        parameters: &parameters,
        settings: state.alerting.settings(),
        slack_signing_secret: state.alerta.slack_signing_secret.as_ref(),
        now: state.alerting.now(),
    };
    let sender = Sender { state: &state, caller: &caller, base: &base, headers: &headers, peer };
    match hook(&call)? {
        Asked::Alerts(documents) => {
            // Every one is judged before the first is received, so that a bad one keeps all out.
            let judged = documents.iter().map(|document| read(&sender, document));
            receive(&sender, judged.collect::<Result<_, _>>()?, documents.len() == 1).await
        }
        Asked::Over(over) => {
            let found = over_now(&state, &caller, over).await?;
            let judged = found.into_iter().map(|said| sender.judge(&Document::default(), said));
            receive(&sender, judged.collect::<Result<_, _>>()?, false).await
        }
        Asked::Changes { wanted, answer } => change(&state, &caller, wanted, answer).await,
        Asked::Nothing(said) => {
            tracing::info!(webhook = name, said = %said.escape_debug(), "a webhook asks for nothing");
            Ok(reply::ok([("message", json!(said))]))
        }
    }
}

/// Products do not shorten what they say, so it is cut where a client's alert would be refused.
fn read(sender: &Sender<'_>, document: &Document) -> Result<Judged, Refusal> {
    let alerting = &sender.state.alerting;
    let mut incoming = wire::incoming(document, alerting.settings(), alerting.now())?;
    incoming.cut();
    sender.judge(document, incoming)
}

/// Answers as `POST /alert` does where the product says one thing, and with the ids of all otherwise.
async fn receive(
    sender: &Sender<'_>,
    judged: Vec<Judged>,
    is_one: bool,
) -> Result<Response, Refusal> {
    let taken = all(judged.into_iter().map(|judged| judged.receive(sender.state))).await;
    // What fails fails for all, and what a product sends again is a duplicate.
    let taken: Vec<_> = taken.into_iter().collect::<Result<_, _>>()?;
    match taken.as_slice() {
        [taken] if is_one => Ok(taken.answer(sender.base)),
        taken => {
            let ids: Vec<_> = taken.iter().filter_map(|taken| taken.id()).collect();
            Ok(reply::with_status(StatusCode::CREATED, [("ids", json!(ids))]))
        }
    }
}

/// Begins all of these in their order and waits for them together: the writer of alerts makes one
/// transaction of what waits for it.
async fn all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut pending: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    let mut waiting = pin!(poll_fn(|context| {
        let mut is_done = true;
        for (future, output) in pending.iter_mut().filter(|(_, output)| output.is_none()) {
            match future.as_mut().poll(context) {
                Poll::Ready(ready) => *output = Some(ready),
                Poll::Pending => is_done = false,
            }
        }
        if is_done { Poll::Ready(()) } else { Poll::Pending }
    }));
    waiting.as_mut().await;
    pending.into_iter().filter_map(|(_, output)| output).collect()
}

/// The alerts of the caller that a product says are over, each said again as normal.
async fn over_now(state: &State, caller: &Caller, over: Over) -> Result<Vec<Incoming>, Refusal> {
    let caller = caller.clone();
    find::scan(state, move |state| {
        let (book, now) = (state.alerting.read(), state.alerting.now());
        let model = &state.alerting.settings().model;
        let stands = |alert: &&std::sync::Arc<Alert>| {
            over.is_of(alert)
                && !model.is_normal(&alert.severity)
                && caller.sees(alert.customer.as_deref())
        };
        let found = book.iter().filter(stands).take(MAX_ALERTS);
        let said = found.map(|alert| Incoming {
            id: wire::new_id(),
            environment: alert.environment.clone(),
            resource: alert.resource.clone(),
            event: alert.event.clone(),
            severity: model.normal.clone(),
            correlate: Vec::new(),
            status: Status::Open,
            service: alert.service.clone(),
            group: alert.group.clone(),
            value: alert.value.clone(),
            text: over.text.clone(),
            tags: Vec::new(),
            attributes: std::collections::BTreeMap::new(),
            origin: alert.origin.clone(),
            kind: alert.kind.clone(),
            create_time: now,
            timeout: alert.timeout,
            raw_data: None,
            customer: alert.customer.clone(),
            evidence: None,
        });
        let mut said: Vec<_> = said.collect();
        said.iter_mut().for_each(Incoming::cut);
        Ok(said)
    })
    .await
}

/// Changes alerts that the caller sees. Where several are to be changed, those that are not there or
/// cannot be changed so are passed over, unless that is all of them.
async fn change(
    state: &State,
    caller: &Caller,
    wanted: Vec<Wanted>,
    answer: Vec<(&'static str, Value)>,
) -> Result<Response, Refusal> {
    let wanted = wanted.into_iter().map(|one| Ok((one.id.clone(), to_change(state, caller, one)?)));
    let wanted: Vec<(String, Change)> = wanted.collect::<Result<_, Refusal>>()?;
    let mut changed = Vec::new();
    let mut refused = None;
    for (id, change) in wanted {
        match find::changed(state, caller, &id, change).await {
            Ok(alert) => changed.push(alert),
            Err(refusal) if refusal.status().is_server_error() => return Err(refusal),
            Err(refusal) => refused = refused.or(Some(refusal)),
        }
    }
    let Some(last) = changed.last() else {
        return Err(refused.unwrap_or_else(Refusal::not_found));
    };
    let mut fields = answer;
    fields.push(("id", json!(last.id)));
    fields.push(("text", json!(format!("{} is {}", last.event, last.status))));
    if changed.len() > 1 {
        let ids: Vec<_> = changed.iter().map(|alert| alert.id.as_str()).collect();
        fields.push(("ids", json!(ids)));
    }
    Ok(reply::of_fields(fields))
}

fn to_change(state: &State, caller: &Caller, wanted: Wanted) -> Result<Change, Refusal> {
    let Wanted { what, text, user, .. } = wanted;
    let user = user.or_else(|| caller.name.clone());
    match what {
        What::Action(word) if ACTIONS.contains(&word.as_str()) => {
            let Ok(action) = word.parse::<Action>();
            Ok(Change::Act(Act { action, text, timeout: None, user, id: wire::new_id() }))
        }
        What::Action(_) => {
            Err(Refusal::invalid(format!("an action must be one of {}", ACTIONS.join(", "))))
        }
        What::Status(word) => {
            let fields = [("status", json!(word)), ("text", json!(text))];
            let fields = fields.map(|(name, value)| (name.to_owned(), value));
            let document = Document(fields.into_iter().collect());
            let mut change = alerts::status_change(state, caller, &document, "")?;
            if let Change::Status(status) = &mut change {
                status.user = user;
            }
            Ok(change)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_are_begun_in_order_and_answered_in_order() {
        let begun = std::sync::Mutex::new(Vec::new());
        let begun = &begun;
        let futures = (0..5_u64).map(|number| async move {
            begun.lock().unwrap().push(number);
            for _ in number..5 {
                tokio::task::yield_now().await;
            }
            number
        });
        assert_eq!(all(futures).await, [0, 1, 2, 3, 4]);
        assert_eq!(*begun.lock().unwrap(), [0, 1, 2, 3, 4]);
        assert!(all(std::iter::empty::<std::future::Ready<()>>()).await.is_empty());
    }
}
