//! Server Density: an alert of a device or a service, and that it is fixed.

use serde_json::json;

use super::super::error::Refusal;
use super::call::{Asked, Call, need, text};

pub(super) fn read(call: &Call<'_>) -> Result<Asked, Refusal> {
    let payload = call.json()?;
    let name = need(&payload, "/item_name")?;
    let event = need(&payload, "/alert_type")?;
    let kind = text(&payload, "/item_type").unwrap_or_else(|| "Device".to_owned());
    let is_fixed = text(&payload, "/fixed").as_deref() == Some("true");
    let is_cloud = text(&payload, "/item_cloud").as_deref() == Some("true");
    let said = if is_fixed { "is fixed" } else { "needs attention" };
    Ok(Asked::one(call.alert(json!({
        "resource": name,
        "event": event,
        "severity": if is_fixed { call.settings.model.normal.as_str() } else { "critical" },
        "service": [kind],
        "group": text(&payload, "/alert_section").unwrap_or_else(|| "Performance".to_owned()),
        "value": text(&payload, "/triggered_value").or_else(|| text(&payload, "/current_value")),
        "text": format!("{event} of {} {name} {said}", kind.to_lowercase()),
        "tags": if is_cloud { vec!["cloud"] } else { Vec::new() },
        "attributes": {
            "alertId": text(&payload, "/alert_id"),
            "incidentId": text(&payload, "/incident_id"),
            "itemId": text(&payload, "/item_id"),
            "threshold": text(&payload, "/configured_trigger_value"),
        },
        "origin": "Server Density",
        "type": "serverDensityAlert",
        "rawData": payload.to_string(),
    }))))
}
