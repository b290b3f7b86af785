//! Every route on one screen.

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts as _, RawQuery, Request, State as Shared};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, patch, post, put};
use bergfried_alerting::Alerting;
use bergfried_collect::InputsView;
use bergfried_control::Control;
use bergfried_output::Outputs;
use bergfried_pipeline::{Hosts, Pipeline};
use bergfried_store::Reader;

use crate::adapters::alerta::Base;
use crate::adapters::{alerta, elastic, falco, heimdall, otlp, raw, watchtower};
use crate::api::turn::Searches;
use crate::auth::{Sessions, Setup};
use crate::chains::LiveChains;
use crate::error::ApiError;
use crate::intake::{Door, Ids, MAX_BODY as MAX_INTAKE};
use crate::rules::LiveRules;
use crate::storage::Storekeeper;
use crate::telling::LiveTelling;
use crate::{api, page, request};

/// What handlers work with. Every request clones it several times, so it is one pointer.
#[derive(Clone)]
pub(crate) struct State(Arc<HubParts>);

impl State {
    pub(crate) fn new(parts: HubParts) -> State {
        State(Arc::new(parts))
    }
}

impl Deref for State {
    type Target = HubParts;

    fn deref(&self) -> &HubParts {
        &self.0
    }
}

/// The parts of the hub that handlers work with.
pub(crate) struct HubParts {
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) alerting: Alerting,
    /// Which hosts there are, and whether they speak.
    pub(crate) hosts: Arc<Hosts>,
    pub(crate) outputs: Arc<Outputs>,
    pub(crate) reader: Reader,
    /// Looks after what is stored.
    pub(crate) storage: Arc<Storekeeper>,
    pub(crate) control: Arc<Control>,
    pub(crate) rules: Arc<LiveRules>,
    pub(crate) chains: Arc<LiveChains>,
    /// Channels and routes.
    pub(crate) telling: Arc<LiveTelling>,
    pub(crate) inputs: InputsView,
    /// The turns of those who search.
    pub(crate) searches: Searches,
    /// What hosts are given that are to be connected.
    pub(crate) installer: api::install::Installer,
    /// What the console's first page showed last.
    pub(crate) overview: api::overview::Overview,
    /// A permit for each export that may be written at once.
    pub(crate) exports: Arc<tokio::sync::Semaphore>,
    /// A permit for each stream that may be open at once.
    pub(crate) streams: Arc<tokio::sync::Semaphore>,
    /// A permit for the one preview of an exception that may run.
    pub(crate) previews: Arc<tokio::sync::Semaphore>,
    /// The channel that is told of every Watchtower login.
    pub(crate) logins_to: Option<Arc<str>>,
    pub(crate) repeats: Arc<watchtower::Repeats>,
    pub(crate) heimdall: Arc<heimdall::Heimdall>,
    pub(crate) door: Arc<Door>,
    pub(crate) document_ids: Arc<Ids>,
    /// The certificate of the HTTP listener.
    pub(crate) tls: Option<Arc<bergfried_tls::ServerSide>>,
    pub(crate) alerta: Arc<alerta::AlertaSettings>,
    pub(crate) bulk_tasks: Arc<alerta::Tasks>,
    /// How much senders of alerts send.
    pub(crate) alerta_rate: Arc<alerta::Rate>,
    /// What Alerta's API did since the start.
    pub(crate) alerta_counts: Arc<alerta::Counts>,
    /// What an administrator switched off in it.
    pub(crate) alerta_switches: Arc<alerta::Switches>,
    /// A permit for each list of alerts that may be made at once.
    pub(crate) scans: Arc<tokio::sync::Semaphore>,
    /// Who is signed in to the console.
    pub(crate) sessions: Arc<Sessions>,
    /// The way in of the first administrator.
    pub(crate) setup: Arc<Setup>,
    /// The console's address, as the owner set it.
    pub(crate) console_url: Option<String>,
    /// Who may use Alerta's API.
    pub(crate) gate: Arc<alerta::Gate>,
    pub(crate) started: bergfried_event::Timestamp,
    /// Ends when the hub stops, so that streams end too.
    pub(crate) stopping: tokio::sync::watch::Receiver<bool>,
}

/// The largest body of any request that brings no records, in bytes.
const MAX_BODY: usize = 1 << 20;

pub(crate) fn router(state: State) -> Router {
    let intake = DefaultBodyLimit::max(MAX_INTAKE);
    let no_such_path =
        || async { ApiError::not_found("there is nothing at this path, see /api/v1/openapi.json") };
    let native = Router::new()
        .route("/batches", post(api::batches::receive).layer(intake))
        // PUT is what `curl -T FILE` sends.
        .route("/raw", post(raw::receive).put(raw::receive).layer(intake))
        .route("/search", get(api::search::search))
        .route("/histogram", get(api::search::histogram))
        .route("/top", get(api::search::top))
        .route("/tail", get(api::tail::tail))
        .route("/query", get(api::query::query))
        .route("/search/explain", get(api::query::explain))
        .route("/search/complete", get(api::complete::complete))
        .route("/search/fields", get(api::facets::fields))
        .route("/search/export", get(api::export::export))
        .route("/entities/{kind}/{value}", get(api::entities::entity))
        .route("/entities/{kind}/{value}/story", get(api::entities::story))
        .route("/searches", get(api::searches::list).post(api::searches::create))
        .route("/searches/{id}", put(api::searches::change).delete(api::searches::delete))
        .route("/alerts", get(api::alerts::list))
        .route("/alerts/table", get(api::alerts::table::table))
        .route("/alerts/counts", get(api::alerts::table::counts))
        .route("/alerts/bulk", post(api::alerts::bulk::act))
        .route("/alerts/{id}", get(api::alerts::show))
        .route("/heartbeats", get(api::heartbeats::list).post(api::heartbeats::send))
        .route("/heartbeats/{id}", delete(api::heartbeats::delete))
        .route("/blackouts", get(api::blackouts::list).post(api::blackouts::create))
        .route("/blackouts/preview", post(api::blackouts::preview))
        .route("/blackouts/{id}", delete(api::blackouts::delete))
        .route("/alerts/{id}/ack", post(api::alerts::act::ack))
        .route("/alerts/{id}/unack", post(api::alerts::act::unack))
        .route("/alerts/{id}/shelve", post(api::alerts::act::shelve))
        .route("/alerts/{id}/unshelve", post(api::alerts::act::unshelve))
        .route("/alerts/{id}/open", post(api::alerts::act::open))
        .route("/alerts/{id}/close", post(api::alerts::act::close))
        .route("/alerts/{id}/assign", post(api::alerts::act::assign))
        .route("/alerts/{id}/note", post(api::alerts::act::note))
        .route("/alerts/{id}/events", get(api::alerts::events::events))
        .route("/alerts/{id}/similar", get(api::alerts::similar::similar))
        .route("/stream", get(api::stream::stream))
        .route("/exceptions", get(api::exceptions::list).post(api::exceptions::create))
        .route("/exceptions/preview", post(api::exceptions::try_out))
        .route("/exceptions/{id}", get(api::exceptions::show).delete(api::exceptions::delete))
        .route("/rules", get(api::rules::list))
        .route("/rules/stats", get(api::rules::stats))
        .route("/rules/sources", get(api::rules::sources))
        .route("/rules/reload", post(api::rules::reload))
        .route("/rules/coverage", get(api::rules::coverage::coverage))
        .route("/rules/check", post(api::rules::own::check))
        .route("/rules/{id}", get(api::rules::show))
        .route("/rules/{id}/source", put(api::rules::own::save).delete(api::rules::own::delete))
        .route("/rules/{id}/state", post(api::rules::own::switch))
        .route("/backtest", post(api::backtest::run))
        .route("/chains", get(api::chains::list))
        .route("/chains/reload", post(api::chains::reload))
        .route("/health", get(api::health::health))
        .route("/status", get(api::status::status))
        .route("/agents", get(api::status::agents))
        .route("/hosts", get(api::hosts::list))
        .route("/hosts/{name}", get(api::hosts::show).delete(api::hosts::delete))
        .route("/report", get(api::report::report))
        .route("/inputs", get(api::inputs::list))
        .route("/tokens", get(api::tokens::list).post(api::tokens::create))
        .route("/tokens/{id}", delete(api::tokens::revoke))
        .route("/tokens/{id}/rotate", post(api::tokens::rotate))
        .route(
            "/session",
            get(api::session::show).post(api::session::sign_in).delete(api::session::sign_out),
        )
        .route("/session/password", post(api::session::change_password))
        .route("/sessions", get(api::session::list))
        .route("/sessions/{id}", delete(api::session::end))
        .route("/setup", post(api::session::set_up))
        .route("/users", get(api::users::list).post(api::users::create))
        .route("/users/{name}", patch(api::users::change).delete(api::users::delete))
        .route("/audit", get(api::audit::list))
        .route("/settings", get(api::settings::show))
        .route("/notify", get(api::notify::list))
        .route("/notify/dead", get(api::notify::dead))
        .route("/notify/dead/{id}/resend", post(api::notify::resend))
        .route("/notify/route", post(api::notify::route))
        .route("/notify/{name}/test", post(api::notify::test))
        .route("/outputs", get(api::outputs::list))
        .route("/overview", get(api::overview::overview))
        .route("/storage", get(api::storage::show))
        .route("/storage/verify", post(api::storage::verify))
        .route("/storage/compact", post(api::storage::compact))
        .route("/openapi.json", get(api::serve_openapi))
        // Alerta's API, around it, says it in another way.
        .fallback(no_such_path);
    let alerta = match state.alerta.prefix.as_deref() {
        Some("") => {
            let first = from_fn_with_state(state.clone(), heimdall::heartbeats_first);
            let at_root = alerta::under("", &state.alerta).route_layer(first);
            alerta::under("/api", &state.alerta).merge(at_root)
        }
        Some(prefix) => {
            alerta::under("/api", &state.alerta).merge(alerta::under(prefix, &state.alerta))
        }
        None => alerta::under("/api", &state.alerta),
    };
    let alerta_has_prefix = state.alerta.prefix.as_deref() != Some("");
    let elastic = match alerta_has_prefix {
        true => elastic::routes(elastic::no_such_path),
        false => elastic::routes(alerta::no_such_path),
    };
    let whole = Router::new()
        .route("/", get(front))
        .route("/events", get(events))
        .route("/install.sh", get(api::install::script))
        .route("/install/bergfried", get(api::install::program))
        .route("/alerts/{id}", get(page::alert))
        .route("/ui", get(page::index))
        .route("/ui/", get(page::index))
        .route("/ui/{*path}", get(page::file))
        .nest("/api/v1", native)
        .route("/v1/logs", post(otlp::receive).layer(intake))
        .route("/falco", post(falco::receive).layer(intake))
        .merge(watchtower::routes())
        .merge(heimdall::routes(alerta_has_prefix))
        .merge(elastic)
        .merge(alerta);
    // What is at no path at all is said in the way of the API that stands at the root.
    let whole = match alerta_has_prefix {
        true => whole.fallback(no_such_path).method_not_allowed_fallback(|| async {
            ApiError::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "this path does not take that method, see /api/v1/openapi.json",
            )
        }),
        false => alerta::ending(whole),
    };
    whole.layer(DefaultBodyLimit::max(MAX_BODY)).layer(from_fn(request::observe)).with_state(state)
}

/// `GET /events` is both Watchtower's and Heimdall's.
async fn events(shared: Shared<State>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    match heimdall::owns_events(&shared.0, &parts).await {
        Ok(true) => heimdall::events(shared, &mut parts).await.into_response(),
        Ok(false) => {
            let query = RawQuery(parts.uri.query().map(str::to_owned));
            watchtower::events(shared, parts.headers, query).await.into_response()
        }
        Err(error) => error.into_response(),
    }
}

/// `/` belongs to browsers; a client of another product is known by its headers, and whoever is none
/// is told that the hub is well, as Heimdall tells it.
async fn front(shared: Shared<State>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    if heimdall::asks(&parts.headers) {
        return heimdall::front().await.into_response();
    }
    if elastic::asks(&parts.headers) {
        return match elastic::Caller::from_request_parts(&mut parts, &shared.0).await {
            Ok(caller) => elastic::root(caller, shared).await,
            Err(refused) => refused,
        };
    }
    let accepted = parts.headers.get(header::ACCEPT).map_or(&b""[..], HeaderValue::as_bytes);
    if accepted.windows(b"text/html".len()).any(|word| word == b"text/html") {
        return page::front().await;
    }
    if shared.0.alerta.prefix.as_deref() == Some("") {
        return match Base::from_request_parts(&mut parts, &shared.0).await {
            Ok(base) => alerta::front(base).await,
            Err(never) => match never {},
        };
    }
    heimdall::front().await.into_response()
}
