//! Searches that people keep by a name, for themselves or for everyone.

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use bergfried_control::{AuditChange, NewAudit, NewSearch, SavedSearch, SearchTime};
use bergfried_event::Timestamp;
use bergfried_query::pipeline;
use bergfried_query::search::duration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::{Operator, Person, Role, Viewer};
use crate::error::{ApiError, ErrorBody, blocking};
use crate::request::{Body, InPath};
use crate::router::State;
use crate::running::now;

/// The longest name of a search, in characters.
const MAX_NAME: usize = 100;

/// A search to keep.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    /// What you call it, 1 to 100 characters; each name once
    name: String,
    /// The search, with its steps if it has any
    query: String,
    /// Over which span (24h), where there is no `from`
    last: Option<String>,
    /// From this time on (RFC 3339 or a date)
    #[schema(value_type = Option<String>)]
    from: Option<Timestamp>,
    /// Before this time, where there is a `from`
    #[schema(value_type = Option<String>)]
    to: Option<Timestamp>,
    /// Whether everyone sees it (no)
    #[serde(default)]
    shared: bool,
}

impl Kept {
    fn read(&self) -> Result<NewSearch<'_>, ApiError> {
        if !(1..=MAX_NAME).contains(&self.name.trim().chars().count()) {
            return Err(ApiError::invalid("`name` must have 1 to 100 characters"));
        }
        pipeline::parse(&self.query, now())
            .map_err(|error| ApiError::unreadable(&self.query, &error))?;
        let (name, query, shared) = (self.name.trim(), self.query.as_str(), self.shared);
        Ok(NewSearch { name, query, time: self.time()?, shared })
    }

    fn time(&self) -> Result<SearchTime<'_>, ApiError> {
        match (self.from, self.to, self.last.as_deref()) {
            (Some(_), _, Some(_)) => Err(ApiError::invalid("say `last` or `from`, not both")),
            (None, Some(_), _) => Err(ApiError::invalid("`to` needs `from`")),
            (Some(from), Some(to), None) if to <= from => {
                Err(ApiError::invalid("`to` must be later than `from`"))
            }
            (Some(from), to, None) => Ok(SearchTime::Between(from, to)),
            (None, None, last) => {
                let last = last.unwrap_or("24h");
                if duration(last).is_none_or(|span| span <= 0) {
                    return Err(ApiError::invalid("`last` must be a span such as 15m, 24h or 7d"));
                }
                Ok(SearchTime::Last(last))
            }
        }
    }
}

/// A search that is kept.
#[derive(Serialize, ToSchema)]
pub(crate) struct Listed {
    /// `id`, `owner`, `name`, `query`, `last` or `from` and `to`, `shared` and `changed`
    #[serde(flatten)]
    #[schema(value_type = serde_json::Value)]
    search: SavedSearch,
    /// Whether you may change and delete it
    yours: bool,
}

impl Listed {
    fn of(search: SavedSearch, person: &Person) -> Listed {
        Listed { yours: may_change(person, &search), search }
    }
}

fn may_change(person: &Person, search: &SavedSearch) -> bool {
    search.owner == person.name || person.role == Role::Admin
}

/// List kept searches
///
/// Your own, and those that others share, by name.
#[utoipa::path(get, path = "/api/v1/searches", tag = "searches",
    responses((status = 200, description = "The searches", body = Vec<Listed>)))]
pub(crate) async fn list(
    Viewer(person): Viewer,
    Shared(state): Shared<State>,
) -> Result<Json<Vec<Listed>>, ApiError> {
    blocking(move || {
        let searches = state.control.saved_searches(&person.name)?;
        Ok(Json(searches.into_iter().map(|search| Listed::of(search, &person)).collect()))
    })
    .await
}

/// Keep a search
#[utoipa::path(post, path = "/api/v1/searches", tag = "searches", request_body = Kept,
    responses((status = 201, description = "The search", body = Listed),
        (status = 400, description = "A search that cannot be read, or a name that is taken", body = ErrorBody)))]
pub(crate) async fn create(
    Operator(person): Operator,
    Shared(state): Shared<State>,
    Body(kept): Body<Kept>,
) -> Result<(StatusCode, Json<Listed>), ApiError> {
    blocking(move || {
        let made = state.control.keep_search(&person.name, &kept.read()?, now())?;
        audit(&state, &person, "search.create", &made, AuditChange::created(&made)?)?;
        Ok((StatusCode::CREATED, Json(Listed::of(made, &person))))
    })
    .await
}

/// Change a kept search
#[utoipa::path(put, path = "/api/v1/searches/{id}", tag = "searches", request_body = Kept,
    params(("id" = u64, Path, description = "Its number")),
    responses((status = 200, description = "The search as it is now", body = Listed),
        (status = 400, description = "A search that cannot be read, or a name that is taken", body = ErrorBody),
        (status = 403, description = "It is somebody else's", body = ErrorBody),
        (status = 404, description = "There is none of this number that you see", body = ErrorBody)))]
pub(crate) async fn change(
    Operator(person): Operator,
    Shared(state): Shared<State>,
    InPath(id): InPath<u64>,
    Body(kept): Body<Kept>,
) -> Result<Json<Listed>, ApiError> {
    blocking(move || {
        let before = changeable(&state, &person, id)?;
        let changed =
            state.control.change_search(id, &kept.read()?, now())?.ok_or_else(|| none(id))?;
        let change = AuditChange::between(&before, &changed)?;
        audit(&state, &person, "search.change", &changed, change)?;
        Ok(Json(Listed::of(changed, &person)))
    })
    .await
}

/// Forget a kept search
#[utoipa::path(delete, path = "/api/v1/searches/{id}", tag = "searches",
    params(("id" = u64, Path, description = "Its number")),
    responses((status = 204, description = "It is gone"),
        (status = 403, description = "It is somebody else's", body = ErrorBody),
        (status = 404, description = "There is none of this number that you see", body = ErrorBody)))]
pub(crate) async fn delete(
    Operator(person): Operator,
    Shared(state): Shared<State>,
    InPath(id): InPath<u64>,
) -> Result<StatusCode, ApiError> {
    blocking(move || {
        let search = changeable(&state, &person, id)?;
        if !state.control.delete_search(id)? {
            return Err(none(id));
        }
        audit(&state, &person, "search.delete", &search, AuditChange::deleted(&search)?)?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// The search of this number, which must be the person's to change. What they cannot see is not there.
fn changeable(state: &State, person: &Person, id: u64) -> Result<SavedSearch, ApiError> {
    match state.control.saved_search(id)? {
        Some(search) if may_change(person, &search) => Ok(search),
        Some(search) if search.shared => {
            Err(ApiError::forbidden("this search is somebody else's: keep a copy of your own"))
        }
        _ => Err(none(id)),
    }
}

fn none(id: u64) -> ApiError {
    ApiError::not_found(format!("there is no search {id}"))
}

fn audit(
    state: &State,
    person: &Person,
    action: &str,
    search: &SavedSearch,
    change: AuditChange,
) -> Result<(), ApiError> {
    let SavedSearch { id, owner, name, .. } = search;
    let target = format!("search {id} of {owner} ({name})");
    let (who, action) = (person.name.clone(), action.to_owned());
    Ok(state.control.append_audits(&[NewAudit { who, action, target, change }], now())?)
}
