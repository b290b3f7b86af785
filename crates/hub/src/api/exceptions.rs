//! Exceptions: findings of which no alert is made, for a time, each with an owner and a reason.

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use bergfried_alert::exception::{Exception, Scope, propose};
use bergfried_control::AuditChange;
use bergfried_event::{Timestamp, nearest};
use bergfried_query::search::duration;
use bergfried_rules::RuleSet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::{self, Operator, Viewer};
use crate::error::{ApiError, ErrorBody, blocking};
use crate::history::Bounds;
use crate::preview::{Preview, preview};
use crate::request::{Body, InPath};
use crate::router::State;

/// How many days a preview looks back where nobody says it, and at most.
const DAYS: u32 = 30;
const MAX_DAYS: u32 = 366;
/// How long a preview waits for the one before it.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// Which findings: those of an alert, or of rules and a condition.
struct Meant {
    alert: Option<String>,
    fields: Vec<String>,
    rules: Vec<String>,
    when: Option<String>,
}

impl Meant {
    fn scope(&self, state: &State) -> Result<Scope, ApiError> {
        let now = state.alerting.now();
        let scope = match &self.alert {
            Some(_) if !self.rules.is_empty() || self.when.is_some() => {
                return Err(ApiError::invalid("give `alert`, or `rules` and `when`, not both"));
            }
            None if !self.fields.is_empty() => {
                return Err(ApiError::invalid(
                    "`fields` are those of an `alert`, which is missing",
                ));
            }
            Some(id) => {
                let alert = state.alerting.read().get(id).cloned().ok_or_else(|| {
                    ApiError::not_found(format!("there is no alert {}", id.escape_debug()))
                })?;
                propose(&alert, &self.fields, now)
                    .map_err(|error| ApiError::invalid(error.to_string()))?
            }
            None => {
                let when = self.when.as_deref().unwrap_or_default();
                Scope::new(self.rules.clone(), when, now)
                    .map_err(|error| ApiError::invalid(error.to_string()))?
            }
        };
        known(&state.rules.now().rules, scope.rules())?;
        Ok(scope)
    }
}

/// An id that no rule has would make an exception that does nothing.
fn known(rules: &RuleSet, wanted: &[String]) -> Result<(), ApiError> {
    for id in wanted {
        let of_sec = || rules.sec().rules().map(|rule| rule.id.as_str());
        if rules.get(id).is_none() && !of_sec().any(|own| own == id) {
            let ids = rules.rules().iter().map(|rule| rule.id()).chain(of_sec());
            let hint = nearest(id, ids).map(|near| format!(", did you mean `{near}`?"));
            let (id, hint) = (id.escape_debug(), hint.unwrap_or_default());
            return Err(ApiError::invalid(format!("no rule of the id `{id}` runs{hint}")));
        }
    }
    Ok(())
}

/// An exception to try.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tried {
    /// The id of an alert, whose rule is meant where `fields` are as in it
    alert: Option<String>,
    /// Fields of the alert (its user and host)
    #[serde(default)]
    fields: Vec<String>,
    /// Ids of rules; none is any rule
    #[serde(default)]
    rules: Vec<String>,
    /// A condition over findings, in the search language
    when: Option<String>,
    /// How many days to look back, 1 to 366 (30)
    days: Option<u32>,
}

/// What an exception would be, and what it would have done.
#[derive(Serialize, ToSchema)]
pub(crate) struct PreviewBody {
    rules: Vec<String>,
    when: String,
    #[serde(flatten)]
    preview: Preview,
}

/// Try an exception over what is stored
///
/// Nothing is changed. One preview runs at a time, for at most ten seconds and two million events;
/// `cut` says where that was too little.
#[utoipa::path(post, path = "/api/v1/exceptions/preview", tag = "exceptions", request_body = Tried,
    responses((status = 200, description = "What it would have hidden", body = PreviewBody),
        (status = 400, description = "It cannot be read, or names no rule that runs", body = ErrorBody),
        (status = 404, description = "There is no such alert", body = ErrorBody),
        (status = 503, description = "Others are being tried", body = ErrorBody)))]
pub(crate) async fn try_out(
    _operator: Operator,
    Shared(state): Shared<State>,
    Body(tried): Body<Tried>,
) -> Result<Json<PreviewBody>, ApiError> {
    let days = match tried.days.unwrap_or(DAYS) {
        days if (1..=MAX_DAYS).contains(&days) => i64::from(days),
        _ => return Err(ApiError::invalid(format!("`days` must be 1 to {MAX_DAYS}"))),
    };
    let Tried { alert, fields, rules, when, .. } = tried;
    let scope = Meant { alert, fields, rules, when }.scope(&state)?;
    // One at a time and none of the searches' permits, so that whoever searches does not wait for it.
    let turn = tokio::time::timeout(PATIENCE, state.previews.clone().acquire_owned()).await;
    let permit = match turn {
        Ok(permit) => permit.map_err(|error| ApiError::internal(&error))?,
        Err(_elapsed) => {
            let message = "other exceptions are being tried, try again";
            return Err(ApiError::later(StatusCode::SERVICE_UNAVAILABLE, message, 10));
        }
    };
    blocking(move || {
        let _permit = permit;
        let now = state.alerting.now();
        let range = (now.plus_micros(-days * Timestamp::DAY), now);
        let rules = state.rules.now().rules;
        let preview = preview(&state.reader, &rules, &scope, range, Bounds::default())?;
        let (rules, when) = (scope.rules().to_vec(), scope.when().to_owned());
        Ok(Json(PreviewBody { rules, when, preview }))
    })
    .await
}

/// An exception to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewException {
    /// The id of an alert, whose rule is meant where `fields` are as in it
    alert: Option<String>,
    /// Fields of the alert (its user and host)
    #[serde(default)]
    fields: Vec<String>,
    /// Ids of rules; none is any rule
    #[serde(default)]
    rules: Vec<String>,
    /// A condition over findings, in the search language
    when: Option<String>,
    /// Who answers for it (the name of the key)
    owner: Option<String>,
    /// Why such findings mean nothing
    reason: String,
    /// When it ends by itself, or `for`; at most three years from now
    #[schema(value_type = Option<String>)]
    expires: Option<Timestamp>,
    /// How long it lasts, such as 12h or 30d, or `expires`
    #[serde(rename = "for")]
    lasts: Option<String>,
}

/// An exception, and whether it counts.
#[derive(Serialize, ToSchema)]
pub(crate) struct Listed {
    #[serde(flatten)]
    #[schema(value_type = serde_json::Value)]
    exception: Exception,
    /// Whether it has not expired
    live: bool,
}

impl Listed {
    fn of(exception: &Exception, now: Timestamp) -> Listed {
        Listed { exception: exception.clone(), live: exception.is_live(now) }
    }
}

/// Make an exception
///
/// Findings that it covers make no alert from now on, and are counted on it. Alerts that there are
/// stay as they are.
#[utoipa::path(post, path = "/api/v1/exceptions", tag = "exceptions", request_body = NewException,
    responses((status = 201, description = "The exception", body = Listed),
        (status = 400, description = "No reason, no end, or findings that cannot be meant", body = ErrorBody),
        (status = 404, description = "There is no such alert", body = ErrorBody),
        (status = 409, description = "There are too many already", body = ErrorBody)))]
pub(crate) async fn create(
    Operator(by): Operator,
    Shared(state): Shared<State>,
    Body(new): Body<NewException>,
) -> Result<(StatusCode, Json<Listed>), ApiError> {
    let now = state.alerting.now();
    let expires = match (new.expires, new.lasts.as_deref()) {
        (Some(expires), None) => expires,
        (None, Some(lasts)) => duration(lasts)
            .map(|lasts| now.plus_micros(lasts))
            .ok_or_else(|| ApiError::invalid("`for` must be a span such as 12h or 30d"))?,
        _ => return Err(ApiError::invalid("an exception needs an end: `expires` or `for`")),
    };
    let NewException { alert, fields, rules, when, owner, reason, .. } = new;
    let scope = Meant { alert, fields, rules, when }.scope(&state)?;
    let owner = owner.unwrap_or_else(|| by.name.clone());
    let id = uuid::Uuid::new_v4().to_string();
    let exception = Exception::new(id, scope, &owner, &reason, expires, now)
        .map_err(|error| ApiError::invalid(error.to_string()))?;
    let made = state.alerting.add_exception(exception).await?;
    audit(&state, by.name, "exception.create", &made).await?;
    Ok((StatusCode::CREATED, Json(Listed::of(&made, now))))
}

/// List exceptions
#[utoipa::path(get, path = "/api/v1/exceptions", tag = "exceptions",
    responses((status = 200, description = "Every exception, also expired ones, as they were made",
        body = Vec<Listed>)))]
pub(crate) async fn list(_viewer: Viewer, Shared(state): Shared<State>) -> Json<Vec<Listed>> {
    let now = state.alerting.now();
    let exceptions: Vec<_> = state.alerting.read().exceptions().cloned().collect();
    Json(exceptions.iter().map(|exception| Listed::of(exception, now)).collect())
}

/// Show an exception
#[utoipa::path(get, path = "/api/v1/exceptions/{id}", tag = "exceptions",
    params(("id" = String, Path, description = "Its id, or the only one that begins so")),
    responses((status = 200, description = "The exception", body = Listed),
        (status = 404, description = "There is none of this id", body = ErrorBody)))]
pub(crate) async fn show(
    _viewer: Viewer,
    Shared(state): Shared<State>,
    InPath(id): InPath<String>,
) -> Result<Json<Listed>, ApiError> {
    let found = state.alerting.read().exception(&id).cloned().ok_or_else(none)?;
    Ok(Json(Listed::of(&found, state.alerting.now())))
}

/// Take an exception away
///
/// Such findings make alerts again.
#[utoipa::path(delete, path = "/api/v1/exceptions/{id}", tag = "exceptions",
    params(("id" = String, Path, description = "Its id, or the only one that begins so")),
    responses((status = 204, description = "It is gone"),
        (status = 404, description = "There is none of this id", body = ErrorBody)))]
pub(crate) async fn delete(
    Operator(by): Operator,
    Shared(state): Shared<State>,
    InPath(id): InPath<String>,
) -> Result<StatusCode, ApiError> {
    let id = state.alerting.read().exception(&id).map(|found| found.id.clone()).ok_or_else(none)?;
    let deleted = state.alerting.delete_exception(&id).await?.ok_or_else(none)?;
    audit(&state, by.name, "exception.delete", &deleted).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn none() -> ApiError {
    ApiError::not_found("there is no exception of this id")
}

async fn audit(
    state: &State,
    who: String,
    action: &'static str,
    exception: &Exception,
) -> Result<(), ApiError> {
    let Exception { id, scope, owner, reason, expires, hits, .. } = exception;
    let detail = format!("{id} of {owner} until {expires}, {hits} hits: {reason}; {scope}");
    let change = match action {
        "exception.delete" => AuditChange::deleted(exception),
        _ => AuditChange::created(exception),
    };
    auth::audit(state, &who, action, detail, change).await
}
