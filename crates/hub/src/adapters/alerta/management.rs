//! How the API is: whether it is ready, what it counts, what it was set to; and its front door.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State as Shared;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use bergfried_alert::Heartbeat;
use serde_json::{Value, json};

use super::caller::Caller;
use super::error::Refusal;
use super::request::{Base, Parameters};
use super::{find, reply};
use crate::error::blocking;
use crate::router::State;
use crate::running::now;

/// What is at the front door, as a list and as a page.
const LINKS: &[(&str, &str)] = &[
    ("alerts", "/alerts"),
    ("environments", "/environments"),
    ("services", "/services"),
    ("blackouts", "/blackouts"),
    ("heartbeats", "/heartbeats"),
    ("keys", "/keys"),
    ("users", "/users"),
    ("groups", "/groups"),
    ("permissions", "/perms"),
    ("customers", "/customers"),
    ("config", "/config"),
    ("management", "/management"),
];

const PAGE: &str = "<!DOCTYPE html><title>management</title><h1>management</h1><ul>\
    <li><a href=\"management/manifest\">manifest</a>\
    <li><a href=\"management/properties\">properties</a>\
    <li><a href=\"management/gtg\">good to go</a>\
    <li><a href=\"management/healthcheck\">healthcheck</a>\
    <li><a href=\"management/status\">status</a>\
    <li><a href=\"management/metrics\">metrics</a>\
    <li><a href=\"management/switchboard\">switchboard</a></ul>";

pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/_", get(|| async { "OK" }))
        .route("/management", get(|| async { Html(PAGE) }))
        .route("/management/gtg", get(|| async { "OK" }))
        .route("/management/healthcheck", get(healthcheck))
        .route("/management/housekeeping", get(housekeeping).post(housekeeping))
        .route("/management/manifest", get(manifest))
        .route("/management/status", get(status))
        .route("/management/metrics", get(metrics))
        .route("/management/properties", get(properties))
}

/// What there is, for who asks at the root of the API.
pub(crate) async fn front(base: Base) -> Response {
    let links = LINKS.iter().map(|(rel, path)| json!({"href": base.href(path), "rel": rel}));
    reply::ok([
        ("links", links.collect()),
        ("name", json!("Bergfried, as Alerta's clients see it")),
    ])
}

/// 503 where something that should be heard of has not been for four times its time.
async fn healthcheck(Shared(state): Shared<State>) -> Response {
    let now = state.alerting.now();
    let book = state.alerting.read();
    let is_stale = |beat: &&Arc<Heartbeat>| {
        beat.timeout > 0 && beat.since(now) > u64::from(beat.timeout).saturating_mul(4)
    };
    match book.heartbeats().find(is_stale) {
        None => "OK".into_response(),
        // Who asks says not who they are, so that it names no sender of a customer's.
        Some(beat) if beat.customer.is_none() => {
            let text = format!("HEARTBEAT_STALE: {}", beat.origin.escape_debug());
            (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
        }
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "HEARTBEAT_STALE").into_response(),
    }
}

/// Does now what the hub does by itself in time; `expired` and `info` are hours.
async fn housekeeping(
    caller: Caller,
    Shared(state): Shared<State>,
    parameters: Parameters,
) -> Result<Response, Refusal> {
    caller.require("admin:management")?;
    // It is done to everyone's alerts.
    caller.require_every_customer()?;
    let hours = |name: &str| match parameters.last(name) {
        None | Some("") => Ok(None),
        Some(text) => match text.parse::<u32>() {
            Ok(hours) => Ok(Some(hours.saturating_mul(3_600))),
            Err(_) => Err(Refusal::field(name, "a whole number of hours, 0 or more")),
        },
    };
    let done = state.alerting.housekeeping(hours("expired")?, hours("info")?).await?;
    let count = done.expired.len() + done.unshelved.len() + done.unacked.len();
    Ok(reply::ok([
        ("count", json!(count)),
        ("deleted", json!(done.deleted)),
        ("expired", json!(done.expired)),
        ("unack", json!(done.unacked)),
        ("unshelve", json!(done.unshelved)),
    ]))
}

async fn manifest(caller: Caller) -> Result<Response, Refusal> {
    caller.require("read:management")?;
    let version = env!("CARGO_PKG_VERSION");
    Ok(axum::Json(BTreeMap::from([
        ("build", json!(version)),
        ("date", Value::Null),
        ("release", json!(version)),
        ("revision", Value::Null),
    ]))
    .into_response())
}

/// Something counted or measured.
struct Metric {
    group: &'static str,
    name: String,
    title: &'static str,
    reading: Reading,
}

enum Reading {
    Gauge(u64),
    /// It only grows.
    Counter(u64),
    /// How often, and how many milliseconds together.
    Timer(u64, u64),
}

impl Metric {
    fn json(&self) -> Value {
        let mut fields = json!({
            "description": self.title,
            "group": self.group,
            "name": self.name,
            "title": self.title,
        });
        let more = match self.reading {
            Reading::Gauge(value) => vec![("type", json!("gauge")), ("value", json!(value))],
            Reading::Counter(count) => vec![("type", json!("counter")), ("count", json!(count))],
            Reading::Timer(count, millis) => vec![
                ("type", json!("timer")),
                // The `alerta` command divides by it.
                ("count", json!(count.max(1))),
                ("totalTime", json!(millis)),
            ],
        };
        if let Value::Object(fields) = &mut fields {
            fields.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
        }
        fields
    }

    /// In the text format of Prometheus.
    fn text(&self) -> String {
        let name = format!("alerta_{}_{}", self.group, self.name).replace(['.', '-'], "_");
        let title = self.title;
        let (kind, values) = match self.reading {
            Reading::Gauge(value) => ("gauge", format!("{name} {value}\n")),
            Reading::Counter(count) => ("counter", format!("{name} {count}\n")),
            Reading::Timer(count, millis) => {
                ("summary", format!("{name}_count {count}\n{name}_sum {millis}\n"))
            }
        };
        format!("# HELP {name} {title}\n# TYPE {name} {kind}\n{values}")
    }
}

/// What the caller may know: of all alerts, or how many things of their customers there are.
async fn gathered(state: &State, caller: &Caller) -> Result<Vec<Metric>, Refusal> {
    let directory = state.gate.accounts.now();
    let gauge = |group, name: &str, title, value: usize| Metric {
        group,
        name: name.to_owned(),
        title,
        reading: Reading::Gauge(value.try_into().unwrap_or(u64::MAX)),
    };
    let own = caller.clone();
    let (alerts, beats, blackouts) = find::scan(state, move |state| {
        let book = state.alerting.read();
        let alerts = match own.customers {
            None => book.len(),
            Some(_) => book.iter().filter(|alert| own.sees(alert.customer.as_deref())).count(),
        };
        let beats = book.heartbeats().filter(|beat| own.sees(beat.customer.as_deref()));
        let blackouts = book.blackouts().filter(|one| own.sees(one.customer.as_deref()));
        Ok((alerts, beats.count(), blackouts.count()))
    })
    .await?;
    let mut metrics = vec![
        gauge("alerts", "total", "Alerts", alerts),
        gauge("heartbeats", "total", "Heartbeats", beats),
        gauge("blackouts", "total", "Blackouts", blackouts),
    ];
    if caller.customers.is_some() {
        return Ok(metrics);
    }
    let counter = |group, title, name: String, value| Metric {
        group,
        name,
        title,
        reading: Reading::Counter(value),
    };
    let failed = state.gate.passwords.failed();
    metrics.extend([
        gauge("accounts", "users", "Users", directory.users.len()),
        gauge("accounts", "keys", "Keys of the API", directory.keys.len()),
        counter("auth", "Wrong passwords since the start", "failed".to_owned(), failed),
    ]);
    let timer = |name: &str, title, count, millis| Metric {
        group: "alerts",
        name: name.to_owned(),
        title,
        reading: Reading::Timer(count, millis),
    };
    let timers =
        state.alerta_counts.timers().map(|(name, title, timer)| (name, title, timer.read()));
    let (mut received, mut time) = (0, 0);
    for (_, _, (count, millis)) in timers.iter().filter(|(name, ..)| *name != "queries") {
        received += count;
        time += millis;
    }
    metrics.push(timer("received", "Alerts that were kept", received, time));
    metrics.extend(timers.map(|(name, title, (count, millis))| timer(name, title, count, millis)));
    let counters = state.alerta_counts.counters();
    metrics.extend(
        counters.map(|(name, title, value)| counter("alerts", title, name.to_owned(), value)),
    );
    let hub = state.clone();
    let (counted, dropped) = blocking(move || {
        Ok((serde_json::to_value(hub.pipeline.counters()), hub.control.counters()?))
    })
    .await?;
    if let Ok(Value::Object(counted)) = counted {
        let numbers = counted.into_iter().filter_map(|(name, value)| Some((name, value.as_u64()?)));
        let title = "Counted by the pipeline since the start";
        metrics.extend(numbers.map(|(name, value)| counter("pipeline", title, name, value)));
    }
    let title = "Dropped at a cap since the data directory was made";
    metrics.extend(dropped.into_iter().map(|(name, value)| counter("dropped", title, name, value)));
    Ok(metrics)
}

async fn status(caller: Caller, Shared(state): Shared<State>) -> Result<Response, Refusal> {
    caller.require("read:management")?;
    let metrics = gathered(&state, &caller).await?;
    let at = now();
    Ok(axum::Json(BTreeMap::from([
        ("application", json!("bergfried")),
        ("metrics", metrics.iter().map(Metric::json).collect()),
        ("time", json!(at.micros() / 1_000)),
        ("uptime", json!(at.since(state.started) / 1_000)),
        ("version", json!(env!("CARGO_PKG_VERSION"))),
    ]))
    .into_response())
}

async fn metrics(caller: Caller, Shared(state): Shared<State>) -> Result<Response, Refusal> {
    caller.require("read:management")?;
    let text: String = gathered(&state, &caller).await?.iter().map(Metric::text).collect();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

/// The settings by name; no secret is among them.
async fn properties(caller: Caller, Shared(state): Shared<State>) -> Result<Response, Refusal> {
    caller.require("admin:management")?;
    let text: String =
        state.alerta.shown().iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    Ok(text.into_response())
}
