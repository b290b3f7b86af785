//! What clients ask before they send: who is there, which version, what licence, what is set up.
//!
//! Templates, policies and indices are how Elasticsearch stores; nothing of them is kept here. None
//! ever exists and every one can be made, so that a client goes on as on an empty cluster.

use axum::extract::{Path, RawQuery, State as Shared};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Caller;
use super::answer::{Wish, text};
use crate::error::{ApiError, blocking};
use crate::intake::Intake;
use crate::router::State;

/// The version that clients are told, unless they are of another: newer clients refuse older servers.
const VERSION: &str = "8.19.0";
/// The same for clients that ask in the form of version 9.
const NEXT_VERSION: &str = "9.1.0";
const NAME: &str = "bergfried";
/// The control setting that holds the id of what clients take for a cluster.
const UUID: &str = "elastic.cluster_uuid";

/// `GET /`
pub(crate) async fn root(caller: Caller, Shared(state): Shared<State>) -> Response {
    let uuid = match cluster_uuid(&state).await {
        Ok(uuid) => uuid,
        Err(error) => return caller.wish.error(&error),
    };
    caller.wish.answer(
        StatusCode::OK,
        json!({
            "name": NAME,
            "cluster_name": NAME,
            "cluster_uuid": uuid,
            "version": {
                "number": version(&caller),
                "build_flavor": "default",
                "build_type": "docker",
                "build_hash": "0000000000000000000000000000000000000000",
                "build_date": "2025-01-01T00:00:00.000000000Z",
                "build_snapshot": false,
                "lucene_version": "9.12.0",
                "minimum_wire_compatibility_version": "7.17.0",
                "minimum_index_compatibility_version": "7.0.0",
            },
            "tagline": "You Know, for Search",
        }),
    )
}

/// A Beat is told its own version, for by default it sends nothing to an older server.
fn version(caller: &Caller) -> String {
    let agent = &caller.agent;
    let beat = agent.to_ascii_lowercase().contains("beat/");
    let own = agent.split_once('/').map(|(_, rest)| {
        rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect::<String>()
    });
    match own {
        Some(own) if beat && is_version(&own) => own,
        _ if caller.wish.compatible_with() == Some(9) => NEXT_VERSION.to_owned(),
        _ => VERSION.to_owned(),
    }
}

/// Three short numbers, of which the first is that of a version in use.
fn is_version(text: &str) -> bool {
    let numbers: Vec<Option<u16>> =
        text.split('.').map(|number| number.parse().ok().filter(|_| number.len() <= 3)).collect();
    matches!(numbers.as_slice(), [Some(7..=9), Some(_), Some(_)])
}

/// Made once, kept over restarts: clients that see it change take the data for lost.
async fn cluster_uuid(state: &State) -> Result<String, ApiError> {
    let control = state.control.clone();
    blocking(move || {
        if let Some(uuid) = control.setting(UUID)? {
            return Ok(uuid);
        }
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(|error| ApiError::internal(&error))?;
        let uuid = bergfried_wire::id_to_hex(&id);
        control.set_setting(UUID, &uuid)?;
        Ok(uuid)
    })
    .await
}

/// `GET /_license`, `GET /_xpack`
pub(super) async fn license(caller: Caller) -> Response {
    let license = json!({
        "uid": "00000000-0000-0000-0000-000000000000",
        "type": "basic",
        "mode": "basic",
        "status": "active",
        "issued_to": NAME,
        "issuer": NAME,
    });
    let features = json!({
        "ilm": {"available": true, "enabled": true},
        "security": {"available": true, "enabled": true},
    });
    caller.wish.answer(StatusCode::OK, json!({"license": license, "features": features}))
}

/// `GET /_cluster/health`
pub(super) async fn health(caller: Caller) -> Response {
    caller.wish.answer(
        StatusCode::OK,
        json!({
            "cluster_name": NAME, "status": "green", "timed_out": false,
            "number_of_nodes": 1, "number_of_data_nodes": 1,
            "active_primary_shards": 1, "active_shards": 1, "relocating_shards": 0,
            "initializing_shards": 0, "unassigned_shards": 0,
        }),
    )
}

/// `GET /_nodes/…`: one node, at the address under which the client reached it.
pub(super) async fn nodes(caller: Caller, headers: HeaderMap) -> Response {
    let number = version(&caller);
    caller.wish.answer(
        StatusCode::OK,
        json!({
            "_nodes": {"total": 1, "successful": 1, "failed": 0},
            "cluster_name": NAME,
            "nodes": {NAME: {
                "name": NAME,
                "version": number,
                "roles": ["data", "ingest", "master"],
                "http": {"publish_address": text(&headers, header::HOST)},
            }},
        }),
    )
}

/// `GET /_cat/…`: an empty table.
pub(super) async fn cat(_caller: Caller) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=UTF-8")], "").into_response()
}

/// Templates, policies, data streams, pipelines, aliases, indices: none is there, each can be made.
pub(super) async fn set_up(
    method: Method,
    name: Option<Path<String>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    intake: Result<Intake, ApiError>,
) -> Response {
    let wish = Wish::of(&headers, query.as_deref());
    if let Err(error) = intake {
        return wish.error(&error);
    }
    if matches!(method, Method::GET | Method::HEAD) {
        return wish.error(&ApiError::not_found("nothing of this name is set up"));
    }
    let mut made = json!({"acknowledged": true, "shards_acknowledged": true});
    if let (Some(made), Some(Path(name))) = (made.as_object_mut(), name) {
        made.insert("index".to_owned(), Value::String(name));
    }
    wish.answer(StatusCode::OK, made)
}

/// `_refresh`, `_flush`: what was answered is durable and searchable already.
pub(super) async fn refresh(caller: Caller) -> Response {
    let shards = json!({"total": 1, "successful": 1, "failed": 0});
    caller.wish.answer(StatusCode::OK, json!({"_shards": shards}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_is_told_its_own_version() {
        let told = |agent: &str, accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            version(&Caller { wish: Wish::of(&headers, None), agent: agent.to_owned() })
        };
        for (agent, accept, expected) in [
            ("Elastic-filebeat/9.2.1 (linux; amd64; x; 2025; )", "application/json", "9.2.1"),
            ("Winlogbeat/8.17.3 (windows; amd64)", "application/json", "8.17.3"),
            ("Elastic-filebeat/6.8.0 (linux)", "application/json", VERSION),
            ("Elastic-filebeat/99999.1.1", "application/json", VERSION),
            ("Elastic-filebeat/x", "application/json", VERSION),
            ("elasticsearch-py/9.1.0", "application/vnd.elasticsearch+json; compatible-with=9", {
                NEXT_VERSION
            }),
            ("elasticsearch-py/8.1.0", "application/vnd.elasticsearch+json; compatible-with=8", {
                VERSION
            }),
            ("", "*/*", VERSION),
        ] {
            assert_eq!(told(agent, accept), expected, "{agent}");
        }
    }
}
