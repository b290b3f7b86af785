//! Heartbeats: senders say that they are alive, and people see who is.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State as Shared};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bergfried_alert::{Alert, Heartbeat, Pulse, Settings};
use bergfried_control::AuditChange;
use bergfried_event::Timestamp;
use serde_json::{Value, json};

use super::caller::Caller;
use super::document::Document;
use super::error::Refusal;
use super::request::{Base, Parameters};
use super::resource::record;
use super::{reply, shadow, wire};
use crate::router::State;

pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/heartbeat", post(create))
        .route("/heartbeat/{id}", get(show).delete(delete))
        .route("/heartbeats", get(list))
}

async fn create(
    caller: Caller,
    base: Base,
    Shared(state): Shared<State>,
    document: Document,
) -> Result<Response, Refusal> {
    caller.require("write:heartbeats")?;
    let now = state.alerting.now();
    let settings = state.alerting.settings();
    let mut heartbeat = read(&document, settings, now)?;
    heartbeat.customer = caller.customer_of_new(heartbeat.customer)?;
    let kept = state.alerting.heartbeat(heartbeat).await?;
    let body = of(&kept, settings, now, &base);
    let location = [(header::LOCATION, base.href(&format!("/heartbeat/{}", kept.id)))];
    let fields = [("id", json!(kept.id)), ("heartbeat", body)];
    Ok((location, reply::with_status(StatusCode::CREATED, fields)).into_response())
}

async fn show(
    caller: Caller,
    base: Base,
    Shared(state): Shared<State>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    caller.require("read:heartbeats")?;
    let heartbeat = find(&state, &caller, &id)?;
    let body = of(&heartbeat, state.alerting.settings(), state.alerting.now(), &base);
    Ok(reply::ok([("heartbeat", body), ("total", json!(1))]))
}

async fn delete(
    caller: Caller,
    Shared(state): Shared<State>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    caller.require("write:heartbeats")?;
    let known = find(&state, &caller, &id)?;
    if !state.alerting.delete_heartbeat(&id).await? {
        return Err(Refusal::not_found());
    }
    let gone = AuditChange::deleted(&known);
    record(&state, &caller, "alerta.heartbeat.delete", &id, gone).await?;
    Ok(reply::ok([]))
}

async fn list(
    caller: Caller,
    base: Base,
    Shared(state): Shared<State>,
    parameters: Parameters,
) -> Result<Response, Refusal> {
    caller.require("read:heartbeats")?;
    let (settings, now) = (state.alerting.settings(), state.alerting.now());
    let pulses = shadow::states(&parameters, &Pulse::ALL, Pulse::name)?;
    let mut heartbeats: Vec<_> = state.alerting.read().heartbeats().cloned().collect();
    heartbeats.retain(|one| pulses.is_empty() || pulses.contains(&one.pulse(settings, now)));
    let body = |heartbeat: &Arc<Heartbeat>| of(heartbeat, settings, now, &base);
    let list = shadow::List { items: &heartbeats, name: "heartbeats", shadow: seen, body };
    list.page(&caller, settings, now, parameters)
}

/// A heartbeat of the callers' customers.
fn find(state: &State, caller: &Caller, id: &str) -> Result<Arc<Heartbeat>, Refusal> {
    let found = state.alerting.read().heartbeat(id).cloned();
    found.filter(|one| caller.sees(one.customer.as_deref())).ok_or_else(Refusal::not_found)
}

/// What a sender says of itself.
pub(super) fn read(
    document: &Document,
    settings: &Settings,
    now: Timestamp,
) -> Result<Heartbeat, Refusal> {
    let customer = document.name("customer")?;
    if customer.as_deref() == Some("") {
        return Err(Refusal::field("customer", "a text that is not empty"));
    }
    let origin = document.name("origin")?.filter(|origin| !origin.is_empty());
    Ok(Heartbeat {
        id: wire::new_id(),
        origin: origin.unwrap_or_else(|| wire::origin().to_owned()),
        tags: document.words("tags")?.unwrap_or_default(),
        attributes: document.attributes("attributes")?.unwrap_or_default(),
        create_time: document.date("createTime")?.unwrap_or(now),
        receive_time: now,
        timeout: document.seconds("timeout")?.unwrap_or(settings.heartbeat_timeout),
        customer,
    })
}

/// A heartbeat as JSON.
pub(super) fn of(heartbeat: &Heartbeat, settings: &Settings, now: Timestamp, base: &Base) -> Value {
    json!({
        "attributes": heartbeat.attributes,
        "createTime": wire::date(heartbeat.create_time),
        "customer": heartbeat.customer,
        "href": base.href(&format!("/heartbeat/{}", heartbeat.id)),
        "id": heartbeat.id,
        "latency": heartbeat.latency(),
        "maxLatency": settings.heartbeat_max_latency,
        "origin": heartbeat.origin,
        "receiveTime": wire::date(heartbeat.receive_time),
        "since": heartbeat.since(now),
        "status": heartbeat.pulse(settings, now).name(),
        "tags": heartbeat.tags,
        "timeout": heartbeat.timeout,
        "type": "Heartbeat",
    })
}

/// What of a heartbeat an alert has too.
fn seen(heartbeat: &Arc<Heartbeat>) -> Alert {
    let text = |name| match heartbeat.attributes.get(name) {
        Some(Value::String(text)) => text.clone(),
        _ => String::new(),
    };
    Alert {
        environment: text("environment"),
        severity: text("severity"),
        group: text("group"),
        resource: heartbeat.origin.clone(),
        origin: heartbeat.origin.clone(),
        tags: heartbeat.tags.clone(),
        attributes: heartbeat.attributes.clone(),
        kind: "Heartbeat".to_owned(),
        create_time: heartbeat.create_time,
        timeout: heartbeat.timeout,
        customer: heartbeat.customer.clone(),
        ..shadow::blank(&heartbeat.id, heartbeat.receive_time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(fields: Value) -> Document {
        Document::read(fields.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn what_is_sent_is_shown_with_what_follows_from_it() {
        let settings = Settings::default();
        let now = "2026-11-21T10:00:02.500Z".parse().unwrap();
        let sent = document(json!({
            "origin": "backup/web1", "tags": ["nightly"], "attributes": {"environment": "Production"},
            "timeout": 60, "createTime": "2026-11-21T10:00:00.000Z", "customer": "acme",
            "type": "Heartbeat", "unknown": 1,
        }));
        let heartbeat = read(&sent, &settings, now).unwrap();
        let base = Base::at("http://hub/api");
        let later = now.plus_micros(61 * Timestamp::SECOND);
        for (at, since, status) in [(now, 0, "slow"), (later, 61, "expired")] {
            assert_eq!(
                of(&heartbeat, &settings, at, &base),
                json!({
                    "attributes": {"environment": "Production"},
                    "createTime": "2026-11-21T10:00:00.000Z", "customer": "acme",
                    "href": format!("http://hub/api/heartbeat/{}", heartbeat.id),
                    "id": heartbeat.id, "latency": 2500, "maxLatency": 2000,
                    "origin": "backup/web1", "receiveTime": "2026-11-21T10:00:02.500Z",
                    "since": since, "status": status, "tags": ["nightly"], "timeout": 60,
                    "type": "Heartbeat",
                })
            );
        }
    }

    #[test]
    fn what_is_absent_has_its_default_and_mistakes_are_named() {
        let settings = Settings::default();
        let now = Timestamp::from_seconds(1_800_000_000);
        let heartbeat = read(&document(json!({})), &settings, now).unwrap();
        assert_eq!((heartbeat.timeout, heartbeat.latency()), (86_400, 0));
        assert!(heartbeat.origin.contains('/'), "{}", heartbeat.origin);
        for (fields, part) in [
            (json!({"origin": 1}), "`origin` must be"),
            (json!({"tags": "a"}), "`tags` must be a list"),
            (json!({"attributes": []}), "`attributes` must be an object"),
            (json!({"timeout": "60"}), "`timeout` must be an integer"),
            (json!({"createTime": "now"}), "dates must be ISO 8601"),
            (json!({"customer": ""}), "`customer` must be"),
        ] {
            let refusal = read(&document(fields.clone()), &settings, now).unwrap_err();
            assert!(refusal.message().contains(part), "{fields}: {}", refusal.message());
        }
    }
}
