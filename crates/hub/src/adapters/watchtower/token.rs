//! `POST /admin/rotate-token`: a new agent token, the old one dead at once; and the health check.

use axum::Json;
use axum::extract::State as Shared;
use axum::http::HeaderMap;
use bergfried_control::TokenKind;
use serde_json::{Value, json};

use super::detail::Detail;
use super::require_admin;
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
        let (_, secret) = state.control.replace_tokens(TokenKind::Watchtower, "rotated", now)?;
        state.control.append_audit("watchtower admin", "token.rotate", "watchtower", now)?;
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
