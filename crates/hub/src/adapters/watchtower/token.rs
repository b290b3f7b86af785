//! `POST /admin/rotate-token`: a new agent token, the old one dead at once; and the health check.

use axum::Json;
use axum::extract::State as Shared;
use axum::http::HeaderMap;
use bergfried_control::{AuditChange, NewAudit, TokenInfo, TokenKind};
use serde_json::{Value, json};

use super::require_admin;
use crate::adapters::detail::Detail;
use crate::error::{ApiError, blocking};
use crate::router::State;
use crate::running::now;

/// Set once a rotation has happened: from then on only rotated tokens may report logins.
const ROTATED: &str = "watchtower.rotated";

pub(super) async fn rotate(
    Shared(state): Shared<State>,
    headers: HeaderMap,
) -> Result<Json<Value>, Detail> {
    require_admin(&state, &headers).await?;
    let rotated = blocking(move || {
        let now = now();
        // First, so that a stop in between leaves no old token alive.
        state.control.set_setting(ROTATED, "true")?;
        let is_live =
            |token: &TokenInfo| token.kind == TokenKind::Watchtower && token.revoked.is_none();
        let mut before = state.control.list_tokens()?;
        before.retain(is_live);
        let (after, secret) =
            state.control.replace_tokens(TokenKind::Watchtower, "rotated", now)?;
        let done = NewAudit {
            who: "watchtower admin".to_owned(),
            action: "token.rotate".to_owned(),
            target: "watchtower".to_owned(),
            change: AuditChange::between(&json!({"tokens": before}), &json!({"tokens": [after]}))?,
        };
        state.control.append_audits(&[done], now)?;
        Ok(json!({"new_token": secret.expose(), "created_at": now}))
    });
    Ok(Json(rotated.await?))
}

pub(super) async fn has_rotated(state: &State) -> Result<bool, ApiError> {
    let control = state.control.clone();
    blocking(move || Ok(control.setting(ROTATED)?.is_some())).await
}

pub(super) async fn healthz() -> Json<Value> {
    Json(json!({"status": "ok"}))
}
