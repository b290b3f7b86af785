//! `GET /api/v1/settings`: what the hub runs with, without secrets.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State as Shared;
use serde_json::{Value, json};

use crate::auth::Admin;
use crate::router::State;

/// Settings by their names, in groups.
type Settings = BTreeMap<&'static str, BTreeMap<&'static str, Value>>;

/// What the hub runs with
///
/// As its configuration, its command line and Alerta's settings say together; no secrets.
#[utoipa::path(get, path = "/api/v1/settings", tag = "hub",
    responses((status = 200, description = "Settings by their names, in groups",
        body = serde_json::Value)))]
pub(crate) async fn show(_admin: Admin, Shared(state): Shared<State>) -> Json<Settings> {
    let hub = BTreeMap::from([
        ("console_url", json!(state.console_url)),
        ("tls", json!(state.tls.is_some())),
        ("started", json!(state.started)),
        ("version", json!(env!("CARGO_PKG_VERSION"))),
    ]);
    let times = state.sessions.times();
    let sessions = BTreeMap::from([
        ("idle", json!(format!("{} s", times.idle_seconds()))),
        ("absolute", json!(format!("{} s", times.absolute_seconds()))),
    ]);
    let alerta = state.alerta.shown().into_iter().collect();
    Json(BTreeMap::from([("hub", hub), ("sessions", sessions), ("alerta", alerta)]))
}
