//! Google Cloud Monitoring, once Stackdriver: an incident of an alerting policy.

use serde_json::json;

use super::super::error::Refusal;
use super::call::{Asked, Call, date, need, text};

pub(super) fn read(call: &Call<'_>) -> Result<Asked, Refusal> {
    let payload = call.json()?;
    let state = need(&payload, "/incident/state")?;
    let event = text(&payload, "/incident/condition_name")
        .map_or_else(|| need(&payload, "/incident/policy_name"), Ok)?;
    let normal = call.settings.model.normal.clone();
    let wanted = text(&payload, "/incident/severity");
    let open = || match wanted.as_deref() {
        Some("Error" | "error") => "major".to_owned(),
        word => call.severity(word, "critical"),
    };
    let is_over = state.eq_ignore_ascii_case("closed");
    let time = if is_over { "/incident/ended_at" } else { "/incident/started_at" };
    let (severity, status) = match state.to_ascii_lowercase().as_str() {
        "closed" => (normal, None),
        "acknowledged" => (open(), Some("ack")),
        _ => (open(), None),
    };
    let resource = text(&payload, "/incident/resource_name");
    let resource = resource.or_else(|| text(&payload, "/incident/resource_id"));
    let policy = text(&payload, "/incident/policy_name").unwrap_or_else(|| "Monitoring".to_owned());
    Ok(Asked::one(call.alert(json!({
        "resource": resource.unwrap_or_else(|| event.clone()),
        "event": event,
        "severity": severity,
        "status": status,
        "service": [policy],
        "group": "Cloud",
        "value": text(&payload, "/incident/observed_value").unwrap_or(state),
        "text": text(&payload, "/incident/summary"),
        "attributes": {
            "incidentId": text(&payload, "/incident/incident_id"),
            "resourceId": text(&payload, "/incident/resource_id"),
            "resourceType": text(&payload, "/incident/resource/type"),
            "project": text(&payload, "/incident/scoping_project_id"),
            "moreInfo": text(&payload, "/incident/url"),
            "documentation": text(&payload, "/incident/documentation/content"),
        },
        "origin": "Stackdriver",
        "type": "stackdriverAlert",
        "createTime": date(payload.pointer(time)),
        "rawData": payload.to_string(),
    }))))
}
