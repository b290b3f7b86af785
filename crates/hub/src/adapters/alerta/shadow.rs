//! Heartbeats and blackouts listed with the parameters that lists of alerts take.
//!
//! What is not an alert is looked at as one with the fields that both have, so that filters, `q=`,
//! sorting and paging are the same everywhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::response::{IntoResponse as _, Response};
use bergfried_alert::query::{listing, page};
use bergfried_alert::{Alert, Settings, Status, Trend};
use bergfried_event::Timestamp;
use serde_json::{Value, json};

use super::caller::Caller;
use super::error::Refusal;
use super::request::Parameters;

/// An alert in which nothing is said yet.
pub(super) fn blank(id: &str, time: Timestamp) -> Alert {
    Alert {
        id: id.to_owned(),
        environment: String::new(),
        resource: String::new(),
        event: String::new(),
        severity: String::new(),
        correlate: Vec::new(),
        status: Status::Open,
        service: Vec::new(),
        group: String::new(),
        value: None,
        text: String::new(),
        tags: Vec::new(),
        attributes: BTreeMap::new(),
        origin: String::new(),
        kind: String::new(),
        create_time: time,
        timeout: 0,
        raw_data: None,
        customer: None,
        duplicate_count: 0,
        repeat: false,
        previous_severity: String::new(),
        trend: Trend::NoChange,
        receive_time: time,
        last_receive_id: id.to_owned(),
        last_receive_time: time,
        update_time: time,
        history: Vec::new(),
        notes: Vec::new(),
        holds: Vec::new(),
        evidence: None,
        revision: 0,
    }
}

/// The states that `status=` asks for; none: every one.
pub(super) fn states<T: Copy>(
    parameters: &Parameters,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<Vec<T>, Refusal> {
    let mut wanted = Vec::new();
    for word in parameters.all("status") {
        let Some(state) = all.iter().copied().find(|state| name(*state) == word) else {
            let expected: Vec<_> = all.iter().map(|state| name(*state)).collect();
            return Err(Refusal::field("status", &format!("one of {}", expected.join(", "))));
        };
        wanted.push(state);
    }
    Ok(wanted)
}

/// A list that is looked at as one of alerts.
pub(super) struct List<'a, T, B> {
    /// Everything that the list may show.
    pub(super) items: &'a [T],
    /// The name that clients look for it under.
    pub(super) name: &'static str,
    /// What of an item an alert has too.
    pub(super) shadow: fn(&T) -> Alert,
    /// An item as JSON.
    pub(super) body: B,
}

impl<T, B: Fn(&T) -> Value> List<'_, T, B> {
    /// The page that is asked for, of what the caller may see.
    pub(super) fn page(
        &self,
        caller: &Caller,
        settings: &Settings,
        now: Timestamp,
        parameters: Parameters,
    ) -> Result<Response, Refusal> {
        let asked = parameters.0.into_iter();
        let asked: Vec<_> = asked.filter(|(name, _)| name != "status").collect();
        let mut listing =
            listing(&asked, settings, now).map_err(|error| Refusal::invalid(error.to_string()))?;
        listing.filter = listing.filter.for_customers(caller.customers.clone());
        // The place of the item goes along in a field that nobody can ask for.
        let of = |(place, item)| Arc::new(Alert { revision: place, ..(self.shadow)(item) });
        let shadows: Vec<_> = (0..).zip(self.items).map(of).collect();
        let page = page(shadows.iter(), &listing, &settings.model)?;
        let places = page.alerts.iter().filter_map(|alert| usize::try_from(alert.revision).ok());
        let items = places.filter_map(|place| self.items.get(place));
        let bodies: Vec<Value> = items.map(&self.body).collect();
        let window = &page.window;
        let mut fields = BTreeMap::from([
            (self.name, json!(bodies)),
            ("more", json!(window.more)),
            ("page", json!(window.page)),
            ("pageSize", json!(window.page_size)),
            ("pages", json!(window.pages)),
            ("status", json!("ok")),
            ("total", json!(window.total)),
        ]);
        if window.total == 0 {
            fields.insert("message", json!("not found"));
        }
        Ok(axum::Json(fields).into_response())
    }
}
