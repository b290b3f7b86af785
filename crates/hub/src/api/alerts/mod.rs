//! Alerts: a list, one, what people do to them, what is behind one and what is like it.

pub(crate) mod act;
mod body;
pub(crate) mod bulk;
pub(crate) mod events;
pub(crate) mod similar;
pub(crate) mod table;

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use bergfried_alert::query::{Filter, listing};
use bergfried_alert::{Alert, Model, Status};
use bergfried_alerting::{Book, MIN_PREFIX};
use bergfried_event::{Severity, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

pub(crate) use self::body::AlertBody;
use self::body::last_seen;
use crate::auth::{AlertViewer, Person};
use crate::error::{ApiError, ErrorBody, blocking};
use crate::request::{InPath, Params};
use crate::router::State;

const MAX_PAGE: usize = 1_000;

/// Which alerts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Only of these statuses, such as `open` or `open,ack,shelved`
    status: Option<String>,
    /// Only this severe: informational, low, medium, high, critical, or the alert's own word
    severity: Option<String>,
    /// At least this severe: informational, low, medium, high, critical
    min_severity: Option<String>,
    /// Only of this environment; after `~` only a part of it, in any case
    environment: Option<String>,
    /// Only of this service; after `~` only a part of it, in any case
    service: Option<String>,
    /// Only with this text in a name, the sentence or the example, in any case
    text: Option<String>,
    /// Only what this query finds, such as `resource:web* AND NOT status:closed`
    q: Option<String>,
    /// 1 to 1000 (100)
    limit: Option<usize>,
    /// After this place: the `next` of the page before
    before: Option<String>,
}

/// Alerts, latest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct Page {
    #[schema(value_type = Vec<serde_json::Value>)]
    alerts: Vec<AlertBody>,
    /// The place to continue from, where there is more
    next: Option<String>,
}

/// A place in the list, which is ordered by when an alert was last seen and by its id, latest first.
type Place = (Timestamp, String);

/// List alerts
#[utoipa::path(get, path = "/api/v1/alerts", tag = "alerts", params(Wanted),
    responses((status = 200, description = "Alerts, the one seen last first", body = Page),
        (status = 400, description = "A parameter that cannot be read", body = ErrorBody)))]
pub(crate) async fn list(
    AlertViewer(person): AlertViewer,
    Shared(state): Shared<State>,
    Params(wanted): Params<Wanted>,
) -> Result<Json<Page>, ApiError> {
    let limit = match wanted.limit.unwrap_or(100) {
        limit if (1..=MAX_PAGE).contains(&limit) => limit,
        _ => return Err(ApiError::invalid(format!("`limit` must be 1 to {MAX_PAGE}"))),
    };
    let model = &state.alerting.settings().model;
    let statuses = wanted.status.as_deref().map(read_statuses).transpose()?;
    let severity = wanted.severity.as_deref().map(|word| Wanting::read(word, model)).transpose()?;
    let min_severity = match &wanted.min_severity {
        None => Severity::Informational,
        Some(word) => word.parse().map_err(|error: bergfried_event::UnknownSeverity| {
            ApiError::invalid(error.to_string())
        })?,
    };
    let before = wanted.before.as_deref().map(read_place).transpose()?;
    let asked = [("environment", wanted.environment), ("service", wanted.service), ("q", wanted.q)];
    let filter = read_filter(&state, asked)?.for_customers(person.customers());
    let text = wanted.text.map(|text| text.to_lowercase());
    blocking(move || {
        let model = &state.alerting.settings().model;
        let mut found: Vec<Arc<Alert>> = {
            let book = state.alerting.read();
            let asked = book.iter().filter(|alert| {
                statuses.as_ref().is_none_or(|statuses| statuses.contains(&alert.status))
                    && severity.as_ref().is_none_or(|severity| severity.is_of(alert, model))
                    && model.as_rule(&alert.severity) >= min_severity
                    && before.as_ref().is_none_or(|(time, id)| {
                        (last_seen(alert), alert.id.as_str()) < (*time, id.as_str())
                    })
            });
            asked.cloned().collect()
        };
        // What may take long is asked without holding up the writer.
        found.retain(|alert| filter.matches(alert));
        if let Some(text) = &text {
            found.retain(|alert| mentions(alert, text));
        }
        found.sort_by(|one, other| (last_seen(other), &other.id).cmp(&(last_seen(one), &one.id)));
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more);
        let next = next.map(|last| format!("{}_{}", last_seen(last).micros(), last.id));
        let alerts = found.iter().map(|alert| AlertBody::of(alert, model)).collect();
        Ok(Json(Page { alerts, next }))
    })
    .await
}

/// How severe an alert is to be: in the words of rules, or in its own.
enum Wanting {
    Rule(Severity),
    Own(String),
}

impl Wanting {
    fn read(word: &str, model: &Model) -> Result<Wanting, ApiError> {
        let rule = word.parse::<Severity>();
        if let Ok(severity) = rule {
            return Ok(Wanting::Rule(severity));
        }
        let own = model.severity(word).map(|word| Wanting::Own(word.to_owned()));
        own.map_err(|error| ApiError::invalid(format!("`severity`: {error}")))
    }

    /// The alerts' own words that it means.
    fn words(&self, model: &Model) -> Vec<String> {
        match self {
            Wanting::Own(word) => vec![word.clone()],
            Wanting::Rule(severity) => {
                let words = model.severities.iter().map(|(word, _)| word);
                words.filter(|word| model.as_rule(word) == *severity).cloned().collect()
            }
        }
    }

    fn is_of(&self, alert: &Alert, model: &Model) -> bool {
        match self {
            Wanting::Rule(severity) => model.as_rule(&alert.severity) == *severity,
            Wanting::Own(word) => alert.severity == *word,
        }
    }
}

/// What Alerta's own parameters of these names ask for.
pub(crate) fn read_filter<const N: usize>(
    state: &State,
    asked: [(&str, Option<String>); N],
) -> Result<Filter, ApiError> {
    let given = asked.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let given: Vec<(String, String)> = given.collect();
    let alerting = &state.alerting;
    match listing(&given, alerting.settings(), alerting.now()) {
        Ok(listing) => Ok(listing.filter),
        Err(error) => Err(ApiError::invalid(error.to_string())),
    }
}

fn read_statuses(words: &str) -> Result<Vec<Status>, ApiError> {
    let read = |word: &str| {
        word.trim().parse().map_err(|error: bergfried_alert::UnknownStatus| {
            ApiError::invalid(format!("`status`: {error}"))
        })
    };
    words.split(',').map(read).collect()
}

fn read_place(text: &str) -> Result<Place, ApiError> {
    text.split_once('_')
        .and_then(|(micros, id)| {
            Some((Timestamp::from_micros(micros.parse().ok()?), id.to_owned()))
        })
        .ok_or_else(|| ApiError::invalid("`before` must be the `next` of an earlier page"))
}

fn mentions(alert: &Alert, wanted: &str) -> bool {
    let names = [&alert.resource, &alert.event, &alert.text];
    let evidence = alert.evidence.as_deref().into_iter().flat_map(|evidence| {
        let optional = [&evidence.host, &evidence.user, &evidence.source, &evidence.program];
        [&evidence.rule_id, &evidence.example]
            .into_iter()
            .chain(optional.into_iter().flatten())
            .chain(&evidence.users.names)
            .chain(&evidence.sources.names)
    });
    names
        .into_iter()
        .chain(evidence)
        .chain(&alert.service)
        .chain(&alert.tags)
        .any(|text| text.to_lowercase().contains(wanted))
}

/// Show one alert
#[utoipa::path(get, path = "/api/v1/alerts/{id}", tag = "alerts",
    params(("id" = String, Path, description = "The alert's id, or the only one that begins so")),
    responses((status = 200, description = "The alert", body = serde_json::Value),
        (status = 404, description = "There is none of this id", body = ErrorBody)))]
pub(crate) async fn show(
    AlertViewer(person): AlertViewer,
    Shared(state): Shared<State>,
    InPath(id): InPath<String>,
) -> Result<Json<AlertBody>, ApiError> {
    let alert = find(&state, &person, &id)?;
    Ok(Json(AlertBody::of(&alert, &state.alerting.settings().model)))
}

/// The alert that an id, or the beginning of one, means to a person.
fn find(state: &State, person: &Person, id: &str) -> Result<Arc<Alert>, ApiError> {
    let book = state.alerting.read();
    let seen = book.get(id).filter(|alert| person.sees(alert.customer.as_deref()));
    seen.cloned().ok_or_else(|| no_alert(&book, person, id))
}

/// Why an id means no alert to a person: of what is not theirs they hear nothing.
fn no_alert(book: &Book, person: &Person, id: &str) -> ApiError {
    let shown = id.get(..64).unwrap_or(id).escape_debug();
    let seen = book.iter().filter(|alert| person.sees(alert.customer.as_deref()));
    let beginning = seen.filter(|alert| !id.is_empty() && alert.id.starts_with(id)).take(2);
    ApiError::not_found(match beginning.count() {
        0 => format!("there is no alert {shown}"),
        _ if id.len() < MIN_PREFIX => {
            format!("there is no alert {shown}: give at least {MIN_PREFIX} characters of its id")
        }
        _ => format!("there are several alerts that begin with {shown}: give more of the id"),
    })
}
