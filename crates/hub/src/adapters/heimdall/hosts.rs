//! `GET /hosts` and `POST /heartbeat`: which hosts there are, and whether they speak.

use std::net::SocketAddr;
use std::time::Instant;

use axum::extract::{ConnectInfo, RawQuery, State as Shared};
use axum::http::HeaderMap;
use axum::routing::get;
use axum::{Json, Router};
use bergfried_event::Timestamp;
use bergfried_heimdall::OsType;
use bergfried_pipeline::HostState;
use serde_json::{Value, json};

use super::key::{Keyholder, Sender};
use super::time::Shown;
use crate::adapters::detail::Detail;
use crate::adapters::query::{in_range, parameter};
use crate::error::blocking;
use crate::intake::limited;
use crate::router::State;
use crate::running::now;

/// The longest threshold that is taken: a year.
const MAX_MINUTES: i64 = 366 * 24 * 60;
/// The longest name of a host, in bytes (POSIX, `HOST_NAME_MAX`).
pub(super) const MAX_NAME: usize = 255;

pub(super) fn routes() -> Router<State> {
    Router::new().route("/hosts", get(list))
}

async fn list(
    _key: Keyholder,
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Detail> {
    let set = i64::from(state.heimdall.settings.now().inactive_threshold_minutes);
    let minutes = match parameter(query.as_deref(), "inactive_threshold") {
        None => set,
        Some(value) => in_range("inactive_threshold", &value, MAX_MINUTES)
            .map_err(|mistake| Detail::unprocessable(vec![mistake]))?,
    };
    let now = now();
    let mut hosts = state.hosts.list(now);
    hosts.sort_by_key(|host| std::cmp::Reverse(host.last_seen));
    let limit = now.plus_micros(-minutes * 60 * Timestamp::SECOND);
    let (active, inactive): (Vec<HostState>, Vec<HostState>) =
        hosts.into_iter().partition(|host| host.last_seen >= limit);
    Ok(Json(json!({
        "success": true,
        "active_hosts": active.iter().map(document).collect::<Vec<_>>(),
        "inactive_hosts": inactive.iter().map(document).collect::<Vec<_>>(),
        "threshold_minutes": minutes,
        "total_active": active.len(),
        "total_inactive": inactive.len(),
    })))
}

fn document(host: &HostState) -> Value {
    json!({
        "source_host": host.name,
        // What says nothing of its system is shown as what most are; there is no word for unknown.
        "os_type": host.os_type.unwrap_or(OsType::Linux).name(),
        "last_seen": Shown(host.last_seen),
        "total_events": host.events,
    })
}

pub(super) async fn heartbeat(
    Sender(token): Sender,
    Shared(state): Shared<State>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<Json<Value>, Detail> {
    let header = |name: &str| {
        let value = headers.get(name)?;
        let text = String::from_utf8_lossy(value.as_bytes()).trim().to_owned();
        (!text.is_empty()).then_some(text)
    };
    let host =
        header("source-host").ok_or_else(|| Detail::bad_request("Missing source_host header"))?;
    let os = header("os-type").ok_or_else(|| Detail::bad_request("Missing os_type header"))?;
    if host.len() > MAX_NAME {
        let message = format!("The source_host header is longer than {MAX_NAME} bytes");
        return Err(Detail::bad_request(&message));
    }
    // One more thing that the bearer sends: each may be a new host, which is written at once.
    state.door.meter.charge(&token, 1, 0, Instant::now()).map_err(limited)?;
    let message = format!("Heartbeat received from {host}");
    let (hosts, now) = (state.hosts.clone(), now());
    blocking(move || {
        hosts.heartbeat(&host, os_type(&os), Some(peer.ip()), now);
        Ok(())
    })
    .await?;
    Ok(Json(json!({"success": true, "message": message, "timestamp": Shown(now)})))
}

/// The system of this word; one that there is no word for, such as FREEBSD, is still a host that lives.
pub(super) fn os_type(word: &str) -> Option<OsType> {
    OsType::from_name(&word.to_ascii_uppercase())
}
