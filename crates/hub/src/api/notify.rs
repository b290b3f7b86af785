//! Notification channels: what waits, what was given up, a test, and which route an alert would take.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use bergfried_control::{AuditChange, Backlog, GivenUp, NewAudit};
use bergfried_event::nearest;
use bergfried_notify::routing::{Described, Explained, Occasion, View};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::auth::{Operator, Viewer};
use crate::error::{ApiError, ErrorBody, blocking};
use crate::request::InPath;
use crate::router::State;
use crate::running::now;

const MAX_DEAD_LISTED: usize = 100;
/// The most fields of an alert that somebody thinks up.
const MAX_FIELDS: usize = 64;

/// The channels, the routes and what waits.
#[derive(Serialize, ToSchema)]
pub(crate) struct Queues {
    channels: Vec<ChannelBody>,
    /// The names of the routes in the order in which they are asked
    routes: Vec<String>,
    /// The same routes with what each asks and agrees
    #[schema(value_type = Vec<serde_json::Value>)]
    routing: Vec<Described>,
    /// What waits or was given up, for each channel
    #[schema(value_type = Vec<serde_json::Value>)]
    backlog: Vec<Backlog>,
    /// The last notifications that were given up, at most 100
    #[schema(value_type = Vec<serde_json::Value>)]
    dead_letters: Vec<GivenUp>,
    /// What was counted since the start: messages that were delivered and the letters that these were,
    /// attempts that are made again, letters that were given up or held back by an hourly limit
    counts: BTreeMap<&'static str, u64>,
    /// What was lost at which bound since the data directory was made
    lost: BTreeMap<String, u64>,
    /// Why the configuration was not taken when it was read last
    failed_reload: Option<String>,
}

/// A configured channel.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChannelBody {
    name: String,
    /// `slack`, `webhook` …
    kind: String,
    /// The least severity that it is told of, where a route says none
    min_severity: String,
}

/// List channels, routes, queues and dead letters
#[utoipa::path(get, path = "/api/v1/notify", tag = "notify",
    responses((status = 200, description = "Channels, routes and queues", body = Queues)))]
pub(crate) async fn list(
    _viewer: Viewer,
    Shared(state): Shared<State>,
) -> Result<Json<Queues>, ApiError> {
    blocking(move || {
        let telling = &state.telling;
        let channels = telling.channels();
        let channels = channels.iter().map(|channel| ChannelBody {
            name: channel.name().to_owned(),
            kind: format!("{:?}", channel.kind()).to_lowercase(),
            min_severity: channel.min_severity().to_string(),
        });
        let counts = telling.deliveries().counts();
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let mut lost = state.control.counters()?;
        lost.retain(|name, _| name.starts_with("outbox.") || name.starts_with("telling."));
        Ok(Json(Queues {
            channels: channels.collect(),
            routing: telling.teller().routing().described(),
            routes: telling.teller().routing().names().map(ToOwned::to_owned).collect(),
            backlog: state.control.letters_waiting()?,
            dead_letters: state.control.letters_given_up(MAX_DEAD_LISTED)?,
            counts: BTreeMap::from([
                ("delivered", count(&counts.delivered)),
                ("letters", count(&counts.letters)),
                ("retried", count(&counts.retried)),
                ("dead", count(&counts.dead)),
                ("held", count(&counts.held)),
            ]),
            lost,
            failed_reload: telling.failed().map(|failure| failure.told),
        }))
    })
    .await
}

/// List dead letters
#[utoipa::path(get, path = "/api/v1/notify/dead", tag = "notify",
    responses((status = 200, description = "The last dead letters, newest first, at most 1000",
        body = Vec<serde_json::Value>)))]
pub(crate) async fn dead(
    _operator: Operator,
    Shared(state): Shared<State>,
) -> Result<Json<Vec<GivenUp>>, ApiError> {
    blocking(move || Ok(Json(state.control.letters_given_up(usize::MAX)?))).await
}

/// Send a test message over a channel
#[utoipa::path(post, path = "/api/v1/notify/{name}/test", tag = "notify",
    params(("name" = String, Path, description = "The channel's name")),
    responses((status = 200, description = "It was delivered", body = serde_json::Value),
        (status = 404, description = "No such channel", body = ErrorBody),
        (status = 502, description = "The channel did not take it, and why", body = ErrorBody)))]
pub(crate) async fn test(
    Operator(by): Operator,
    Shared(state): Shared<State>,
    InPath(name): InPath<String>,
) -> Result<Json<serde_json::Value>, ApiError> {
    blocking(move || {
        let channels = state.telling.channels();
        let Some(channel) = channels.iter().find(|channel| channel.name() == name) else {
            let names = || channels.iter().map(bergfried_notify::Channel::name);
            let hint = match nearest(&name, names()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None if channels.is_empty() => "none is configured".to_owned(),
                None => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
            };
            let name = name.escape_debug();
            return Err(ApiError::not_found(format!("there is no channel `{name}`: {hint}")));
        };
        let client = bergfried_notify::Client::new();
        let sent = client.send(channel, &channel.test_message(now()), None, now());
        let problem = sent.as_ref().err().map(ToString::to_string);
        let outcome = json!({"delivered": sent.is_ok(), "problem": problem});
        let done = NewAudit {
            who: by.name,
            action: "channel.test".to_owned(),
            target: name.clone(),
            change: AuditChange::created(&outcome)?,
        };
        state.control.append_audits(&[done], now())?;
        sent.map_err(|error| {
            ApiError::new(StatusCode::BAD_GATEWAY, format!("cannot deliver over `{name}`: {error}"))
        })?;
        Ok(Json(serde_json::json!({"status": "delivered", "channel": name})))
    })
    .await
}

/// Send a dead letter again
#[utoipa::path(post, path = "/api/v1/notify/dead/{id}/resend", tag = "notify",
    params(("id" = u64, Path, description = "The dead letter's id")),
    responses((status = 202, description = "It is due now"),
        (status = 404, description = "There is no dead letter of this id", body = ErrorBody)))]
pub(crate) async fn resend(
    Operator(by): Operator,
    Shared(state): Shared<State>,
    InPath(id): InPath<u64>,
) -> Result<StatusCode, ApiError> {
    blocking(move || {
        let now = now();
        let Some(given_up) = state.control.resend_letter(id, now)? else {
            return Err(ApiError::not_found(format!("there is no dead letter {id}")));
        };
        let GivenUp { channel, route, alert_id, created, attempts, error, .. } = given_up;
        let before = json!({
            "channel": channel, "route": route, "alert_id": alert_id, "created": created,
            "attempts": attempts, "error": error,
        });
        let after = json!({
            "channel": channel, "route": route, "alert_id": alert_id, "created": now,
            "attempts": 0, "error": null,
        });
        let done = NewAudit {
            who: by.name,
            action: "letter.resend".to_owned(),
            target: id.to_string(),
            change: AuditChange::between(&before, &after)?,
        };
        state.control.append_audits(&[done], now)?;
        state.telling.deliveries().ring();
        Ok(StatusCode::ACCEPTED)
    })
    .await
}

/// The alert that a dry run is about.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// The id of an alert that there is, or the beginning of it
    alert: Option<String>,
    /// Names and values, as a route would ask for them: `[["severity", "critical"], ["service", "sshd"]]`
    #[serde(default)]
    fields: Vec<(String, String)>,
}

/// Which routes an alert would take.
#[derive(Serialize, ToSchema)]
pub(crate) struct RouteBody {
    /// What each route makes of it, in their order
    #[schema(value_type = Vec<serde_json::Value>)]
    routes: Vec<Explained>,
}

/// Say which routes an alert would take now, and why; nobody is told
#[utoipa::path(post, path = "/api/v1/notify/route", tag = "notify", request_body = Wanted,
    responses((status = 200, description = "What each route makes of it", body = RouteBody),
        (status = 400, description = "No alert has such a field", body = ErrorBody),
        (status = 404, description = "There is no such alert", body = ErrorBody)))]
pub(crate) async fn route(
    _viewer: Viewer,
    Shared(state): Shared<State>,
    Json(wanted): Json<Wanted>,
) -> Result<Json<RouteBody>, ApiError> {
    if wanted.fields.len() > MAX_FIELDS {
        return Err(ApiError::invalid(format!("there are more than {MAX_FIELDS} fields")));
    }
    let teller = state.telling.teller();
    let view = match &wanted.alert {
        Some(id) => {
            let found = state.alerting.read().get(id).cloned();
            let unknown =
                || ApiError::not_found(format!("there is no alert `{}`", id.escape_debug()));
            View::of(teller.model(), &*found.ok_or_else(unknown)?, Occasion::New)
        }
        None => View::imagined(teller.model(), &wanted.fields, now()).map_err(ApiError::invalid)?,
    };
    Ok(Json(RouteBody { routes: teller.routing().explain(&view, now()) }))
}

/// What wants a person's attention, each in one sentence.
pub(crate) fn problems(state: &State) -> Vec<String> {
    let failed = state.telling.failed().map(|failure| {
        format!(
            "the change of the channels and routes at {} was not taken, those of before stay: {}",
            failure.at, failure.told
        )
    });
    failed.into_iter().collect()
}
