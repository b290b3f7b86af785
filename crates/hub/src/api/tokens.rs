//! Keys and tokens: list, make, revoke. A secret is shown once, when it is made.

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use bergfried_control::{TokenInfo, TokenKind, TokenLimits};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::Admin;
use crate::error::{ApiError, ErrorBody, blocking};
use crate::intake::Sent;
use crate::request::{Body, InPath};
use crate::router::State;
use crate::running::now;

/// A token to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    /// `agent`, `admin` or `watchtower`
    kind: String,
    /// Whose it is, 1 to 100 characters
    name: String,
    /// What an agent's token may send at most: `max_events_per_second`, `max_bytes_per_second`
    /// (decompressed) and `max_body` (bytes, decompressed), each absent or at least 1
    #[serde(default)]
    #[schema(value_type = Option<serde_json::Value>)]
    limits: TokenLimits,
}

/// A token, and what its bearer does.
#[derive(Serialize, ToSchema)]
pub(crate) struct ListedToken {
    #[serde(flatten)]
    #[schema(value_type = serde_json::Value)]
    info: TokenInfo,
    /// Since the hub's start: requests, events and bytes taken, and requests refused by its limits
    #[schema(value_type = serde_json::Value)]
    sent: Sent,
}

/// A token just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeToken {
    #[serde(flatten)]
    #[schema(value_type = serde_json::Value)]
    info: TokenInfo,
    /// The secret; it is not kept and cannot be shown again
    secret: String,
}

/// List keys and tokens
#[utoipa::path(get, path = "/api/v1/tokens", tag = "tokens",
    responses((status = 200, description = "All but the secrets", body = Vec<ListedToken>)))]
pub(crate) async fn list(
    _admin: Admin,
    Shared(state): Shared<State>,
) -> Result<Json<Vec<ListedToken>>, ApiError> {
    blocking(move || {
        let tokens = state.control.list_tokens()?;
        let meter = &state.door.meter;
        Ok(Json(
            tokens
                .into_iter()
                .map(|info| ListedToken { sent: meter.sent(info.id), info })
                .collect(),
        ))
    })
    .await
}

/// Make a key or token
#[utoipa::path(post, path = "/api/v1/tokens", tag = "tokens", request_body = NewToken,
    responses((status = 201, description = "The token with its secret", body = MadeToken),
        (status = 400, description = "An unknown kind or a bad name", body = ErrorBody)))]
pub(crate) async fn create(
    Admin(by): Admin,
    Shared(state): Shared<State>,
    Body(new): Body<NewToken>,
) -> Result<(StatusCode, Json<MadeToken>), ApiError> {
    let kind = match new.kind.as_str() {
        "agent" => TokenKind::Agent,
        "admin" => TokenKind::Admin,
        "watchtower" => TokenKind::Watchtower,
        _ => return Err(ApiError::invalid("`kind` must be agent, admin or watchtower")),
    };
    if !(1..=100).contains(&new.name.chars().count()) {
        return Err(ApiError::invalid("`name` must have 1 to 100 characters"));
    }
    if kind != TokenKind::Agent && !new.limits.is_empty() {
        return Err(ApiError::invalid("`limits` are for agent tokens only"));
    }
    blocking(move || {
        let now = now();
        let (info, secret) =
            state.control.create_limited_token(kind, &new.name, new.limits, now)?;
        let detail = format!("{kind} token {} ({})", info.id, new.name);
        state.control.append_audit(&by.name, "token.create", &detail, now)?;
        let made = MadeToken { info, secret: secret.expose().to_owned() };
        Ok((StatusCode::CREATED, Json(made)))
    })
    .await
}

/// Revoke a key or token
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "tokens",
    params(("id" = u64, Path, description = "The token's id")),
    responses((status = 204, description = "It is dead from now on"),
        (status = 404, description = "There is no live one of this id", body = ErrorBody),
        (status = 409, description = "It is the key of this very request", body = ErrorBody)))]
pub(crate) async fn revoke(
    Admin(by): Admin,
    Shared(state): Shared<State>,
    InPath(id): InPath<u64>,
) -> Result<StatusCode, ApiError> {
    if id == by.id {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "this is the key that you are using, revoke it with another one",
        ));
    }
    blocking(move || {
        if !state.control.revoke_token(id, now())? {
            return Err(ApiError::not_found(format!("there is no live token {id}")));
        }
        state.control.append_audit(&by.name, "token.revoke", &format!("token {id}"), now())?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
