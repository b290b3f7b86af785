//! The Watchtower collector's protocol (version 1.1), at the root of the hub.
//!
//! A login that is reported becomes a record of kind [`SourceKind::Watchtower`], so that it is
//! parsed, stored and judged by the rules like any other.
//!
//! [`SourceKind::Watchtower`]: bergfried_event::SourceKind::Watchtower

mod events;
mod login;
mod notice;
mod repeats;
mod token;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::{get, post};
use bergfried_control::TokenKind;

use crate::adapters::detail::Detail;
use crate::auth::check;
use crate::router::State;
pub(crate) use events::events;
pub(crate) use repeats::Repeats;

/// The header of the administrator's key.
pub(crate) const ADMIN_KEY: &str = "x-admin-api-key";

/// Every route but `GET /events`, which another product claims too.
pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/login", post(login::login))
        .route("/admin/rotate-token", post(token::rotate))
        .route("/healthz", get(token::healthz))
}

/// Lets pass whoever presents an admin key in `X-Admin-Api-Key`.
async fn require_admin(state: &State, headers: &HeaderMap) -> Result<(), Detail> {
    let presented = header(headers, ADMIN_KEY);
    match check(state, TokenKind::Admin, presented).await? {
        Some(_) => Ok(()),
        None => Err(Detail::unauthorized("Invalid admin key")),
    }
}

fn header(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}
