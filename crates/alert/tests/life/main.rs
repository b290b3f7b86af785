//! The life of an alert, rule by rule and under any sequence of what may happen to it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod finding;
mod isa;
mod property;
mod receive;
mod rules;
mod time;

use std::collections::BTreeMap;

use bergfried_alert::{
    Act, Action, Alert, Incoming, Received, Settings, act, receive, related, set_status,
};
use bergfried_event::Timestamp;

/// So many seconds into the test.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

/// Something said of one matter.
fn incoming(settings: &Settings, event: &str, severity: &str) -> Incoming {
    Incoming {
        id: format!("id-{event}-{severity}"),
        environment: "Production".to_owned(),
        resource: "web1".to_owned(),
        event: event.to_owned(),
        severity: severity.to_owned(),
        correlate: Vec::new(),
        status: settings.model.default_status(),
        service: vec!["Web".to_owned()],
        group: "Misc".to_owned(),
        value: None,
        text: "text".to_owned(),
        tags: Vec::new(),
        attributes: BTreeMap::new(),
        origin: "test".to_owned(),
        kind: "exceptionAlert".to_owned(),
        create_time: at(0),
        timeout: 86_400,
        raw_data: None,
        customer: None,
        evidence: None,
    }
}

/// The alert after something was said of it; the first thing makes it.
fn hear(
    settings: &Settings,
    alert: Option<&Alert>,
    incoming: Incoming,
    seconds: i64,
) -> (Alert, Received) {
    receive(settings, related(alert, &incoming), incoming, at(seconds))
}

fn does(action: Action) -> Act {
    Act { action, text: String::new(), timeout: None, user: None, id: "act".to_owned() }
}
