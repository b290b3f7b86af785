//! Keys and tokens: list, make, rotate, revoke. A secret is shown once, when it is made.

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use bergfried_control::{AuditChange, NewAudit, TokenInfo, TokenKind, TokenLimits};
use bergfried_event::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::auth::{Admin, Person};
use crate::error::{ApiError, ErrorBody, blocking};
use crate::intake::Sent;
use crate::request::{Body, InPath};
use crate::router::State;
use crate::running::now;

/// A token to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    /// `agent`, `hub`, `admin` or `watchtower`
    kind: String,
    /// Whose it is, 1 to 100 characters
    name: String,
    /// What an agent's or a hub's token may send at most: `max_events_per_second`, `max_bytes_per_second`
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
        "hub" => TokenKind::Hub,
        "admin" => TokenKind::Admin,
        "watchtower" => TokenKind::Watchtower,
        "heimdall" => TokenKind::Heimdall,
        _ => {
            let kinds = "`kind` must be agent, hub, admin, watchtower or heimdall";
            return Err(ApiError::invalid(kinds));
        }
    };
    if !(1..=100).contains(&new.name.chars().count()) {
        return Err(ApiError::invalid("`name` must have 1 to 100 characters"));
    }
    let sends = matches!(kind, TokenKind::Agent | TokenKind::Hub | TokenKind::Heimdall);
    if !sends && !new.limits.is_empty() {
        return Err(ApiError::invalid("`limits` are for agent, hub and heimdall tokens only"));
    }
    blocking(move || {
        let now = now();
        let (info, secret) =
            state.control.create_limited_token(kind, &new.name, new.limits, now)?;
        audit(&state, by, "token.create", &info, AuditChange::created(&info)?, now)?;
        let made = MadeToken { info, secret: secret.expose().to_owned() };
        Ok((StatusCode::CREATED, Json(made)))
    })
    .await
}

/// Rotate a key or token
///
/// The old secret is dead at once; the new one stands for a token of the same kind, name and limits.
#[utoipa::path(post, path = "/api/v1/tokens/{id}/rotate", tag = "tokens",
    params(("id" = u64, Path, description = "The token's id")),
    responses((status = 201, description = "The new token with its secret", body = MadeToken),
        (status = 404, description = "There is no live one of this id", body = ErrorBody)))]
pub(crate) async fn rotate(
    Admin(by): Admin,
    Shared(state): Shared<State>,
    InPath(id): InPath<u64>,
) -> Result<(StatusCode, Json<MadeToken>), ApiError> {
    blocking(move || {
        let now = now();
        let Some((info, secret)) = state.control.rotate_token(id, now)? else {
            return Err(ApiError::not_found(format!("there is no live token {id}")));
        };
        let change = AuditChange::between(&json!({"id": id}), &json!({"id": info.id}))?;
        audit(&state, by, "token.rotate", &info, change, now)?;
        let made = MadeToken { info, secret: secret.expose().to_owned() };
        Ok((StatusCode::CREATED, Json(made)))
    })
    .await
}

fn audit(
    state: &State,
    by: Person,
    action: &str,
    token: &TokenInfo,
    change: AuditChange,
    now: Timestamp,
) -> Result<(), ApiError> {
    let target = format!("{} token {} ({})", token.kind, token.id, token.name);
    let done = NewAudit { who: by.name, action: action.to_owned(), target, change };
    Ok(state.control.append_audits(&[done], now)?)
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
    if by.key == Some(id) {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "this is the key that you are using, revoke it with another one",
        ));
    }
    blocking(move || {
        let none = || ApiError::not_found(format!("there is no live token {id}"));
        let live = state.control.list_tokens()?;
        let live = live.into_iter().find(|token| token.id == id && token.revoked.is_none());
        let token = live.ok_or_else(none)?;
        let now = now();
        if !state.control.revoke_token(id, now)? {
            return Err(none());
        }
        audit(&state, by, "token.revoke", &token, AuditChange::deleted(&token)?, now)?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
