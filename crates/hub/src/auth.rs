//! Who may: extractors that let a handler run only for a bearer of the right secret.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use bergfried_control::{TokenInfo, TokenKind};

use crate::error::{ApiError, blocking};
use crate::router::State;

/// The bearer of an admin key.
pub(crate) struct Admin(pub(crate) TokenInfo);

/// The bearer of an agent token.
pub(crate) struct Agent;

impl FromRequestParts<State> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        let presented = presented(&parts.headers).ok_or_else(|| {
            ApiError::unauthorized("no key: send `Authorization: Bearer <admin key>`")
        })?;
        match check(state, TokenKind::Admin, presented).await? {
            Some(token) => Ok(Admin(token)),
            None => Err(ApiError::unauthorized("wrong key: this needs an admin key")),
        }
    }
}

impl FromRequestParts<State> for Agent {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        let presented = presented(&parts.headers).ok_or_else(|| {
            ApiError::unauthorized("no token: send `Authorization: Bearer <agent token>`")
        })?;
        match check(state, TokenKind::Agent, presented).await? {
            Some(_) => Ok(Agent),
            None => Err(ApiError::unauthorized("wrong token: this needs an agent token")),
        }
    }
}

/// The secret of `Authorization: Bearer` (RFC 6750, section 2.1), or of `X-API-Key`.
fn presented(headers: &HeaderMap) -> Option<String> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, secret)| secret.trim());
    let key = || headers.get("x-api-key").and_then(|value| value.to_str().ok());
    bearer.or_else(key).map(str::to_owned)
}

/// The live token of this kind that was presented, if any.
pub(crate) async fn check(
    state: &State,
    kind: TokenKind,
    presented: String,
) -> Result<Option<TokenInfo>, ApiError> {
    let control = state.control.clone();
    blocking(move || Ok(control.check_token(kind, &presented, crate::running::now())?)).await
}
