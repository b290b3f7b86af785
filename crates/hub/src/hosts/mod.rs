//! Hosts as the hub's APIs show them: what the pipeline knows, and the newest status of one.

mod library;
pub(crate) mod sources;
pub(crate) mod status;

use std::sync::Arc;

use bergfried_alert::Heartbeat;
use bergfried_alerting::Alerting;
use bergfried_pipeline::{HostPolicy, HostState, Watch};

pub(crate) use self::library::{Library, stored};
use self::status::Status;
use crate::error::{ApiError, blocking};
use crate::router::State;

/// The newest status of a host, where it said one that is still stored. Waits for the disk.
pub(crate) fn newest_status(state: &State, host: &HostState) -> Result<Option<Status>, ApiError> {
    let Some(health) = &host.health else { return Ok(None) };
    let stored = state.reader.get(health.event)?;
    Ok(stored.and_then(|stored| Status::read(&stored.event, &host.name)))
}

/// Forgets a host, and that it is missed; false where there is none of this name. Its events stay.
///
/// # Errors
/// Where it could not be written.
pub(crate) async fn forget(state: &State, name: &str) -> Result<bool, ApiError> {
    let beats: Vec<String> = {
        let book = state.alerting.read();
        let is_its = |beat: &&Arc<Heartbeat>| beat.agent().or(beat.host()) == Some(name);
        book.heartbeats().filter(is_its).map(|heartbeat| heartbeat.id.clone()).collect()
    };
    for beat in beats {
        state.alerting.delete_heartbeat(&beat).await?;
    }
    let (hosts, name) = (state.hosts.clone(), name.to_owned());
    blocking(move || Ok(hosts.forget(&name)?)).await
}

/// Waits for nobody any more whose silence counted before and does not count now.
pub(crate) async fn forget_unwatched(alerting: &Alerting, policy: &HostPolicy) {
    let is_unwatched = |heartbeat: &&Arc<Heartbeat>| {
        let of_host = heartbeat.host();
        let Some(name) = heartbeat.agent().or(of_host) else { return false };
        policy.watch == Watch::None || policy.silent_after(name).is_none()
    };
    let unwatched: Vec<String> = {
        let book = alerting.read();
        let unwatched = book.heartbeats().filter(is_unwatched);
        unwatched.map(|heartbeat| heartbeat.id.clone()).collect()
    };
    for id in unwatched {
        if let Err(error) = alerting.delete_heartbeat(&id).await {
            tracing::error!(%error, "cannot forget the heartbeat of an agent or host");
        }
    }
}
