//! Riemann: an event, or a list of them, as its stream functions post them.

use serde_json::{Value, json};

use super::super::document::Document;
use super::super::error::Refusal;
use super::call::{Asked, Call, date, list, need, text};

pub(super) fn read(call: &Call<'_>) -> Result<Asked, Refusal> {
    let payload = call.json()?;
    match &payload {
        Value::Array(events) => Asked::each(events, |event| of(call, event)),
        event => of(call, event).map(Asked::one),
    }
}

fn of(call: &Call<'_>, event: &Value) -> Result<Document, Refusal> {
    let service = need(event, "/service")?;
    let state = text(event, "/state");
    let severity = match state.as_deref() {
        Some("expired") => "warning".to_owned(),
        word => call.severity(word, "indeterminate"),
    };
    let tags: Vec<_> = list(event, "/tags").iter().filter_map(Value::as_str).collect();
    Ok(call.alert(json!({
        // An event about many hosts, such as a sum, is of none.
        "resource": text(event, "/host").unwrap_or_else(|| service.clone()),
        "event": service,
        "environment": text(event, "/environment"),
        "severity": severity,
        "service": [service],
        "group": text(event, "/group").unwrap_or_else(|| "Performance".to_owned()),
        "value": text(event, "/metric"),
        "text": text(event, "/description"),
        "tags": tags,
        "attributes": { "state": state },
        "origin": "Riemann",
        "type": "riemannAlert",
        "createTime": date(event.get("time")),
        "rawData": event.to_string(),
    })))
}
