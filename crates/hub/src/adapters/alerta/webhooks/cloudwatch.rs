//! Amazon CloudWatch: alarms in the envelope of the Simple Notification Service.

use serde_json::{Value, json};

use super::super::error::Refusal;
use super::call::{Asked, Call, date, list, need, text};

pub(super) fn read(call: &Call<'_>) -> Result<Asked, Refusal> {
    let envelope = call.json()?;
    let topic = text(&envelope, "/TopicArn");
    if envelope.get("Type").is_none() && envelope.get("AlarmName").is_some() {
        // The subscription delivers raw messages, without the envelope.
        return alarm_of(call, &envelope, None, envelope.to_string());
    }
    match need(&envelope, "/Type")?.as_str() {
        "Notification" => {
            let message = need(&envelope, "/Message")?;
            let alarm: Value = serde_json::from_str(&message).map_err(|error| {
                Refusal::invalid(format!("cannot read `Message` as the JSON of an alarm: {error}"))
            })?;
            alarm_of(call, &alarm, topic, message)
        }
        // The address is the sender's, and to open it is to be sent anywhere: a person may.
        kind @ ("SubscriptionConfirmation" | "UnsubscribeConfirmation") => {
            let address = text(&envelope, "/SubscribeURL").unwrap_or_default();
            let topic = topic.unwrap_or_default();
            Ok(Asked::Nothing(format!("{kind} of {topic}: open {address} to agree")))
        }
        _ => Err(Refusal::invalid(
            "`Type` must be Notification, SubscriptionConfirmation or UnsubscribeConfirmation",
        )),
    }
}

fn alarm_of(
    call: &Call<'_>,
    alarm: &Value,
    topic: Option<String>,
    raw: String,
) -> Result<Asked, Refusal> {
    let event = need(alarm, "/AlarmName")?;
    let state = need(alarm, "/NewStateValue")?;
    let severity = match state.as_str() {
        "OK" => call.settings.model.normal.as_str(),
        "ALARM" => "major",
        _ => "warning",
    };
    let dimension = list(alarm, "/Trigger/Dimensions").first();
    let resource = dimension.and_then(|dimension| {
        let name = text(dimension, "/name")?;
        Some(format!("{name}:{}", text(dimension, "/value")?))
    });
    let region = text(alarm, "/Region");
    Ok(Asked::one(call.alert(json!({
        "resource": resource.unwrap_or_else(|| event.clone()),
        "event": event,
        "severity": severity,
        "service": text(alarm, "/AWSAccountId").map_or_else(|| json!(["CloudWatch"]), |id| json!([id])),
        "group": text(alarm, "/Trigger/Namespace").unwrap_or_else(|| "CloudWatch".to_owned()),
        "value": state,
        "text": text(alarm, "/AlarmDescription").or_else(|| text(alarm, "/NewStateReason")),
        "tags": region.map_or_else(Vec::new, |region| vec![region]),
        "attributes": {
            "reason": text(alarm, "/NewStateReason"),
            "metric": text(alarm, "/Trigger/MetricName"),
            "previousState": text(alarm, "/OldStateValue"),
        },
        "origin": topic,
        "type": "cloudwatchAlarm",
        "createTime": date(alarm.get("StateChangeTime")),
        "rawData": raw,
    }))))
}
