//! How the hub is, and who reports to it.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State as Shared;
use bergfried_control::Agent;
use bergfried_event::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Admin;
use crate::error::{ApiError, blocking};
use crate::router::State;

/// How the hub is.
#[derive(Serialize, ToSchema)]
pub(crate) struct StatusBody {
    version: &'static str,
    /// When it was started
    #[schema(value_type = String)]
    started: Timestamp,
    /// Counted since the start: batches, events, findings, duplicates, and what failed
    #[schema(value_type = BTreeMap<String, u64>)]
    counters: bergfried_pipeline::Snapshot,
    /// Kept in the control store over restarts
    control: BTreeMap<String, u64>,
    store: StoreBody,
    rules: usize,
    /// When these rules were loaded
    #[schema(value_type = String)]
    rules_loaded: Timestamp,
}

/// What the event store holds.
#[derive(Serialize, ToSchema)]
struct StoreBody {
    events: u64,
    segments: usize,
    bytes_on_disk: u64,
    wal_bytes: u64,
    /// When the oldest event happened
    #[schema(value_type = Option<String>)]
    oldest: Option<Timestamp>,
    /// When the newest event happened
    #[schema(value_type = Option<String>)]
    newest: Option<Timestamp>,
}

/// How the hub is
#[utoipa::path(get, path = "/api/v1/status", tag = "hub",
    responses((status = 200, description = "Counters and sizes", body = StatusBody)))]
pub(crate) async fn status(
    _admin: Admin,
    Shared(state): Shared<State>,
) -> Result<Json<StatusBody>, ApiError> {
    blocking(move || {
        let store = state.reader.stats();
        let running = state.rules.now();
        Ok(Json(StatusBody {
            version: env!("CARGO_PKG_VERSION"),
            started: state.started,
            counters: state.pipeline.counters(),
            control: state.control.counters()?,
            store: StoreBody {
                events: store.events,
                segments: store.segments,
                bytes_on_disk: store.bytes_on_disk,
                wal_bytes: store.wal_bytes,
                oldest: store.oldest,
                newest: store.newest,
            },
            rules: running.rules.len(),
            rules_loaded: running.loaded,
        }))
    })
    .await
}

/// List the agents
#[utoipa::path(get, path = "/api/v1/agents", tag = "hub",
    responses((status = 200, description = "Every agent that ever reported, with when it last did",
        body = Vec<serde_json::Value>)))]
pub(crate) async fn agents(
    _admin: Admin,
    Shared(state): Shared<State>,
) -> Result<Json<Vec<Agent>>, ApiError> {
    blocking(move || Ok(Json(state.control.agents()?))).await
}
