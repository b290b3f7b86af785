//! Grafana: unified alerting, and the alerting of the dashboards before it.

use serde_json::{Value, json};

use super::super::error::Refusal;
use super::call::{Asked, Call, Over, list, need, text};
use super::prometheus;

pub(super) fn read(call: &Call<'_>) -> Result<Asked, Refusal> {
    let payload = call.json()?;
    if payload.get("alerts").is_some_and(Value::is_array) {
        return prometheus::alerts(call, &payload, "Grafana");
    }
    legacy(call, &payload)
}

/// One alert for each series that matched. When the rule is well again none is named, so all that
/// it opened is closed.
fn legacy(call: &Call<'_>, payload: &Value) -> Result<Asked, Refusal> {
    let event = need(payload, "/ruleName")?;
    let state = need(payload, "/state")?;
    let rule = text(payload, "/ruleId");
    let matches = list(payload, "/evalMatches");
    let severity = match state.as_str() {
        "ok" => call.settings.model.normal.as_str(),
        "alerting" => "major",
        "no_data" => "warning",
        _ => return Ok(Asked::Nothing(format!("Grafana's rule `{event}` is {state}"))),
    };
    if matches.is_empty()
        && state == "ok"
        && let Some(rule) = rule
    {
        let text = text(payload, "/message").or_else(|| text(payload, "/title"));
        return Ok(Asked::Over(Over {
            kind: "grafanaAlert",
            event,
            environment: call.parameter("environment").map(str::to_owned),
            attribute: ("ruleId", rule),
            text: text.unwrap_or_default(),
        }));
    }
    let nothing = [Value::Null];
    let matches = if matches.is_empty() { &nothing } else { matches };
    Asked::each(matches, |series| {
        let tags = series.get("tags").and_then(Value::as_object).into_iter().flatten();
        let tags: std::collections::BTreeMap<_, _> =
            tags.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))).collect();
        let named = ["instance", "host", "hostname"].into_iter().find_map(|name| tags.get(name));
        let host = named.map(|name| (*name).to_owned());
        let metric = text(series, "/metric");
        let resource = host.or_else(|| metric.clone()).unwrap_or_else(|| event.clone());
        Ok(call.alert(json!({
            "resource": resource,
            "event": event,
            "severity": severity,
            "service": ["Grafana"],
            "group": "Performance",
            "value": text(series, "/value"),
            "text": text(payload, "/message").or_else(|| text(payload, "/title")),
            "tags": tags.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>(),
            "attributes": {
                "ruleId": rule,
                "metric": metric,
                "ruleUrl": text(payload, "/ruleUrl"),
                "imageUrl": text(payload, "/imageUrl"),
            },
            "origin": "Grafana",
            "type": "grafanaAlert",
            "rawData": series.to_string(),
        })))
    })
}
