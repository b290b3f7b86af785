//! Notification channels: what waits, what was given up, a test.

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use bergfried_control::{ChannelBacklog, DeadLetter};
use bergfried_event::nearest;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Admin;
use crate::error::{ApiError, ErrorBody, blocking};
use crate::request::InPath;
use crate::router::State;
use crate::running::now;

const MAX_DEAD_LISTED: usize = 100;

/// The channels and their queues.
#[derive(Serialize, ToSchema)]
pub(crate) struct Queues {
    channels: Vec<ChannelBody>,
    /// What waits or was given up, for each channel
    #[schema(value_type = Vec<serde_json::Value>)]
    backlog: Vec<ChannelBacklog>,
    /// The last notifications that were given up, at most 100
    #[schema(value_type = Vec<serde_json::Value>)]
    dead_letters: Vec<DeadLetter>,
}

/// A configured channel.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChannelBody {
    name: String,
    /// The least severity that it is told of
    min_severity: String,
}

/// List channels, queues and dead letters
#[utoipa::path(get, path = "/api/v1/notify", tag = "notify",
    responses((status = 200, description = "Channels and queues", body = Queues)))]
pub(crate) async fn list(
    _admin: Admin,
    Shared(state): Shared<State>,
) -> Result<Json<Queues>, ApiError> {
    blocking(move || {
        let channels = state.channels.iter().map(|channel| ChannelBody {
            name: channel.name().to_owned(),
            min_severity: channel.min_severity().to_string(),
        });
        Ok(Json(Queues {
            channels: channels.collect(),
            backlog: state.control.outbox_backlog()?,
            dead_letters: state.control.dead_letters(MAX_DEAD_LISTED)?,
        }))
    })
    .await
}

/// Send a test message over a channel
#[utoipa::path(post, path = "/api/v1/notify/{name}/test", tag = "notify",
    params(("name" = String, Path, description = "The channel's name")),
    responses((status = 200, description = "It was delivered", body = serde_json::Value),
        (status = 404, description = "No such channel", body = ErrorBody),
        (status = 502, description = "The channel did not take it, and why", body = ErrorBody)))]
pub(crate) async fn test(
    _admin: Admin,
    Shared(state): Shared<State>,
    InPath(name): InPath<String>,
) -> Result<Json<serde_json::Value>, ApiError> {
    blocking(move || {
        let Some(channel) = state.channels.iter().find(|channel| channel.name() == name) else {
            let names = || state.channels.iter().map(bergfried_notify::Channel::name);
            let hint = match nearest(&name, names()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None if state.channels.is_empty() => "none is configured".to_owned(),
                None => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
            };
            let name = name.escape_debug();
            return Err(ApiError::not_found(format!("there is no channel `{name}`: {hint}")));
        };
        let client = bergfried_notify::Client::new();
        client.send(channel, &channel.test_message(now())).map_err(|error| {
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
    _admin: Admin,
    Shared(state): Shared<State>,
    InPath(id): InPath<u64>,
) -> Result<StatusCode, ApiError> {
    blocking(move || {
        if state.control.resend_dead(id, now())? {
            Ok(StatusCode::ACCEPTED)
        } else {
            Err(ApiError::not_found(format!("there is no dead letter {id}")))
        }
    })
    .await
}
