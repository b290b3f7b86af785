//! Blackouts: times in which alerts are not wanted.

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use bergfried_alert::{Blackout, BlackoutState, Schedule};
use bergfried_control::AuditChange;
use bergfried_event::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::auth::{AlertOperator, AlertViewer, Person, audit};
use crate::error::{ApiError, ErrorBody};
use crate::request::{Body, InPath, Params};
use crate::router::State;

/// The longest name, in bytes.
const MAX_NAME: usize = 4_096;
/// The most services, and the most tags.
const MAX_LIST: usize = 1_000;
/// How many times are shown in which a blackout is active.
const SHOWN: usize = 5;

/// A blackout to make: of the alerts that have everything that is named.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewBlackout {
    /// Which environment (the hub's own)
    environment: Option<String>,
    /// All of these services
    #[serde(default)]
    service: Vec<String>,
    resource: Option<String>,
    event: Option<String>,
    group: Option<String>,
    /// All of these tags
    #[serde(default)]
    tags: Vec<String>,
    origin: Option<String>,
    customer: Option<String>,
    /// When it begins (now)
    #[schema(value_type = Option<String>)]
    start: Option<Timestamp>,
    /// When it ends, or `duration`
    #[schema(value_type = Option<String>)]
    end: Option<Timestamp>,
    /// How many seconds it lasts, or `end` (an hour)
    duration: Option<u32>,
    /// How it comes again: an RRULE (RFC 5545) such as `FREQ=WEEKLY;BYDAY=SU`
    recurrence: Option<String>,
    /// The time zone that the recurrence counts in, such as `Europe/Berlin` (UTC)
    time_zone: Option<String>,
    /// Why
    #[serde(default)]
    text: String,
}

/// A blackout, and where it stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct Listed {
    #[serde(flatten)]
    #[schema(value_type = serde_json::Value)]
    blackout: Blackout,
    /// `pending`, `active` or `expired`
    status: &'static str,
    /// Seconds that are left of it
    remaining: i64,
    /// When its status next changes, where it does
    #[schema(value_type = Option<String>)]
    next_change: Option<Timestamp>,
    /// When it is, now and next; at most 5 times
    occurrences: Vec<Occurrence>,
}

/// A time in which a blackout is active.
#[derive(Serialize, ToSchema)]
pub(crate) struct Occurrence {
    #[schema(value_type = String)]
    start: Timestamp,
    #[schema(value_type = String)]
    end: Timestamp,
}

/// Which blackouts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Only those that are `pending`, `active` or `expired`
    status: Option<String>,
}

/// List blackouts
#[utoipa::path(get, path = "/api/v1/blackouts", tag = "blackouts", params(Wanted),
    responses((status = 200, description = "Every blackout, by its start", body = Vec<Listed>),
        (status = 400, description = "An unknown status", body = ErrorBody)))]
pub(crate) async fn list(
    AlertViewer(person): AlertViewer,
    Shared(state): Shared<State>,
    Params(wanted): Params<Wanted>,
) -> Result<Json<Vec<Listed>>, ApiError> {
    let status = match wanted.status.as_deref() {
        None => None,
        Some(word) => Some(
            BlackoutState::ALL
                .into_iter()
                .find(|state| state.name() == word)
                .ok_or_else(|| ApiError::invalid("`status` must be pending, active or expired"))?,
        ),
    };
    let now = state.alerting.now();
    let mut blackouts: Vec<_> = state.alerting.read().blackouts().cloned().collect();
    blackouts.retain(|blackout| person.sees(blackout.customer.as_deref()));
    blackouts.retain(|blackout| status.is_none_or(|status| blackout.state(now) == status));
    blackouts.sort_by_key(|blackout| blackout.schedule.start());
    Ok(Json(blackouts.iter().map(|blackout| of(blackout, now)).collect()))
}

/// Make a blackout
///
/// Alerts that are made while it is active and have everything that it names are dropped, or kept with
/// the status `blackout` where the hub is told to.
#[utoipa::path(post, path = "/api/v1/blackouts", tag = "blackouts", request_body = NewBlackout,
    responses((status = 201, description = "The blackout", body = Listed),
        (status = 400, description = "Times, a recurrence or a zone that are none", body = ErrorBody)))]
pub(crate) async fn create(
    AlertOperator(by): AlertOperator,
    Shared(state): Shared<State>,
    Body(new): Body<NewBlackout>,
) -> Result<(StatusCode, Json<Listed>), ApiError> {
    let blackout = read(&state, &by, new)?;
    let kept = state.alerting.put_blackout(blackout).await?;
    let made = AuditChange::created(&kept);
    audit(&state, &by.name, "blackout.create", kept.id.clone(), made).await?;
    Ok((StatusCode::CREATED, Json(of(&kept, state.alerting.now()))))
}

/// Say what a blackout would be, and when; none is made
#[utoipa::path(post, path = "/api/v1/blackouts/preview", tag = "blackouts",
    request_body = NewBlackout,
    responses((status = 200, description = "The blackout that it would be", body = Listed),
        (status = 400, description = "Times, a recurrence or a zone that are none", body = ErrorBody)))]
pub(crate) async fn preview(
    AlertOperator(by): AlertOperator,
    Shared(state): Shared<State>,
    Body(new): Body<NewBlackout>,
) -> Result<Json<Listed>, ApiError> {
    let blackout = read(&state, &by, new)?;
    Ok(Json(of(&blackout, state.alerting.now())))
}

/// End a blackout for good
#[utoipa::path(delete, path = "/api/v1/blackouts/{id}", tag = "blackouts",
    params(("id" = String, Path, description = "The blackout's id")),
    responses((status = 204, description = "It is gone"),
        (status = 404, description = "There is none of this id", body = ErrorBody)))]
pub(crate) async fn delete(
    AlertOperator(by): AlertOperator,
    Shared(state): Shared<State>,
    InPath(id): InPath<String>,
) -> Result<StatusCode, ApiError> {
    let none = || ApiError::not_found("there is no blackout of this id");
    let blackout = {
        let book = state.alerting.read();
        let known = book.blackouts().find(|blackout| blackout.id == id);
        known.filter(|known| by.sees(known.customer.as_deref())).cloned().ok_or_else(none)?
    };
    if !state.alerting.delete_blackout(&id).await? {
        return Err(none());
    }
    audit(&state, &by.name, "blackout.delete", id, AuditChange::deleted(&blackout)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn read(state: &State, by: &Person, new: NewBlackout) -> Result<Blackout, ApiError> {
    let now = state.alerting.now();
    let environment = &state.alerting.settings().default_environment;
    let lasts = state.alerta.policy.blackout_duration;
    let customer = by.customer_of_new(new.customer)?;
    let start = new.start.unwrap_or(now);
    let end = match (new.end, new.duration) {
        (Some(_), Some(_)) => return Err(ApiError::invalid("give `end` or `duration`, not both")),
        (Some(end), None) => end,
        (None, seconds) => {
            let seconds = i64::from(seconds.unwrap_or(lasts));
            start.plus_micros(seconds * Timestamp::SECOND)
        }
    };
    let (recurrence, time_zone) = (new.recurrence.as_deref(), new.time_zone.as_deref());
    let schedule = Schedule::new(start, end, recurrence, time_zone)
        .map_err(|error| ApiError::invalid(error.to_string()))?;
    for (name, words) in [("service", &new.service), ("tags", &new.tags)] {
        if words.len() > MAX_LIST || words.iter().any(|word| word.len() > MAX_NAME) {
            return Err(ApiError::invalid(format!("`{name}` is longer than anybody means")));
        }
    }
    let named = |name: &str, word: Option<String>| match word {
        Some(word) if word.is_empty() || word.len() > MAX_NAME => Err(ApiError::invalid(format!(
            "`{name}` must have 1 to {MAX_NAME} bytes, or be absent"
        ))),
        word => Ok(word),
    };
    Ok(Blackout {
        id: uuid::Uuid::new_v4().to_string(),
        environment: named("environment", new.environment)?.unwrap_or_else(|| environment.clone()),
        service: new.service,
        resource: named("resource", new.resource)?,
        event: named("event", new.event)?,
        group: named("group", new.group)?,
        tags: new.tags,
        origin: named("origin", new.origin)?,
        customer: named("customer", customer)?,
        schedule,
        user: Some(by.name.clone()),
        create_time: now,
        text: new.text,
    })
}

fn of(blackout: &Blackout, now: Timestamp) -> Listed {
    Listed {
        blackout: blackout.clone(),
        status: blackout.state(now).name(),
        remaining: blackout.remaining(now),
        next_change: blackout.next_change(now),
        occurrences: occurrences(&blackout.schedule, now),
    }
}

/// The one that is, where one is, and those that come.
fn occurrences(schedule: &Schedule, now: Timestamp) -> Vec<Occurrence> {
    let mut found = Vec::with_capacity(SHOWN);
    if let Some((start, end)) = schedule.window(now) {
        found.push(Occurrence { start, end });
    }
    let mut after = now;
    while found.len() < SHOWN {
        let Some(start) = schedule.next_start(after) else { break };
        let Some((start, end)) = schedule.window(start) else { break };
        found.push(Occurrence { start, end });
        after = start;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_and_what_comes_is_shown() {
        let day = |day: i64, hour: i64| {
            Timestamp::from_micros(day * Timestamp::DAY + hour * 3_600 * Timestamp::SECOND)
        };
        let shown = |schedule: &Schedule, now| -> Vec<(Timestamp, Timestamp)> {
            let found = occurrences(schedule, now);
            found.iter().map(|occurrence| (occurrence.start, occurrence.end)).collect()
        };
        let daily =
            Schedule::new(day(20_000, 2), day(20_000, 4), Some("FREQ=DAILY"), None).unwrap();
        let of = |first: i64| -> Vec<_> {
            (first..first + 5).map(|at| (day(at, 2), day(at, 4))).collect()
        };
        assert_eq!(shown(&daily, day(20_000, 0)), of(20_000));
        assert_eq!(shown(&daily, day(20_007, 3)), of(20_007), "one is");
        assert_eq!(shown(&daily, day(20_007, 4)), of(20_008), "it is over");
        let twice = Schedule::new(day(1, 2), day(1, 4), Some("FREQ=DAILY;COUNT=2"), None).unwrap();
        assert_eq!(shown(&twice, day(2, 0)), [(day(2, 2), day(2, 4))]);
        let once = Schedule::new(day(1, 2), day(1, 4), None, None).unwrap();
        assert_eq!(shown(&once, day(1, 0)), [(day(1, 2), day(1, 4))]);
        assert_eq!(shown(&once, day(1, 3)), [(day(1, 2), day(1, 4))]);
        assert_eq!(shown(&once, day(1, 4)), []);
    }
}
