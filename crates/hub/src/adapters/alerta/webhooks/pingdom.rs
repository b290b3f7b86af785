//! Pingdom: what became of a check.

use serde_json::{Value, json};

use super::super::error::Refusal;
use super::call::{Asked, Call, date, list, need, text};

/// The states of all kinds of checks, which are one matter.
const STATES: &[&str] = &["UP", "DOWN", "UNCONFIRMED_DOWN", "SUCCESS", "FAILING", "UNKNOWN"];

pub(super) fn read(call: &Call<'_>) -> Result<Asked, Refusal> {
    let payload = call.json()?;
    let state = need(&payload, "/current_state")?;
    let importance = text(&payload, "/importance_level");
    let severity = match (state.as_str(), importance.as_deref()) {
        ("UP" | "SUCCESS", _) => call.settings.model.normal.as_str(),
        ("DOWN" | "FAILING", Some("LOW")) => "warning",
        ("DOWN" | "FAILING", _) => "critical",
        _ => "indeterminate",
    };
    let description =
        text(&payload, "/long_description").or_else(|| text(&payload, "/description"));
    let tags: Vec<_> = list(&payload, "/tags").iter().filter_map(Value::as_str).collect();
    Ok(Asked::one(call.alert(json!({
        "resource": need(&payload, "/check_name")?,
        "event": state,
        "correlate": STATES,
        "severity": severity,
        "service": ["Pingdom"],
        "group": "Network",
        "value": text(&payload, "/description"),
        "text": description,
        "tags": tags,
        "attributes": {
            "checkId": text(&payload, "/check_id"),
            "checkType": text(&payload, "/check_type"),
            "hostname": text(&payload, "/check_params/hostname"),
            "importance": importance,
            "probe": text(&payload, "/first_probe/location"),
        },
        "origin": "Pingdom",
        "type": "pingdomAlert",
        "createTime": date(payload.get("state_changed_timestamp")),
        "rawData": payload.to_string(),
    }))))
}
