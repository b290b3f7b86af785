//! Prometheus Alertmanager: its webhook payload, version 4.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::document::{Document, scalar};
use super::super::error::Refusal;
use super::call::{Asked, Call, date, list, text, words};

/// Labels that say what an alert is about, the best first. `exported_instance` is what a target said
/// of itself where Prometheus gave `instance` another meaning.
const RESOURCE: &[&str] =
    &["resource", "exported_instance", "instance", "host", "hostname", "node"];

pub(super) fn read(call: &Call<'_>) -> Result<Asked, Refusal> {
    let payload = call.json()?;
    if payload.get("alerts").is_none_or(|alerts| !alerts.is_array()) {
        return Err(Refusal::invalid("missing `alerts`, expected a list"));
    }
    alerts(call, &payload, "Prometheus")
}

/// Grafana's alerts have the same form.
pub(super) fn alerts(call: &Call<'_>, payload: &Value, product: &str) -> Result<Asked, Refusal> {
    Asked::each(list(payload, "/alerts"), |alert| {
        if alert.get("labels").is_none_or(|labels| !labels.is_object()) {
            return Err(Refusal::invalid("missing `labels` of an alert, expected an object"));
        }
        Ok(of(call, payload, alert, product))
    })
}

/// Labels that say which matter it is become its fields; the others are tags, so that none is lost.
fn of(call: &Call<'_>, payload: &Value, alert: &Value, product: &str) -> Document {
    let mut labels = named(alert.get("labels"));
    let mut annotations = named(alert.get("annotations"));
    let mut label = |name: &str| labels.remove(name).filter(|text| !text.is_empty());
    let is_over = alert.get("status").and_then(Value::as_str) == Some("resolved");
    let event = ["event", "alertname"].into_iter().find_map(&mut label);
    let event = event.unwrap_or_else(|| "Alert".to_owned());
    let (environment, customer, timeout) =
        (label("environment"), label("customer"), label("timeout"));
    let (correlate, monitor, group) = (label("correlate"), label("monitor"), label("group"));
    let word = label("severity");
    let service = label("service");
    let named = RESOURCE.iter().find_map(|name| label(name));
    let job = labels.get("job").cloned();
    let mut tags: Vec<String> =
        labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    // Without a name for what it is about, its other labels tell it from others of the same event.
    let resource = match named {
        Some(name) => name,
        None if tags.is_empty() => "n/a".to_owned(),
        None => tags.join(","),
    };
    if let Some(word) = word.as_deref().filter(|word| call.settings.model.severity(word).is_err()) {
        tags.push(format!("severity={word}"));
    }
    let severity = match is_over {
        true => call.settings.model.normal.clone(),
        false => call.severity(word.as_deref(), "warning"),
    };
    let value = annotations.remove("value").or_else(|| values(alert));
    let said =
        ["description", "message", "summary"].into_iter().find_map(|name| annotations.remove(name));
    let mut attributes: serde_json::Map<String, Value> =
        annotations.into_iter().map(|(name, value)| (name, json!(value))).collect();
    for name in
        ["generatorURL", "silenceURL", "dashboardURL", "panelURL", "imageURL", "fingerprint"]
    {
        attributes
            .extend(text(alert, &format!("/{name}")).map(|url| (name.to_owned(), json!(url))));
    }
    attributes.insert("startsAt".to_owned(), date(alert.get("startsAt")));
    attributes.insert("endsAt".to_owned(), date(alert.get("endsAt")));
    attributes.insert("externalURL".to_owned(), json!(text(payload, "/externalURL")));
    let origin = monitor.map(|name| format!("{}/{name}", product.to_lowercase()));
    call.alert(json!({
        "resource": resource,
        "event": event,
        "environment": environment,
        "severity": severity,
        "service": service.or_else(|| job.clone()).map_or_else(|| json!([product]), |s| words(&s)),
        "group": group.or(job).unwrap_or_else(|| product.to_owned()),
        "value": value,
        "text": said.unwrap_or_default(),
        "tags": tags,
        "attributes": attributes,
        "correlate": correlate.map(|names| words(&names)),
        "origin": origin.unwrap_or_else(|| product.to_lowercase()),
        "type": format!("{}Alert", product.to_lowercase()),
        "createTime": if is_over { Value::Null } else { date(alert.get("startsAt")) },
        "timeout": timeout.and_then(|seconds| seconds.parse::<u64>().ok()),
        "customer": customer,
        "rawData": alert.to_string(),
    }))
}

fn named(value: Option<&Value>) -> BTreeMap<String, String> {
    let fields = value.and_then(Value::as_object).into_iter().flatten();
    fields.filter_map(|(name, value)| Some((name.clone(), scalar(value)?))).collect()
}

/// Grafana's values by their reference ids.
fn values(alert: &Value) -> Option<String> {
    let values = named(alert.get("values"));
    let shown: Vec<_> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
    // Before its version 10, in one text.
    if shown.is_empty() { text(alert, "/valueString") } else { Some(shown.join(" ")) }
}
