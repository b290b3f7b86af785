//! The alerts that are about an entity.

use std::sync::Arc;

use bergfried_alert::{Alert, Status};
use bergfried_event::{Severity, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Entity, Kind};
use crate::router::State;

/// The most alerts that are told.
pub(super) const MAX_ALERTS: usize = 100;

/// An alert about an entity.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Mentioned {
    id: String,
    event: String,
    resource: String,
    #[schema(value_type = String)]
    severity: Severity,
    #[schema(value_type = String)]
    status: Status,
    /// When the first of its events happened
    #[schema(value_type = String)]
    first_seen: Timestamp,
    #[schema(value_type = String)]
    last_seen: Timestamp,
    text: String,
}

/// The alerts of the time that are about the entity, latest first.
pub(super) fn mentioning(
    state: &State,
    entity: &Entity,
    times: (Timestamp, Timestamp),
) -> Vec<Mentioned> {
    let model = &state.alerting.settings().model;
    let about = about(state, entity, times);
    let body = |alert: &Arc<Alert>| {
        let (first_seen, last_seen) = span(alert);
        Mentioned {
            id: alert.id.clone(),
            event: alert.event.clone(),
            resource: alert.resource.clone(),
            severity: model.as_rule(&alert.severity),
            status: alert.status,
            first_seen,
            last_seen,
            text: alert.text.clone(),
        }
    };
    about.iter().map(body).collect()
}

/// The alerts themselves; at most [`MAX_ALERTS`], the latest.
pub(super) fn about(
    state: &State,
    entity: &Entity,
    (from, to): (Timestamp, Timestamp),
) -> Vec<Arc<Alert>> {
    // Comparing takes longer than the writer should wait.
    let mut alerts: Vec<Arc<Alert>> = state.alerting.read().iter().cloned().collect();
    alerts.retain(|alert| {
        let (first, last) = span(alert);
        first < to && last >= from && is_about(alert, entity)
    });
    alerts
        .sort_by(|one, other| span(other).1.cmp(&span(one).1).then_with(|| one.id.cmp(&other.id)));
    alerts.truncate(MAX_ALERTS);
    alerts
}

/// When what an alert is about began, and when it was last heard of.
pub(super) fn span(alert: &Alert) -> (Timestamp, Timestamp) {
    match &alert.evidence {
        Some(evidence) => (evidence.first_seen, evidence.last_seen),
        None => (alert.create_time, alert.last_receive_time),
    }
}

fn is_about(alert: &Alert, entity: &Entity) -> bool {
    let is = |name: &str| entity.is(name);
    let attribute = |names: &[&str]| {
        names.iter().any(|name| {
            alert.attributes.get(*name).and_then(|value| value.as_str()).is_some_and(is)
        })
    };
    let evidence = alert.evidence.as_deref();
    let one = |name: Option<&String>| name.is_some_and(|name| is(name));
    match entity.kind {
        Kind::Host => {
            is(&alert.resource)
                || one(evidence.and_then(|evidence| evidence.host.as_ref()))
                || attribute(&["host_name", "host"])
        }
        Kind::User => {
            evidence.is_some_and(|evidence| evidence.users.names.iter().any(|name| is(name)))
                || attribute(&["user_name", "user"])
        }
        Kind::Address => {
            is(&alert.resource)
                || evidence
                    .is_some_and(|evidence| evidence.sources.names.iter().any(|name| is(name)))
                || attribute(&["source_ip", "destination_ip", "ip"])
        }
    }
}
