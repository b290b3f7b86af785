//! An alert seen as fields, so that a route's `when` asks about it in the search language.
//!
//! | field | what it holds |
//! |---|---|
//! | `severity` | the rule's word (`high`) and the alert's (`major`); either is found |
//! | `severity.level` | 1 (informational) to 5 (critical) |
//! | `severity.previous` | the alert's word for what it was before |
//! | `environment`, `resource`, `group`, `origin`, `customer`, `type` | as the alert says |
//! | `event`, `title` | what happened |
//! | `service`, `tags`, `correlate` | each of them |
//! | `status` | `open`, `ack`, `closed` … |
//! | `change` | what is told: `new`, `reopened`, `worse`, `better`, `resolved`, `acknowledged`, `shelved` |
//! | `text`, `value`, `count`, `trend` | the sentence, the measured value, how many, `moreSevere` … |
//! | `attributes.NAME` | an attribute of the alert |
//! | `rule.id`, `rule.name`, `technique` | the rule that found it, its ATT&CK techniques |
//! | `agent` | the agent, or host without one, that fell silent or is heard of again; `agent:*` is each |
//! | `host`, `user`, `source.ip`, `source`, `program` | what the rule found it about |
//!
//! Fields of the finding's event that made the rule match are there under their own names. A word
//! without a field is looked for in the text and in what happened.

use std::borrow::Cow;

use bergfried_alert::{Alert, Model};
use bergfried_event::{Event, Field, FieldName, Severity, Timestamp, Value, nearest};
use bergfried_query::Predicate;

use super::Occasion;

/// Names that a route may ask for, besides those of events and `attributes.…`.
pub(crate) const NAMES: &[&str] = &[
    "severity",
    "severity.level",
    "severity.previous",
    "environment",
    "resource",
    "event",
    "title",
    "service",
    "group",
    "status",
    "change",
    "text",
    "tags",
    "origin",
    "customer",
    "type",
    "correlate",
    "value",
    "count",
    "trend",
    "rule.id",
    "rule.name",
    "technique",
    "agent",
    "host",
    "user",
    "source",
    "program",
];

/// What a route sees of a change.
#[derive(Clone, Debug)]
pub struct View {
    pub(crate) event: Event<'static>,
    /// How bad it is, as rules say it.
    pub(crate) severity: Severity,
}

impl View {
    /// An alert and what became of it.
    pub fn of(model: &Model, alert: &Alert, occasion: Occasion) -> View {
        let severity = model.as_rule(&alert.severity);
        let mut event = Event::new(alert.last_receive_time, alert.text.clone());
        set_severity(&mut event, severity, &alert.severity);
        let mut set = |name: &'static str, value: &str| {
            event.set_named(FieldName::new(name), value.to_owned());
        };
        set("severity.previous", &alert.previous_severity);
        set("environment", &alert.environment);
        set("resource", &alert.resource);
        set("event", &alert.event);
        set("title", &alert.event);
        set("group", &alert.group);
        set("status", alert.status.name());
        set("change", occasion.name());
        set("text", &alert.text);
        set("origin", &alert.origin);
        set("type", &alert.kind);
        if let Some(agent) = alert.agent().or_else(|| alert.host()) {
            set("agent", agent);
        }
        for (name, value) in [("value", &alert.value), ("customer", &alert.customer)] {
            if let Some(value) = value {
                set(name, value);
            }
        }
        let trend = serde_json::to_value(alert.trend).unwrap_or_default();
        set("trend", trend.as_str().unwrap_or_default());
        let said = vec![Value::from(alert.text.clone()), Value::from(alert.event.clone())];
        event.set(Field::Message, Value::List(said));
        event.set_named(FieldName::new("service"), list(&alert.service));
        event.set_named(FieldName::new("tags"), list(&alert.tags));
        event.set_named(FieldName::new("correlate"), list(&alert.correlate));
        let said = alert.duplicate_count.saturating_add(1);
        let count = alert.evidence.as_ref().map_or(said, |evidence| evidence.count);
        event.set_named(FieldName::new("count"), i64::try_from(count).unwrap_or(i64::MAX));
        for (name, value) in &alert.attributes {
            if let Some(value) = value_of(value) {
                event.set_named(FieldName::new(format!("attributes.{name}")), value);
            }
        }
        if let Some(evidence) = &alert.evidence {
            for (name, value) in evidence.matched.iter().chain(&evidence.group) {
                let name = FieldName::exact(name.clone());
                if event.get_named(&name).is_none() {
                    event.set_named(name, value.clone());
                }
            }
            for (field, value) in [
                (Field::HostName, &evidence.host),
                (Field::UserName, &evidence.user),
                (Field::ProcessName, &evidence.program),
                (Field::SourceAddress, &evidence.source),
            ] {
                if let Some(value) = value {
                    event.set(field, value.clone());
                }
            }
            if let Some(source) = &evidence.source {
                event.set_named(FieldName::Other(Cow::Borrowed("source")), source.clone());
                if source.parse::<std::net::IpAddr>().is_ok() {
                    event.set(Field::SourceIp, source.clone());
                }
            }
            event.set_named(FieldName::new("rule.id"), evidence.rule_id.clone());
            event.set(Field::RuleName, alert.event.clone());
            event.set_named(FieldName::new("technique"), list(&evidence.techniques));
        }
        View { event, severity }
    }

    /// An alert that somebody thinks up, for the dry run: names and values as a route would ask for
    /// them. A name that comes again adds to its values; without a severity it is medium.
    ///
    /// # Errors
    /// A text for a person: a field that no alert has, or an unknown severity.
    pub fn imagined(
        model: &Model,
        fields: &[(String, String)],
        now: Timestamp,
    ) -> Result<View, String> {
        let mut word = model.of_rule(Severity::Medium).to_owned();
        let mut event = Event::new(now, String::new());
        event.set_named(FieldName::new("status"), "open");
        event.set_named(FieldName::new("change"), Occasion::New.name());
        for (name, value) in fields {
            if name == "severity" {
                word = model.severity(value).map_err(|error| error.to_string())?.to_owned();
                continue;
            }
            let field = FieldName::new(name.clone());
            check(&field)?;
            if name == "event" || name == "title" {
                event.set_named(FieldName::new("event"), value.clone());
                event.set_named(FieldName::new("title"), value.clone());
            } else if event.get_named(&field).is_some() && name != "status" && name != "change" {
                event.push_named(field, value.clone());
            } else {
                event.set_named(field, value.clone());
            }
        }
        let severity = model.as_rule(&word);
        set_severity(&mut event, severity, &word);
        Ok(View { event, severity })
    }

    /// The text of a field, `-` where there is none.
    pub(crate) fn text(&self, name: &FieldName<'_>) -> Cow<'_, str> {
        match self.event.get_named(name) {
            Some(value) => value.to_text(),
            None => Cow::Borrowed("-"),
        }
    }
}

fn set_severity(event: &mut Event<'static>, severity: Severity, word: &str) {
    let words = vec![Value::from(severity.name()), Value::from(word.to_owned())];
    event.set_named(FieldName::new("severity"), Value::List(words));
    let level = Severity::ALL.iter().position(|one| *one == severity).unwrap_or_default();
    let level = i64::try_from(level).unwrap_or_default().saturating_add(1);
    event.set_named(FieldName::new("severity.level"), level);
}

fn list(texts: &[String]) -> Value<'static> {
    Value::List(texts.iter().map(|text| Value::from(text.clone())).collect())
}

/// An attribute as a field; objects and nulls have no such form.
fn value_of(value: &serde_json::Value) -> Option<Value<'static>> {
    Some(match value {
        serde_json::Value::String(text) => Value::from(text.clone()),
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(whole) => Value::Int(whole),
            None => Value::Float(number.as_f64()?),
        },
        serde_json::Value::Array(values) => {
            Value::List(values.iter().filter_map(value_of).collect())
        }
        serde_json::Value::Null | serde_json::Value::Object(_) => return None,
    })
}

/// Whether an alert can have such a field at all.
pub(crate) fn check(name: &FieldName<'_>) -> Result<(), String> {
    let FieldName::Other(text) = name else { return Ok(()) };
    // Fields of a finding's event have dotted names of any kind.
    if NAMES.contains(&text.as_ref()) || text.contains('.') {
        return Ok(());
    }
    let mut message = format!("an alert has no field `{}`", text.escape_debug());
    if let Some(meant) = nearest(text, NAMES.iter().copied()) {
        message.push_str(&format!("; is `{meant}` meant?"));
    }
    Err(message)
}

/// Whether an alert can have every field that a predicate asks for.
pub(crate) fn check_all(predicate: &Predicate) -> Result<(), String> {
    predicate.fields().into_iter().try_for_each(check)
}
