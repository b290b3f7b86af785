//! Graylog: HTTP notifications of event definitions, and the alarm callbacks before them.

use serde_json::{Value, json};

use super::super::error::Refusal;
use super::call::{Asked, Call, date, need, text};

pub(super) fn read(call: &Call<'_>) -> Result<Asked, Refusal> {
    let payload = call.json()?;
    match payload.get("event") {
        Some(event) => event_of(call, &payload, event),
        None => callback(call, &payload),
    }
}

fn event_of(call: &Call<'_>, payload: &Value, event: &Value) -> Result<Asked, Refusal> {
    let title = need(payload, "/event_definition_title")?;
    let severity = match event.get("priority").and_then(Value::as_u64) {
        Some(1) => "warning",
        Some(2) => "minor",
        Some(4) => "critical",
        _ => "major",
    };
    let severity = match event.get("alert") {
        Some(Value::Bool(false)) => "informational",
        _ => severity,
    };
    let source = text(event, "/key").or_else(|| text(event, "/source"));
    let mut attributes =
        event.get("fields").and_then(Value::as_object).cloned().unwrap_or_default();
    attributes.insert("eventId".to_owned(), json!(text(event, "/id")));
    attributes.insert("eventDefinitionId".to_owned(), json!(text(payload, "/event_definition_id")));
    Ok(Asked::one(call.alert(json!({
        "resource": source.unwrap_or_else(|| title.clone()),
        "event": title,
        "severity": severity,
        "service": ["Graylog"],
        "group": "Graylog",
        "text": text(event, "/message").or_else(|| text(payload, "/event_definition_description")),
        "attributes": attributes,
        "origin": "Graylog",
        "type": "graylogAlert",
        "createTime": date(event.get("timestamp")),
        "rawData": payload.to_string(),
    }))))
}

fn callback(call: &Call<'_>, payload: &Value) -> Result<Asked, Refusal> {
    let text_of = need(payload, "/check_result/result_description")?;
    let condition = text(payload, "/check_result/triggered_condition/title");
    let event = call.parameter("event").map(str::to_owned).or(condition);
    let is_over = payload.pointer("/check_result/triggered") == Some(&Value::Bool(false));
    let normal = call.settings.model.normal.as_str();
    Ok(Asked::one(call.alert(json!({
        "resource": text(payload, "/stream/title").unwrap_or_else(|| "Graylog".to_owned()),
        "event": event.unwrap_or_else(|| "Alert".to_owned()),
        "severity": if is_over { normal } else { "major" },
        "service": ["Graylog"],
        "group": "Graylog",
        "text": text_of,
        "attributes": {
            "streamId": text(payload, "/stream/id"),
            "conditionId": text(payload, "/check_result/triggered_condition/id"),
        },
        "origin": "Graylog",
        "type": "graylogAlert",
        "createTime": date(payload.pointer("/check_result/triggered_at")),
        "rawData": payload.to_string(),
    }))))
}
