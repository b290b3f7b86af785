//! Every route on one screen.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts as _, Request, State as Shared};
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::response::Response;
use axum::routing::{delete, get, post};
use bergfried_collect::InputsView;
use bergfried_control::Control;
use bergfried_notify::Channel;
use bergfried_output::Outputs;
use bergfried_pipeline::Pipeline;
use bergfried_store::Reader;

use crate::adapters::{elastic, otlp, raw, watchtower};
use crate::chains::LiveChains;
use crate::error::ApiError;
use crate::intake::{Door, MAX_BODY as MAX_INTAKE};
use crate::rules::LiveRules;
use crate::{api, page, request};

/// What handlers work with; cheap to clone.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) outputs: Arc<Outputs>,
    pub(crate) reader: Reader,
    pub(crate) control: Arc<Control>,
    pub(crate) rules: Arc<LiveRules>,
    pub(crate) chains: Arc<LiveChains>,
    pub(crate) channels: Arc<Vec<Channel>>,
    pub(crate) inputs: InputsView,
    /// A permit for each search that may run at once.
    pub(crate) searches: Arc<tokio::sync::Semaphore>,
    /// The channel that is told of every Watchtower login.
    pub(crate) logins_to: Option<Arc<str>>,
    pub(crate) repeats: Arc<watchtower::Repeats>,
    pub(crate) door: Arc<Door>,
    pub(crate) document_ids: Arc<elastic::Ids>,
    /// The certificate of the HTTP listener.
    pub(crate) tls: Option<Arc<bergfried_tls::ServerSide>>,
    pub(crate) started: bergfried_event::Timestamp,
    /// Ends when the hub stops, so that streams end too.
    pub(crate) stopping: tokio::sync::watch::Receiver<bool>,
}

/// The largest body of any request that brings no records, in bytes.
const MAX_BODY: usize = 1 << 20;

pub(crate) fn router(state: State) -> Router {
    let intake = DefaultBodyLimit::max(MAX_INTAKE);
    let native = Router::new()
        .route("/batches", post(api::batches::receive).layer(intake))
        // PUT is what `curl -T FILE` sends.
        .route("/raw", post(raw::receive).put(raw::receive).layer(intake))
        .route("/search", get(api::search::search))
        .route("/histogram", get(api::search::histogram))
        .route("/top", get(api::search::top))
        .route("/tail", get(api::tail::tail))
        .route("/alerts", get(api::alerts::list))
        .route("/alerts/{id}", get(api::alerts::show))
        .route("/alerts/{id}/close", post(api::alerts::close))
        .route("/rules", get(api::rules::list))
        .route("/rules/stats", get(api::rules::stats))
        .route("/rules/sources", get(api::rules::sources))
        .route("/rules/reload", post(api::rules::reload))
        .route("/rules/{id}", get(api::rules::show))
        .route("/chains", get(api::chains::list))
        .route("/chains/reload", post(api::chains::reload))
        .route("/health", get(api::health::health))
        .route("/status", get(api::status::status))
        .route("/agents", get(api::status::agents))
        .route("/inputs", get(api::inputs::list))
        .route("/tokens", get(api::tokens::list).post(api::tokens::create))
        .route("/tokens/{id}", delete(api::tokens::revoke))
        .route("/notify", get(api::notify::list))
        .route("/notify/{name}/test", post(api::notify::test))
        .route("/notify/dead/{id}/resend", post(api::notify::resend))
        .route("/outputs", get(api::outputs::list))
        .route("/openapi.json", get(api::serve_openapi));
    Router::new()
        .route("/", get(front))
        .route("/alerts/{id}", get(page::index))
        .route("/console.js", get(page::script))
        .route("/console.css", get(page::style))
        .nest("/api/v1", native)
        .route("/v1/logs", post(otlp::receive).layer(intake))
        .merge(watchtower::routes())
        .merge(elastic::routes())
        .fallback(|| async {
            ApiError::not_found("there is nothing at this path, see /api/v1/openapi.json")
        })
        .method_not_allowed_fallback(|| async {
            ApiError::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "this path does not take that method, see /api/v1/openapi.json",
            )
        })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn(request::observe))
        .with_state(state)
}

/// `/` belongs to browsers; a client of another product is known by its headers.
async fn front(shared: Shared<State>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    if !elastic::asks(&parts.headers) {
        return page::index().await;
    }
    match elastic::Caller::from_request_parts(&mut parts, &shared.0).await {
        Ok(caller) => elastic::root(caller, shared).await,
        Err(refused) => refused,
    }
}
