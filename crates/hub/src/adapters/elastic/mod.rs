//! Elasticsearch's document API, as far as shippers use it: Beats, Logstash, Fluent Bit, Fluentd,
//! Vector, rsyslog, syslog-ng and the language clients send with it.
//!
//! A document becomes a record of JSON with its bytes as they were sent; its index is kept in
//! `labels.index`, and in `data_stream.*` where it is a data stream's name. What such clients ask
//! before they send is answered so that they go on. Nothing can be searched through it.
//!
//! The same body again is a retry where it comes soon and over another connection, and is stored
//! once; see the module `intake::repeats`. A document that is created again under the same id is
//! answered with 409, as long as the id is among the newest 65,536; `index` stores it again.

mod answer;
mod bulk;
mod filter;
mod probe;
mod store;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts};
use axum::handler::Handler;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{any, get, head, post, put};

use crate::auth::Agent;
use crate::error::ApiError;
use crate::intake::MAX_BODY;
use crate::router::State;
use answer::{PRODUCT, Wish, text};

/// How many ids of documents that were created are remembered at least. They are forgotten when the
/// hub stops: a log is added to, and nothing looks an event up by the id that its sender gave it.
pub(crate) const REMEMBERED: usize = 65_536;

/// Every route; `no_such` answers what else is asked of a name at the root, where clients have indices.
pub(crate) fn routes<T: 'static>(no_such: impl Handler<T, State>) -> Router<State> {
    Router::new()
        .route("/_bulk", post(store::many).put(store::many))
        .route("/{index}/_bulk", post(store::many).put(store::many))
        // Clients of versions before 8 name a type.
        .route("/{index}/_doc/_bulk", post(store::many).put(store::many))
        .route("/{index}/{type}/_bulk", post(store::many_of_type).put(store::many_of_type))
        .route("/{index}/_doc", post(store::one))
        .route("/{index}/_doc/{id}", put(store::put).post(store::put))
        .route("/{index}/_create/{id}", put(store::create).post(store::create))
        .route("/_license", get(probe::license))
        .route("/_xpack", get(probe::license))
        .route("/_cluster/health", get(probe::health))
        .route("/_cluster/health/{*index}", get(probe::health))
        .route("/_nodes", get(probe::nodes))
        .route("/_nodes/{*what}", get(probe::nodes))
        .route("/_cat/{*what}", get(probe::cat))
        .route("/_template/{*name}", any(probe::set_up))
        .route("/_index_template/{*name}", any(probe::set_up))
        .route("/_component_template/{*name}", any(probe::set_up))
        .route("/_ilm/policy/{*name}", any(probe::set_up))
        .route("/_data_stream/{*name}", any(probe::set_up))
        .route("/_alias/{*name}", any(probe::set_up))
        .route("/_ingest/pipeline/{*name}", any(probe::set_up))
        .route("/_refresh", post(probe::refresh).get(probe::refresh))
        .route("/{index}/_refresh", post(probe::refresh).get(probe::refresh))
        .route("/{index}", head(probe::set_up).put(probe::set_up).fallback(no_such))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(map_response(marked))
}

/// Nothing is at this path.
pub(crate) async fn no_such_path() -> ApiError {
    ApiError::not_found("there is nothing at this path")
}

/// `GET /`, for clients that [`asks`] knows.
pub(crate) async fn root(caller: Caller, state: axum::extract::State<State>) -> Response {
    marked(probe::root(caller, state).await).await
}

/// Whether a request for `/` comes from a client of Elasticsearch or OpenSearch and not from a browser:
/// it says so, or logs in as such clients do, the older ones of Logstash without a word on what they take.
pub(crate) fn asks(headers: &HeaderMap) -> bool {
    let accept = text(headers, header::ACCEPT);
    let agent = text(headers, header::USER_AGENT).to_ascii_lowercase();
    let login = text(headers, header::AUTHORIZATION).to_ascii_lowercase();
    let known = ["elastic", "opensearch", "logstash", "fluent", "vector"]
        .iter()
        .any(|name| agent.starts_with(name))
        || agent.contains("beat/");
    !accept.contains("text/html")
        && (known
            || ["basic ", "apikey "].iter().any(|scheme| login.starts_with(scheme))
            || (accept.contains("application/json") && !login.is_empty())
            || accept.contains("application/vnd.elasticsearch+json"))
}

async fn marked(mut response: Response) -> Response {
    let (name, value) = PRODUCT;
    response.headers_mut().insert(name, value);
    response
}

/// A client with an agent token that asks something.
pub(crate) struct Caller {
    wish: Wish,
    /// Its name and version.
    agent: String,
}

impl FromRequestParts<State> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Response> {
        let wish = Wish::of(&parts.headers, parts.uri.query());
        if let Err(error) = Agent::from_request_parts(parts, state).await {
            return Err(marked(wish.error(&error)).await);
        }
        Ok(Caller { agent: text(&parts.headers, header::USER_AGENT).to_owned(), wish })
    }
}
