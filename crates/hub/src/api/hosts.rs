//! `/api/v1/hosts`: which hosts there are, whether they speak, and how they are.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use bergfried_control::{Agent, AuditChange, MAX_HOSTS};
use bergfried_event::Timestamp;
use bergfried_pipeline::HostState;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::turn::turn;
use crate::auth::{Operator, Viewer, audit};
use crate::error::{ApiError, ErrorBody, blocking};
use crate::hosts::sources::{Sources, newest_sources};
use crate::hosts::status::Status;
use crate::hosts::{forget, newest_status};
use crate::request::{InPath, Params};
use crate::router::State;
use crate::running::now;

/// A host.
#[derive(Serialize, ToSchema)]
pub(crate) struct Host {
    name: String,
    /// `online` while its agent or its lines arrive, else `silent`
    status: &'static str,
    /// `agent`, `heimdall` (an agent of Heimdall's) or `lines`
    heard: &'static str,
    /// `LINUX`, `WINDOWS`, `MACOS`, `FIREWALL` or `PIHOLE`, where something said so
    os_type: Option<&'static str>,
    /// The address that was last sent from
    address: Option<String>,
    /// When something of it arrived first
    #[schema(value_type = String)]
    first_seen: Timestamp,
    /// When something of it arrived last
    #[schema(value_type = String)]
    last_seen: Timestamp,
    /// Seconds since then
    since: i64,
    /// How many events of it were stored
    events: u64,
    /// After how many seconds it counts as silent; null: never
    silent_after: Option<u32>,
    /// Whether its silence becomes an alert
    watched: bool,
    health: Option<Health>,
    /// The agent that runs on it
    agent: Option<AgentBody>,
}

/// The agent of a host.
#[derive(Clone, Serialize, ToSchema)]
struct AgentBody {
    name: String,
    version: String,
}

/// How a host was when it last said so.
#[derive(Serialize, ToSchema)]
struct Health {
    /// When that arrived
    #[schema(value_type = String)]
    time: Timestamp,
    /// The busy part of its processors, from 0 to 1
    cpu: Option<f64>,
    /// The used part of its memory, from 0 to 1
    memory: Option<f64>,
    /// The used part of its fullest disk, from 0 to 1
    disk: Option<f64>,
    /// Where that disk is mounted
    disk_mount: Option<String>,
    /// Bytes that its agent holds because the hub had not taken them
    spool: Option<u64>,
    /// Seconds from when it said so to when that arrived
    lag: Option<f64>,
}

/// A host and its newest status.
#[derive(Serialize, ToSchema)]
pub(crate) struct Shown {
    #[serde(flatten)]
    host: Host,
    /// Its newest status, where it said one that is still stored
    details: Option<Status>,
    /// What its agent collects and what is missing, as it last said in the last two days
    sources: Option<Sources>,
}

/// Which hosts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Only those that are `online` or `silent`
    status: Option<String>,
    /// At most so many, 1 to 10000 (10000)
    limit: Option<usize>,
}

#[expect(clippy::cast_precision_loss, reason = "a lag is far below 2^53 microseconds")]
fn of(host: &HostState, agents: &HashMap<String, AgentBody>, now: Timestamp) -> Host {
    Host {
        name: host.name.clone(),
        status: if host.online { "online" } else { "silent" },
        heard: host.via.name(),
        os_type: host.os_type.map(bergfried_heimdall::OsType::name),
        address: host.address.clone(),
        first_seen: host.first_seen,
        last_seen: host.last_seen,
        since: (now.since(host.last_seen) / Timestamp::SECOND).max(0),
        events: host.events,
        silent_after: host.silent_after,
        watched: host.watched,
        health: host.health.as_ref().map(|health| Health {
            time: health.time,
            cpu: health.cpu,
            memory: health.memory,
            disk: health.disk,
            disk_mount: health.disk_mount.clone(),
            spool: health.spool,
            lag: health.lag.map(|micros| micros as f64 / 1_000_000.0),
        }),
        agent: agents.get(&host.name).cloned(),
    }
}

/// The agent of each host; of several, the one heard last.
fn agents(state: &State) -> Result<HashMap<String, AgentBody>, ApiError> {
    let mut agents = HashMap::new();
    for agent in state.control.agents()? {
        let Agent { name, host, version, .. } = agent;
        let host = if host.is_empty() { name.clone() } else { host };
        agents.entry(host).or_insert(AgentBody { name, version });
    }
    Ok(agents)
}

/// List the hosts
///
/// Every host of which something was stored, at most 10,000; names come from whoever sends.
#[utoipa::path(get, path = "/api/v1/hosts", tag = "hosts", params(Wanted),
    responses((status = 200, description = "Hosts, by name", body = Vec<Host>),
        (status = 400, description = "An unknown status, or a limit out of range", body = ErrorBody)))]
pub(crate) async fn list(
    _viewer: Viewer,
    Shared(state): Shared<State>,
    Params(wanted): Params<Wanted>,
) -> Result<Json<Vec<Host>>, ApiError> {
    let online = match wanted.status.as_deref() {
        None => None,
        Some("online") => Some(true),
        Some("silent") => Some(false),
        Some(_) => return Err(ApiError::invalid("`status` must be online or silent")),
    };
    let limit = match wanted.limit.unwrap_or(MAX_HOSTS) {
        limit if (1..=MAX_HOSTS).contains(&limit) => limit,
        _ => return Err(ApiError::invalid(format!("`limit` must be 1 to {MAX_HOSTS}"))),
    };
    blocking(move || {
        let (now, agents) = (now(), agents(&state)?);
        let hosts = state.hosts.list(now);
        let wanted = hosts.iter().filter(|host| online.is_none_or(|online| host.online == online));
        Ok(Json(wanted.take(limit).map(|host| of(host, &agents, now)).collect()))
    })
    .await
}

/// Show a host
#[utoipa::path(get, path = "/api/v1/hosts/{name}", tag = "hosts",
    params(("name" = String, Path, description = "The host's name")),
    responses((status = 200, description = "The host, with its newest status", body = Shown),
        (status = 404, description = "Nothing was heard of it", body = ErrorBody)))]
pub(crate) async fn show(
    _viewer: Viewer,
    Shared(state): Shared<State>,
    InPath(name): InPath<String>,
) -> Result<Json<Shown>, ApiError> {
    let now = now();
    let host = state.hosts.get(&name, now).ok_or_else(unknown)?;
    turn(&state)
        .await?
        .run(move |reader, _| {
            let details = newest_status(&state, &host)?;
            let sources = newest_sources(reader, &host.name, now)?;
            Ok(Json(Shown { host: of(&host, &agents(&state)?, now), details, sources }))
        })
        .await
}

/// Forget a host
///
/// Nobody is told any more that it is silent. Its events stay, and it is known anew when it is heard
/// of again.
#[utoipa::path(delete, path = "/api/v1/hosts/{name}", tag = "hosts",
    params(("name" = String, Path, description = "The host's name")),
    responses((status = 204, description = "It is forgotten"),
        (status = 404, description = "Nothing was heard of it", body = ErrorBody)))]
pub(crate) async fn delete(
    Operator(by): Operator,
    Shared(state): Shared<State>,
    InPath(name): InPath<String>,
) -> Result<StatusCode, ApiError> {
    let (asked, wanted) = (state.clone(), name.clone());
    let known = blocking(move || {
        let now = now();
        let Some(host) = asked.hosts.get(&wanted, now) else { return Ok(None) };
        Ok(Some(of(&host, &agents(&asked)?, now)))
    });
    let known = known.await?.ok_or_else(unknown)?;
    if !forget(&state, &name).await? {
        return Err(unknown());
    }
    audit(&state, &by.name, "host.forget", name, AuditChange::deleted(&known)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn unknown() -> ApiError {
    ApiError::not_found("nothing was ever heard of a host of this name")
}
