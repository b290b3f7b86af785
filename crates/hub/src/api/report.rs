//! `GET /api/v1/report`: what happened in a span of time.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State as Shared;
use bergfried_event::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::turn::turn;
use crate::auth::Viewer;
use crate::error::{ApiError, ErrorBody};
use crate::hosts::stored;
use crate::request::Params;
use crate::router::State;
use crate::running::now;

/// The longest span.
const MAX_SPAN: i64 = 31 * Timestamp::DAY;

/// Which span.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wanted {
    /// The span before now, such as 90m, 24h or 7d (24h), at most 31d
    since: Option<String>,
}

/// What happened.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReportBody {
    #[schema(value_type = String)]
    since: Timestamp,
    #[schema(value_type = String)]
    until: Timestamp,
    /// How many events happened
    events: u64,
    /// How many hosts speak now
    online: u64,
    /// How many are silent now
    silent: u64,
    /// Hosts with the most events
    hosts: Vec<Ranked>,
    /// Events by Heimdall's kinds
    kinds: Vec<Ranked>,
    /// Events by what was done (`event.action`)
    actions: Vec<Ranked>,
    /// Events by where they came from (`source.ip`)
    sources: Vec<Ranked>,
    alerts: AlertsBody,
}

/// What happened to alerts.
#[derive(Serialize, ToSchema)]
struct AlertsBody {
    /// New ones, by severity
    new: BTreeMap<&'static str, u64>,
    /// Those that ended
    closed: u64,
    /// Those that are open now, by severity
    open: BTreeMap<&'static str, u64>,
    /// What happened most
    top_events: Vec<Ranked>,
    /// What it happened to most
    top_resources: Vec<Ranked>,
    /// Agents and hosts whose silence is an open alert
    silent_agents: Vec<String>,
}

/// How often a name came.
#[derive(Serialize, ToSchema)]
struct Ranked {
    name: String,
    count: u64,
}

fn ranked(names: Vec<(String, u64)>) -> Vec<Ranked> {
    names.into_iter().map(|(name, count)| Ranked { name, count }).collect()
}

/// What happened in a span of time
///
/// It is what a route with `daily_report` sends each day.
#[utoipa::path(get, path = "/api/v1/report", tag = "hosts", params(Wanted),
    responses((status = 200, description = "The report", body = ReportBody),
        (status = 400, description = "No span of time", body = ErrorBody)))]
pub(crate) async fn report(
    _viewer: Viewer,
    Shared(state): Shared<State>,
    Params(wanted): Params<Wanted>,
) -> Result<Json<ReportBody>, ApiError> {
    let text = wanted.since.as_deref().unwrap_or("24h");
    let span = bergfried_query::search::duration(text)
        .filter(|span| (1..=MAX_SPAN).contains(span))
        .ok_or_else(|| {
            ApiError::invalid("`since` must be a span such as 24h or 7d, at most 31d")
        })?;
    let until = now();
    let since = until.plus_micros(-span);
    let turn = turn(&state).await?;
    turn.run(move |reader, _| {
        let stored = stored(reader, &state.hosts, since, until)?;
        let alerts = {
            let book = state.alerting.read();
            let each = |look: &mut dyn FnMut(&bergfried_alert::Alert)| {
                book.iter().for_each(|alert| look(alert));
            };
            state.telling.teller().report(each, since, until)
        };
        let by_name = |counts: BTreeMap<bergfried_event::Severity, u64>| {
            counts.into_iter().map(|(severity, count)| (severity.name(), count)).collect()
        };
        Ok(Json(ReportBody {
            since,
            until,
            events: stored.events,
            online: stored.online,
            silent: stored.silent,
            hosts: ranked(stored.hosts),
            kinds: ranked(stored.kinds),
            actions: ranked(stored.actions),
            sources: ranked(stored.sources),
            alerts: AlertsBody {
                new: by_name(alerts.new),
                closed: alerts.closed,
                open: by_name(alerts.open),
                top_events: ranked(alerts.top_events),
                top_resources: ranked(alerts.top_resources),
                silent_agents: alerts.silent_agents,
            },
        }))
    })
    .await
}
