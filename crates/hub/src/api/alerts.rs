//! Alerts: list, one, close.

use axum::Json;
use axum::extract::State as Shared;
use bergfried_alert::{Alert, Status};
use bergfried_control::{AlertFilter, Cursor};
use bergfried_event::{Severity, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::auth::Admin;
use crate::error::{ApiError, ErrorBody, blocking};
use crate::request::{InPath, Params};
use crate::router::State;
use crate::running::now;

const MAX_PAGE: usize = 1_000;

/// Which alerts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Only open or only closed ones: `open`, `closed`
    status: Option<String>,
    /// At least this severe: informational, low, medium, high, critical
    min_severity: Option<String>,
    /// Only with this text in a name, the sentence or the example, in any case
    text: Option<String>,
    /// 1 to 1000 (100)
    limit: Option<usize>,
    /// After this place: the `next` of the page before
    before: Option<String>,
}

/// Alerts, latest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct Page {
    #[schema(value_type = Vec<serde_json::Value>)]
    alerts: Vec<Alert>,
    /// The place to continue from, where there is more
    next: Option<String>,
}

/// List alerts
#[utoipa::path(get, path = "/api/v1/alerts", tag = "alerts", params(Wanted),
    responses((status = 200, description = "Alerts, the one seen last first", body = Page),
        (status = 400, description = "A parameter that cannot be read", body = ErrorBody)))]
pub(crate) async fn list(
    _admin: Admin,
    Shared(state): Shared<State>,
    Params(wanted): Params<Wanted>,
) -> Result<Json<Page>, ApiError> {
    let limit = match wanted.limit.unwrap_or(100) {
        limit if (1..=MAX_PAGE).contains(&limit) => limit,
        _ => return Err(ApiError::invalid(format!("`limit` must be 1 to {MAX_PAGE}"))),
    };
    let filter = AlertFilter {
        status: match wanted.status.as_deref() {
            None => None,
            Some("open") => Some(Status::Open),
            Some("closed") => Some(Status::Closed),
            Some(_) => return Err(ApiError::invalid("`status` must be open or closed")),
        },
        min_severity: match &wanted.min_severity {
            None => Severity::Informational,
            Some(word) => word.parse().map_err(|error: bergfried_event::UnknownSeverity| {
                ApiError::invalid(error.to_string())
            })?,
        },
        text: wanted.text,
        limit: limit + 1,
        before: wanted.before.as_deref().map(read_place).transpose()?,
    };
    blocking(move || {
        let mut alerts = state.control.alerts(&filter)?;
        let more = alerts.len() > limit;
        alerts.truncate(limit);
        let next = alerts
            .last()
            .filter(|_| more)
            .map(|last| format!("{}-{}", last.last_seen.micros(), last.id));
        Ok(Json(Page { alerts, next }))
    })
    .await
}

fn read_place(text: &str) -> Result<Cursor, ApiError> {
    text.rsplit_once('-')
        .and_then(|(micros, id)| {
            let last_seen = Timestamp::from_micros(micros.parse().ok()?);
            Some(Cursor { last_seen, id: id.parse().ok()? })
        })
        .ok_or_else(|| ApiError::invalid("`before` must be the `next` of an earlier page"))
}

/// Show one alert
#[utoipa::path(get, path = "/api/v1/alerts/{id}", tag = "alerts",
    params(("id" = u64, Path, description = "The alert's id")),
    responses((status = 200, description = "The alert", body = serde_json::Value),
        (status = 404, description = "There is none of this id", body = ErrorBody)))]
pub(crate) async fn show(
    _admin: Admin,
    Shared(state): Shared<State>,
    InPath(id): InPath<u64>,
) -> Result<Json<Alert>, ApiError> {
    blocking(move || state.control.alert(id)?.map(Json).ok_or_else(|| no_alert(id))).await
}

/// Close an alert
///
/// A finding that comes later opens it again.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/close", tag = "alerts",
    params(("id" = u64, Path, description = "The alert's id")),
    responses((status = 200, description = "The alert as it is now", body = serde_json::Value),
        (status = 404, description = "There is none of this id", body = ErrorBody)))]
pub(crate) async fn close(
    Admin(token): Admin,
    Shared(state): Shared<State>,
    InPath(id): InPath<u64>,
) -> Result<Json<Alert>, ApiError> {
    blocking(move || {
        let closed = state.control.close_alert(id, &token.name, now())?;
        closed.map(Json).ok_or_else(|| no_alert(id))
    })
    .await
}

fn no_alert(id: u64) -> ApiError {
    ApiError::not_found(format!("there is no alert {id}"))
}
