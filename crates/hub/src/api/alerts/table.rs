//! `GET /api/v1/alerts/table` and `/counts`: what a page of alerts shows, and how many stand behind
//! each of its filters.
//!
//! A row is the little of an alert that a table shows, so that a page stays small whatever is written
//! beside its alerts.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use bergfried_alert::query::{self, Filter, Glance, Listing, environments, listing, services};
use bergfried_alert::{Alert, Model, Status};
use bergfried_event::{Severity, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Wanting, last_seen, read_statuses};
use crate::auth::{AlertViewer, Person};
use crate::error::{ApiError, ErrorBody, blocking};
use crate::request::Params;
use crate::router::State;

/// The most rows of a page.
const MAX_ROWS: usize = 500;
/// The most services and customers that are counted by name; the rest shares no name.
const MAX_NAMES: usize = 200;

/// Which alerts, in which order, and which page of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Only of these statuses, such as `open` or `open,ack`
    status: Option<String>,
    /// Only this severe: informational, low, medium, high, critical, or the alert's own word
    severity: Option<String>,
    /// Only of this environment
    environment: Option<String>,
    /// Only of this service
    service: Option<String>,
    /// Only of this customer
    customer: Option<String>,
    /// Only what this query finds, such as `resource:web* AND NOT status:closed`
    q: Option<String>,
    /// By this field of the alert, such as `severity`; a `-` before it turns it round (`lastReceiveTime`,
    /// of which the latest comes first)
    sort: Option<String>,
    /// From 1 (1)
    page: Option<u32>,
    /// Rows of a page: 1 to 500 (100)
    limit: Option<usize>,
}

impl Wanted {
    /// Reads it in the terms of the alerts' own queries.
    fn read(&self, state: &State, person: &Person) -> Result<Listing, ApiError> {
        let settings = state.alerting.settings();
        let mut asked: Vec<(&str, String)> = Vec::new();
        if let Some(words) = &self.status {
            let statuses = read_statuses(words)?;
            asked.extend(statuses.iter().map(|status| ("status", status.name().to_owned())));
        }
        if let Some(word) = &self.severity {
            let words = Wanting::read(word, &settings.model)?.words(&settings.model);
            asked.extend(words.into_iter().map(|word| ("severity", word)));
        }
        for (name, value) in [
            ("environment", &self.environment),
            ("service", &self.service),
            ("customer", &self.customer),
            ("q", &self.q),
            ("sort-by", &self.sort),
        ] {
            asked.extend(value.clone().map(|value| (name, value)));
        }
        let limit = self.limit.unwrap_or(100);
        if !(1..=MAX_ROWS).contains(&limit) {
            return Err(ApiError::invalid(format!("`limit` must be 1 to {MAX_ROWS}")));
        }
        asked.push(("page", self.page.unwrap_or(1).max(1).to_string()));
        asked.push(("page-size", limit.to_string()));
        let asked: Vec<_> = asked.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
        let listing = listing(&asked, settings, state.alerting.now())
            .map_err(|error| ApiError::invalid(error.to_string()))?;
        Ok(Listing { filter: listing.filter.for_customers(person.customers()), ..listing })
    }
}

/// A page of alerts.
#[derive(Serialize, ToSchema)]
pub(crate) struct Table {
    #[schema(value_type = Vec<serde_json::Value>)]
    rows: Vec<Row>,
    /// How many alerts are found in all
    total: usize,
}

/// What a table shows of an alert.
#[derive(Serialize)]
struct Row {
    id: String,
    environment: String,
    resource: String,
    event: String,
    severity: Severity,
    /// The alert's own word for it.
    severity_word: String,
    status: Status,
    duplicates: u64,
    /// Events that it stands on.
    count: u64,
    first_seen: Timestamp,
    last_seen: Timestamp,
    last_received: Timestamp,
    service: Vec<String>,
    value: Option<String>,
    text: String,
    customer: Option<String>,
    host: Option<String>,
    user: Option<String>,
    source: Option<String>,
    rule_id: Option<String>,
    notes: usize,
    /// Who did something to it last.
    last_user: Option<String>,
    revision: u64,
}

impl Row {
    fn of(alert: &Alert, model: &Model) -> Row {
        let evidence = alert.evidence.as_deref();
        let said = alert.duplicate_count.saturating_add(1);
        Row {
            id: alert.id.clone(),
            environment: alert.environment.clone(),
            resource: alert.resource.clone(),
            event: alert.event.clone(),
            severity: model.as_rule(&alert.severity),
            severity_word: alert.severity.clone(),
            status: alert.status,
            duplicates: alert.duplicate_count,
            count: evidence.map_or(said, |evidence| evidence.count),
            first_seen: evidence.map_or(alert.create_time, |evidence| evidence.first_seen),
            last_seen: last_seen(alert),
            last_received: alert.last_receive_time,
            service: alert.service.clone(),
            value: alert.value.clone(),
            text: alert.text.clone(),
            customer: alert.customer.clone(),
            host: evidence.and_then(|evidence| evidence.host.clone()),
            user: evidence.and_then(|evidence| evidence.user.clone()),
            source: evidence.and_then(|evidence| evidence.source.clone()),
            rule_id: evidence.map(|evidence| evidence.rule_id.clone()),
            notes: alert.notes.len(),
            last_user: alert.history.iter().rev().find_map(|entry| entry.user.clone()),
            revision: alert.revision,
        }
    }
}

/// A page of alerts as a table shows them
#[utoipa::path(get, path = "/api/v1/alerts/table", tag = "alerts", params(Wanted),
    responses((status = 200, description = "The page; no rows where the list is shorter", body = Table),
        (status = 400, description = "A parameter that cannot be read", body = ErrorBody)))]
pub(crate) async fn table(
    AlertViewer(person): AlertViewer,
    Shared(state): Shared<State>,
    Params(wanted): Params<Wanted>,
) -> Result<Json<Table>, ApiError> {
    over(state, move |state, alerts| {
        let listing = wanted.read(state, &person)?;
        let model = &state.alerting.settings().model;
        let found = alerts.found(&listing.filter);
        let listing = Listing { filter: Filter::default(), ..listing };
        let alerts = || found.iter().map(|(alert, glance)| (alert, glance));
        let rows = match query::page(alerts(), &listing, model) {
            Ok(page) => page.alerts.iter().map(|alert| Row::of(alert, model)).collect(),
            // Alerts went away since somebody scrolled there.
            Err(query::OutOfRange { .. }) => Vec::new(),
        };
        Ok(Table { rows, total: found.len() })
    })
    .await
}

/// How many alerts stand behind each filter.
#[derive(Serialize, ToSchema)]
pub(crate) struct Counts {
    total: usize,
    /// By the words of rules
    severities: BTreeMap<&'static str, usize>,
    statuses: BTreeMap<&'static str, usize>,
    /// Of every environment, by name, whichever is asked for
    environments: Vec<Named>,
    services: Vec<Named>,
    customers: Vec<Named>,
}

/// A name and how many alerts have it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Named {
    name: String,
    count: usize,
}

/// How many alerts there are of each severity, status, environment, service and customer
///
/// The parameters are those of the table; order and page mean nothing here.
#[utoipa::path(get, path = "/api/v1/alerts/counts", tag = "alerts", params(Wanted),
    responses((status = 200, description = "The counts", body = Counts),
        (status = 400, description = "A parameter that cannot be read", body = ErrorBody)))]
pub(crate) async fn counts(
    AlertViewer(person): AlertViewer,
    Shared(state): Shared<State>,
    Params(mut wanted): Params<Wanted>,
) -> Result<Json<Counts>, ApiError> {
    over(state, move |state, alerts| {
        let model = &state.alerting.settings().model;
        let environment = wanted.environment.take();
        let elsewhere = wanted.read(state, &person)?.filter;
        // Tabs count what the other filters leave, in every environment.
        let everywhere = alerts.found(&elsewhere);
        let listed = everywhere.iter().map(|(alert, glance)| (alert, glance));
        let every = Filter::default();
        let tabs = environments(listed.clone(), &every, model);
        let here = listed.filter(|(alert, _)| {
            environment.as_ref().is_none_or(|wanted| alert.environment == *wanted)
        });
        let mut severities: BTreeMap<&'static str, usize> = BTreeMap::new();
        let mut statuses: BTreeMap<&'static str, usize> = BTreeMap::new();
        let mut customers: BTreeMap<String, usize> = BTreeMap::new();
        let mut total = 0;
        for (alert, _) in here.clone() {
            total += 1;
            *severities.entry(model.as_rule(&alert.severity).name()).or_default() += 1;
            *statuses.entry(alert.status.name()).or_default() += 1;
            if let Some(customer) = &alert.customer {
                add(&mut customers, customer);
            }
        }
        let mut by_service: BTreeMap<String, usize> = BTreeMap::new();
        for counted in services(here, &every, model) {
            *by_service.entry(counted.service).or_default() += counted.counts.total;
        }
        let tabs = tabs.into_iter().map(|tab| (tab.environment, tab.counts.total));
        Ok(Counts {
            total,
            severities,
            statuses,
            environments: named(tabs),
            services: named(by_service),
            customers: named(customers),
        })
    })
    .await
}

fn add(counts: &mut BTreeMap<String, usize>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => {
            counts.insert(name.to_owned(), 1);
        }
    }
}

/// The most frequent names, in the order of the names.
fn named(counts: impl IntoIterator<Item = (String, usize)>) -> Vec<Named> {
    let mut all: Vec<Named> =
        counts.into_iter().map(|(name, count)| Named { name, count }).collect();
    all.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.name.cmp(&other.name)));
    all.truncate(MAX_NAMES);
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

/// Every alert as it was at one moment.
struct Alerts(Vec<(Arc<Alert>, Glance)>);

impl Alerts {
    fn found(&self, filter: &Filter) -> Vec<(Arc<Alert>, Glance)> {
        let taken = self.0.iter().filter(|(alert, glance)| filter.takes(alert, glance));
        taken.cloned().collect()
    }
}

/// Looks at every alert, a few lists at a time; the writer of alerts waits only while they are listed,
/// not while each is asked.
async fn over<T: Send + 'static>(
    state: State,
    look: impl FnOnce(&State, &Alerts) -> Result<T, ApiError> + Send + 'static,
) -> Result<Json<T>, ApiError> {
    let permit = Arc::clone(&state.scans).acquire_owned().await;
    let permit = permit.map_err(|closed| ApiError::internal(&closed))?;
    blocking(move || {
        let _permit = permit;
        let alerts = {
            let book = state.alerting.read();
            Alerts(book.listed().map(|(alert, glance)| (Arc::clone(alert), *glance)).collect())
        };
        look(&state, &alerts).map(Json)
    })
    .await
}
