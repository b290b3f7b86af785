//! `GET /api/v1/audit`: who did what, and whether that is still as it was written.

use axum::Json;
use axum::extract::State as Shared;
use bergfried_control::{AuditCheck, AuditEntry, AuditQuery};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::auth::Admin;
use crate::error::{ApiError, ErrorBody, blocking};
use crate::request::Params;
use crate::router::State;

const MAX_PAGE: usize = 1_000;

/// Which entries.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wanted {
    /// 1 to 1000 (100)
    limit: Option<usize>,
    /// Only entries with a smaller id: the `next` of the page before
    before: Option<u64>,
    /// Only what this one did
    who: Option<String>,
    /// Only actions that begin so, such as `user.`
    action: Option<String>,
}

/// Entries of the audit trail.
#[derive(Serialize, ToSchema)]
pub(crate) struct Page {
    /// `id`, `at`, `who`, `action`, `target`, `before`, `after` and `hash`, newest first
    #[schema(value_type = Vec<serde_json::Value>)]
    entries: Vec<AuditEntry>,
    /// Whether every entry of the whole trail is as it was written
    verified: bool,
    /// The first entry that is not as it was written, or is missing
    broken: Option<u64>,
    /// How many entries there are
    total: u64,
    /// The `before` of the next page, where there is more
    next: Option<u64>,
}

/// The audit trail
///
/// Each entry carries a hash over itself and the hash of the one before; all of them are looked at.
#[utoipa::path(get, path = "/api/v1/audit", tag = "people", params(Wanted),
    responses((status = 200, description = "Entries, newest first", body = Page),
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
    let set = |text: Option<String>| text.filter(|text| !text.is_empty());
    let query = AuditQuery {
        before: wanted.before,
        who: set(wanted.who),
        action: set(wanted.action),
        limit: limit.saturating_add(1),
    };
    blocking(move || {
        let mut entries = state.control.audit(&query)?;
        let AuditCheck { entries: total, broken } = state.control.verify_audit()?;
        let is_more = entries.len() > limit;
        entries.truncate(limit);
        let next = entries.last().map(|entry| entry.id).filter(|_| is_more);
        Ok(Json(Page { entries, verified: broken.is_none(), broken, total, next }))
    })
    .await
}
