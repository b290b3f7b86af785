//! PagerDuty: what became of incidents, in messages of webhooks version 2 and events of version 3.
//!
//! An incident's key is the id of the alert that it was opened for.

use serde_json::Value;

use super::super::error::Refusal;
use super::call::{Asked, Call, MAX_ALERTS, Wanted, What, list, need, text};

pub(super) fn read(call: &Call<'_>) -> Result<Asked, Refusal> {
    let payload = call.json()?;
    if payload.pointer("/event/event_type").is_some() {
        return event(&payload);
    }
    let messages = list(&payload, "/messages");
    if messages.is_empty() || messages.len() > MAX_ALERTS {
        let expected = format!("expected a list of 1 to {MAX_ALERTS} messages");
        return Err(Refusal::invalid(format!("cannot read `messages`: {expected}")));
    }
    let mut wanted: Vec<Wanted> = Vec::new();
    let mut said = Vec::new();
    for message in messages {
        let word = need(message, "/event")?;
        let Some(status) = status(&word) else {
            said.push(word);
            continue;
        };
        let id = need(message, "/incident/incident_key")?;
        let text = told(&word, message.pointer("/incident/incident_number"));
        let user = self::text(message, "/log_entries/0/agent/summary");
        // Of what became of one incident, the last says where it stands.
        wanted.retain(|earlier| earlier.id != id);
        wanted.push(Wanted::new(id, What::Status(status.to_owned()), text, user));
    }
    Ok(asked(wanted, &said))
}

/// An event of version 3.
fn event(payload: &Value) -> Result<Asked, Refusal> {
    let word = need(payload, "/event/event_type")?;
    let Some(status) = status(&word) else { return Ok(asked(Vec::new(), &[word])) };
    let id = need(payload, "/event/data/incident_key")?;
    let text = told(&word, payload.pointer("/event/data/number"));
    let user = self::text(payload, "/event/agent/summary");
    Ok(asked(vec![Wanted::new(id, What::Status(status.to_owned()), text, user)], &[]))
}

fn asked(wanted: Vec<Wanted>, said: &[String]) -> Asked {
    match wanted.is_empty() {
        true => Asked::Nothing(format!("PagerDuty says {}", said.join(", "))),
        false => Asked::Changes { wanted, answer: Vec::new() },
    }
}

/// The status of an alert whose incident came to this, in the words of either version.
fn status(event: &str) -> Option<&'static str> {
    match event.strip_prefix("incident.")? {
        "trigger" | "unacknowledge" | "triggered" | "unacknowledged" | "reopened" => Some("open"),
        "acknowledge" | "acknowledged" => Some("ack"),
        "assign" | "delegate" | "reassigned" | "delegated" => Some("assign"),
        "resolve" | "resolved" => Some("closed"),
        _ => None,
    }
}

fn told(event: &str, number: Option<&Value>) -> String {
    match number.and_then(Value::as_u64) {
        Some(number) => format!("{event} in PagerDuty #{number}"),
        None => format!("{event} in PagerDuty"),
    }
}
