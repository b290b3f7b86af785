//! Heimdall's protocol (version 2), at the root of the hub, for its agents and its dashboard.
//!
//! An event that is sent becomes a record of kind [`SourceKind::Heimdall`] with the document's bytes
//! as they came, so that it is parsed, stored and judged by the rules like any other. What is read is
//! every event that has Heimdall's words ([`bergfried_heimdall::stamp`]), whoever sent it.
//!
//! [`SourceKind::Heimdall`]: bergfried_event::SourceKind::Heimdall

mod events;
mod forgotten;
mod front;
mod hosts;
mod ingest;
mod key;
mod metrics;
mod settings;
mod status;
mod time;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State as Shared};
use axum::handler::Handler;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::{delete, get, post};
use bergfried_control::{Control, ControlError, TokenKind};
use serde::de::DeserializeOwned;

use crate::adapters::detail::Detail;
use crate::adapters::watchtower;
use crate::error::{ApiError, blocking};
use crate::intake::MAX_BODY;
use crate::router::State;
pub(crate) use events::events;
pub(crate) use forgotten::Forgotten;
pub(crate) use front::front;
pub(crate) use ingest::Known;
use key::API_KEY;
pub(crate) use settings::Settings;

/// Every route but `/` and `GET /events`, which other products claim too, and `POST /heartbeat`, which
/// is Alerta's where its API has no prefix.
pub(crate) fn routes(alerta_has_prefix: bool) -> Router<State> {
    let routes = match alerta_has_prefix {
        true => Router::new().route("/heartbeat", post(hosts::heartbeat)),
        false => Router::new(),
    };
    routes
        .route("/health", get(front::health))
        .route("/ingest", post(ingest::ingest).layer(DefaultBodyLimit::max(MAX_BODY)))
        .route("/metrics", get(metrics::metrics))
        .route("/hosts/{host}", delete(forgotten::delete))
        .merge(hosts::routes())
        .merge(settings::routes())
        .merge(status::routes())
        .method_not_allowed_fallback(|| async { Detail::no_such_method() })
}

/// Takes Heimdall's heartbeats out of what is otherwise Alerta's: they name the host in a header.
pub(crate) async fn heartbeats_first(
    Shared(state): Shared<State>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let is_ours = asks(headers) || headers.contains_key("source-host");
    if is_ours && request.method() == Method::POST && request.uri().path() == "/heartbeat" {
        return Handler::call(hosts::heartbeat, request, state).await;
    }
    next.run(request).await
}

/// The path of records that came over this protocol, `log.file.path` of their events.
pub(crate) const PATH: &str = "heimdall";

/// Whether a request for a path that another product claims too is one of Heimdall's: it brings the
/// header in which Heimdall's clients present their key.
pub(crate) fn asks(headers: &HeaderMap) -> bool {
    headers.contains_key(API_KEY)
}

/// Whether a request for `/events` is one of Heimdall's and not one of Watchtower's.
///
/// The header of the key decides. A request without one gets a refusal from either; whose it is, its
/// parameters say, or that this hub has keys for Heimdall and none for Watchtower.
pub(crate) async fn owns_events(state: &State, parts: &Parts) -> Result<bool, ApiError> {
    if asks(&parts.headers) || parts.headers.contains_key(watchtower::ADMIN_KEY) {
        return Ok(asks(&parts.headers));
    }
    if events::names_own(parts.uri.query().unwrap_or_default()) {
        return Ok(true);
    }
    let control = state.control.clone();
    blocking(move || {
        let has = |kind| control.has_token(kind);
        Ok(has(TokenKind::Heimdall)? && !has(TokenKind::Watchtower)?)
    })
    .await
}

/// What an earlier process kept in the control store under this name; what cannot be read is as if it
/// had not been, and said.
///
/// # Errors
/// Where the control store cannot be read.
fn kept<T: DeserializeOwned + Default>(control: &Control, name: &str) -> Result<T, ControlError> {
    let Some(text) = control.setting(name)? else { return Ok(T::default()) };
    Ok(serde_json::from_str(&text).unwrap_or_else(|error| {
        tracing::error!(%error, name, "cannot read what was set over Heimdall's protocol");
        T::default()
    }))
}

/// What the hub keeps for Heimdall's clients.
pub(crate) struct Heimdall {
    /// What was set over `/alert-config`.
    pub(crate) settings: Settings,
    /// The hosts that were deleted.
    forgotten: Forgotten,
    /// The ids of events that were sent.
    known: Known,
}

impl Heimdall {
    pub(crate) fn new(settings: Settings, forgotten: Forgotten, known: Known) -> Heimdall {
        Heimdall { settings, forgotten, known }
    }
}
