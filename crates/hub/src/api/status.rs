//! How the hub is, and who reports to it.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State as Shared;
use bergfried_control::Agent;
use bergfried_event::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Viewer;
use crate::error::{ApiError, blocking};
use crate::router::State;
use crate::running::now;

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
    hosts: HostsBody,
    rules: usize,
    /// When these rules were loaded
    #[schema(value_type = String)]
    rules_loaded: Timestamp,
    /// Sets of rule files of SEC
    sec: Vec<SecBody>,
}

/// What a set of rule files of SEC holds, and what is counted of it since it runs.
#[derive(Serialize, ToSchema)]
struct SecBody {
    set: String,
    rules: usize,
    contexts: u64,
    operations: u64,
    alerts: u64,
    /// What its rules asked for and may not do
    refused: u64,
    /// Alerts and acts that were too many at once
    shed: u64,
    /// What it could not keep because there was too much of it
    evicted: u64,
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

/// What is known of hosts.
#[derive(Serialize, ToSchema)]
struct HostsBody {
    known: usize,
    /// How many of them speak
    online: usize,
    /// New names that found no place since the start
    refused: u64,
    /// Times that a host was heard of that is not watched because too many are
    unwatched: u64,
}

/// How the hub is
#[utoipa::path(get, path = "/api/v1/status", tag = "hub",
    responses((status = 200, description = "Counters and sizes", body = StatusBody)))]
pub(crate) async fn status(
    _viewer: Viewer,
    Shared(state): Shared<State>,
) -> Result<Json<StatusBody>, ApiError> {
    blocking(move || {
        let store = state.reader.stats();
        let running = state.rules.now();
        let hosts = state.hosts.list(now());
        let shed = state.hosts.shed();
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
            hosts: HostsBody {
                known: hosts.len(),
                online: hosts.iter().filter(|host| host.online).count(),
                refused: shed.refused,
                unwatched: shed.unwatched,
            },
            rules: running.rules.len(),
            rules_loaded: running.loaded,
            sec: sets(&state),
        }))
    })
    .await
}

fn sets(state: &State) -> Vec<SecBody> {
    let counted = state.pipeline.rules().sec;
    let rules = |set: &str| counted.rules.iter().filter(|(rule, _)| rule.set == set).count();
    let body = |set: &bergfried_rules::sec::Counts| SecBody {
        rules: rules(&set.set),
        set: set.set.clone(),
        contexts: set.contexts,
        operations: set.operations,
        alerts: set.alerts,
        refused: set.refused,
        shed: set.shed,
        evicted: set.evicted,
    };
    counted.sets.iter().map(body).collect()
}

/// List the agents
#[utoipa::path(get, path = "/api/v1/agents", tag = "hub",
    responses((status = 200, description = "Every agent that ever reported, with when it last did",
        body = Vec<serde_json::Value>)))]
pub(crate) async fn agents(
    _viewer: Viewer,
    Shared(state): Shared<State>,
) -> Result<Json<Vec<Agent>>, ApiError> {
    blocking(move || Ok(Json(state.control.agents()?))).await
}
