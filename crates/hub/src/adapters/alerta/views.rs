//! `/alerts` and what is counted of it.
//!
//! Every list is made of the alerts that the caller may see, whatever it asks for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bergfried_alert::query::{self, Counts, Listing, TopGroup, TopKind, Window};
use bergfried_alert::{Alert, Entry};
use bergfried_event::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::caller::Caller;
use super::error::Refusal;
use super::find::Alerts;
use super::request::{Base, InPath, Parameters};
use super::wire::{self, AlertBody, Parts};
use super::{find, reply};
use crate::router::State;

/// What was received so long ago is written, or never will be.
const WRITTEN_BY_NOW: i64 = 60 * Timestamp::SECOND;

pub(super) fn routes() -> Router<State> {
    Router::new()
        .route("/alerts", get(list))
        .route("/alerts/history", get(history))
        .route("/alerts/count", get(count))
        .route("/alerts/top10/{kind}", get(top))
        .route("/alerts/topn/{kind}", get(top))
        .route("/environments", get(environments))
        .route("/services", get(services))
        .route("/alerts/groups", get(groups))
        .route("/alerts/tags", get(tags))
}

/// A page of alerts; the fields stand in the order of their names.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    alerts: Vec<AlertBody<'a>>,
    auto_refresh: bool,
    last_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
    more: bool,
    page: usize,
    page_size: usize,
    pages: usize,
    severity_counts: BTreeMap<String, usize>,
    status: &'static str,
    status_counts: BTreeMap<&'static str, usize>,
    total: usize,
}

async fn list(
    caller: Caller,
    base: Base,
    parameters: Parameters,
    Shared(state): Shared<State>,
) -> Result<Response, Refusal> {
    caller.require("read:alerts")?;
    let began = Instant::now();
    let listing = find::listing(&state, &caller, &parameters).await?;
    let parts = Parts { history: listing.show_history, raw_data: listing.show_raw_data };
    // Looked at before the page: what becomes visible after it was heard of later than this, and so is
    // found by who asks for what is newer. The clock would be ahead of what is still being written.
    let heard = state.alerting.read().last_heard();
    let nothing_heard = state.alerting.now().plus_micros(-WRITTEN_BY_NOW);
    let page = find::over(&state, listing, |state, alerts, listing| {
        let page = query::page(alerts, listing, &state.alerting.settings().model)?;
        let alerts: Vec<Arc<Alert>> = page.alerts.into_iter().cloned().collect();
        Ok((alerts, page.window, page.counts, page.last_time))
    });
    let (alerts, window, counts, last_time) = page.await?;
    let auto_refresh = state.alerta_switches.auto_refresh();
    // Written when the writer of alerts need not wait for it any more.
    let body = find::scan(&state, move |_| {
        let body = Page {
            alerts: alerts.iter().map(|alert| wire::alert(alert, &base, parts)).collect(),
            auto_refresh,
            last_time: wire::date(last_time.or(heard).unwrap_or(nothing_heard)),
            message: alerts.is_empty().then_some("not found"),
            more: window.more,
            page: window.page,
            page_size: window.page_size,
            pages: window.pages,
            severity_counts: counts.severity,
            status: "ok",
            status_counts: counts.status,
            total: window.total,
        };
        find::written(&body)
    })
    .await?;
    state.alerta_counts.queries.note(began);
    let json = axum::http::HeaderValue::from_static("application/json");
    Ok(([(axum::http::header::CONTENT_TYPE, json)], body).into_response())
}

async fn count(
    caller: Caller,
    parameters: Parameters,
    Shared(state): Shared<State>,
) -> Result<Response, Refusal> {
    caller.require("read:alerts")?;
    let listing = find::listing(&state, &caller, &parameters).await?;
    let counts = find::over(&state, listing, |state, alerts, listing| {
        Ok(query::counts(alerts, &listing.filter, &state.alerting.settings().model))
    })
    .await?;
    Ok(reply::ok([
        ("autoRefresh", json!(state.alerta_switches.auto_refresh())),
        ("severityCounts", json!(counts.severity)),
        ("statusCounts", json!(counts.status)),
        ("total", json!(counts.total)),
    ]))
}

async fn history(
    caller: Caller,
    base: Base,
    parameters: Parameters,
    Shared(state): Shared<State>,
) -> Result<Response, Refusal> {
    caller.require("read:alerts")?;
    let listing = find::listing(&state, &caller, &parameters).await?;
    let (window, entries) = find::over(&state, listing, move |_, alerts, listing| {
        let page = query::history(alerts.map(|(alert, _)| alert), listing)?;
        let entries: Vec<_> = page.entries.iter().map(|(a, entry)| told(a, entry, &base)).collect();
        Ok((page.window, entries))
    })
    .await?;
    Ok(page_of("history", entries, &window))
}

/// An entry of the history, with what it is about.
fn told(alert: &Alert, entry: &Entry, base: &Base) -> BTreeMap<&'static str, Value> {
    let mut fields = BTreeMap::from([
        ("attributes", json!(alert.attributes)),
        ("customer", json!(alert.customer)),
        ("environment", json!(alert.environment)),
        ("event", json!(entry.event)),
        ("group", json!(alert.group)),
        ("href", json!(base.href(&format!("/alert/{}", entry.id)))),
        ("id", json!(entry.id)),
        ("origin", json!(alert.origin)),
        ("resource", json!(alert.resource)),
        ("service", json!(alert.service)),
        ("status", json!(entry.status)),
        ("tags", json!(alert.tags)),
        ("text", json!(entry.text)),
        ("timeout", json!(entry.timeout)),
        ("type", json!(entry.kind)),
        ("updateTime", json!(wire::date(entry.time))),
        ("user", json!(entry.user)),
    ]);
    if !entry.severity.is_empty() {
        fields.insert("severity", json!(entry.severity));
    }
    if let Some(value) = entry.value.as_ref().filter(|value| !value.is_empty()) {
        fields.insert("value", json!(value));
    }
    fields
}

async fn top(
    caller: Caller,
    base: Base,
    parameters: Parameters,
    Shared(state): Shared<State>,
    InPath(kind): InPath<String>,
) -> Result<Response, Refusal> {
    caller.require("read:alerts")?;
    let kind: TopKind = kind.parse().map_err(|()| Refusal::not_found())?;
    let listing = find::listing(&state, &caller, &parameters).await?;
    let groups = find::over(&state, listing, move |state, alerts, listing| {
        let groups = query::top(alerts, listing, kind, &state.alerting.settings().model);
        let name = listing.group_by.to_string();
        Ok(groups.iter().map(|group| heavy(group, &name, &base)).collect::<Vec<_>>())
    })
    .await?;
    Ok(reply::ok([("total", json!(groups.len())), ("top10", json!(groups))]))
}

fn heavy(group: &TopGroup<'_>, name: &str, base: &Base) -> BTreeMap<String, Value> {
    let resource = |alert: &&Arc<Alert>| {
        json!({
            "href": base.href(&format!("/alert/{}", alert.id)),
            "id": alert.id,
            "resource": alert.resource,
        })
    };
    let resources: Vec<_> = group.alerts.iter().map(resource).collect();
    let mut fields = BTreeMap::from([
        ("count".to_owned(), json!(group.count)),
        ("duplicateCount".to_owned(), json!(group.duplicate_count)),
        ("environments".to_owned(), json!(group.environments)),
        ("resources".to_owned(), json!(resources)),
        ("services".to_owned(), json!(group.services)),
    ]);
    fields.entry(name.to_owned()).or_insert_with(|| json!(group.name));
    fields
}

async fn environments(
    caller: Caller,
    parameters: Parameters,
    Shared(state): Shared<State>,
) -> Result<Response, Refusal> {
    let rows = |state: &State, alerts: Alerts<'_>, listing: &Listing| {
        let model = &state.alerting.settings().model;
        let rows = query::environments(alerts, &listing.filter, model);
        let row =
            |row: query::EnvironmentCounts| counted(row.counts, [("environment", row.environment)]);
        rows.into_iter().map(row).collect()
    };
    rows_of("environments", caller, parameters, state, rows).await
}

async fn services(
    caller: Caller,
    parameters: Parameters,
    Shared(state): Shared<State>,
) -> Result<Response, Refusal> {
    let rows = |state: &State, alerts: Alerts<'_>, listing: &Listing| {
        let model = &state.alerting.settings().model;
        let rows = query::services(alerts, &listing.filter, model);
        let row = |row: query::ServiceCounts| {
            counted(row.counts, [("environment", row.environment), ("service", row.service)])
        };
        rows.into_iter().map(row).collect()
    };
    rows_of("services", caller, parameters, state, rows).await
}

async fn groups(
    caller: Caller,
    parameters: Parameters,
    Shared(state): Shared<State>,
) -> Result<Response, Refusal> {
    let rows = |_: &State, alerts: Alerts<'_>, listing: &Listing| {
        let rows = query::groups(alerts.map(|(alert, _)| alert), &listing.filter);
        rows.into_iter().map(|row| named("group", row)).collect()
    };
    rows_of("groups", caller, parameters, state, rows).await
}

async fn tags(
    caller: Caller,
    parameters: Parameters,
    Shared(state): Shared<State>,
) -> Result<Response, Refusal> {
    let rows = |_: &State, alerts: Alerts<'_>, listing: &Listing| {
        let rows = query::tags(alerts.map(|(alert, _)| alert), &listing.filter);
        rows.into_iter().map(|row| named("tag", row)).collect()
    };
    rows_of("tags", caller, parameters, state, rows).await
}

type Row = BTreeMap<&'static str, Value>;

fn counted<const N: usize>(counts: Counts, names: [(&'static str, String); N]) -> Row {
    let mut row = BTreeMap::from([
        ("count", json!(counts.total)),
        ("severityCounts", json!(counts.severity)),
        ("statusCounts", json!(counts.status)),
    ]);
    row.extend(names.map(|(name, value)| (name, json!(value))));
    row
}

fn named(name: &'static str, (environment, value, count): (String, String, usize)) -> Row {
    let environment = ("environment", json!(environment));
    BTreeMap::from([("count", json!(count)), environment, (name, json!(value))])
}

/// A page of rows that are counted of alerts; all of them, where no size is asked for.
async fn rows_of(
    name: &'static str,
    caller: Caller,
    parameters: Parameters,
    state: State,
    rows: impl FnOnce(&State, Alerts<'_>, &Listing) -> Vec<Row> + Send + 'static,
) -> Result<Response, Refusal> {
    caller.require("read:alerts")?;
    let mut listing = find::listing(&state, &caller, &parameters).await?;
    if parameters.last("page-size").or(parameters.last("limit")).is_none() {
        listing.page_size = query::MAX_PAGE_SIZE;
    }
    let (window, rows) = find::over(&state, listing, move |state, alerts, listing| {
        let rows = rows(state, alerts, listing);
        let window = Window::new(listing, rows.len())?;
        let rows: Vec<Row> = window.of(rows.into_iter()).collect();
        Ok((window, rows))
    })
    .await?;
    Ok(page_of(name, rows, &window))
}

/// A page of a list.
pub(crate) fn page_of(name: &'static str, rows: impl Serialize, window: &Window) -> Response {
    let mut body = Map::from_iter([
        ("more".to_owned(), json!(window.more)),
        ("page".to_owned(), json!(window.page)),
        ("pageSize".to_owned(), json!(window.page_size)),
        ("pages".to_owned(), json!(window.pages)),
        ("status".to_owned(), json!("ok")),
        ("total".to_owned(), json!(window.total)),
        (name.to_owned(), json!(rows)),
    ]);
    if window.total == 0 {
        body.insert("message".to_owned(), json!("not found"));
    }
    let body: BTreeMap<String, Value> = body.into_iter().collect();
    axum::Json(body).into_response()
}
