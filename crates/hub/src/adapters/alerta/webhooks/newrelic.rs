//! New Relic: the default payload of workflows, and that of classic alert channels.

use serde_json::{Value, json};

use super::super::error::Refusal;
use super::call::{Asked, Call, date, need, text};

pub(super) fn read(call: &Call<'_>) -> Result<Asked, Refusal> {
    let payload = call.json()?;
    match payload.get("current_state") {
        Some(_) => classic(call, &payload),
        None => workflow(call, &payload),
    }
}

/// The severity, and the status where the product says one, of an issue in this state.
fn judged(
    call: &Call<'_>,
    state: &str,
    priority: Option<String>,
) -> (String, Option<&'static str>) {
    let normal = || call.settings.model.normal.clone();
    let severity = || call.severity(priority.as_deref(), "major");
    match state.to_ascii_lowercase().as_str() {
        "closed" | "close" => (normal(), None),
        "acknowledged" => (severity(), Some("ack")),
        _ => (severity(), None),
    }
}

fn workflow(call: &Call<'_>, payload: &Value) -> Result<Asked, Refusal> {
    let state = need(payload, "/state")?;
    let title = need(payload, "/title")?;
    let (severity, status) = judged(call, &state, text(payload, "/priority"));
    let event = text(payload, "/alertConditionNames/0").unwrap_or(title.clone());
    Ok(Asked::one(call.alert(json!({
        "resource": text(payload, "/impactedEntities/0").unwrap_or_else(|| title.clone()),
        "event": event,
        "severity": severity,
        "status": status,
        "service": ["New Relic"],
        "group": text(payload, "/alertPolicyNames/0").unwrap_or_else(|| "New Relic".to_owned()),
        "value": state,
        "text": title,
        "attributes": {
            "moreInfo": text(payload, "/issueUrl"),
            "issueId": text(payload, "/id"),
            "workflow": text(payload, "/workflowName"),
        },
        "origin": "New Relic",
        "type": "newRelicAlert",
        "createTime": date(payload.get("createdAt")),
        "rawData": payload.to_string(),
    }))))
}

fn classic(call: &Call<'_>, payload: &Value) -> Result<Asked, Refusal> {
    let state = need(payload, "/current_state")?;
    let event = need(payload, "/condition_name")?;
    let (severity, status) = judged(call, &state, text(payload, "/severity"));
    let account = text(payload, "/account_name").unwrap_or_else(|| "New Relic".to_owned());
    Ok(Asked::one(call.alert(json!({
        "resource": text(payload, "/targets/0/name").unwrap_or_else(|| event.clone()),
        "event": event,
        "severity": severity,
        "status": status,
        "service": [account],
        "group": text(payload, "/targets/0/type").unwrap_or_else(|| "New Relic".to_owned()),
        "value": state,
        "text": text(payload, "/details"),
        "attributes": {
            "moreInfo": text(payload, "/incident_url"),
            "runBook": text(payload, "/runbook_url"),
            "incidentId": text(payload, "/incident_id"),
            "policy": text(payload, "/policy_name"),
        },
        "origin": "New Relic",
        "type": "newRelicAlert",
        "createTime": date(payload.get("timestamp")),
        "rawData": payload.to_string(),
    }))))
}
