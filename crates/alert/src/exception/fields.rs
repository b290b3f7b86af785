//! A finding seen as fields, so that an exception's condition asks about it in the search language.
//!
//! | field | what it holds |
//! |---|---|
//! | `rule.id`, `rule.name`, `severity` | the rule's id, title and level |
//! | `host.name`, `user.name`, `source.ip`, `process.name` | what all its events share |
//! | `technique`, `tags` | each ATT&CK technique, each tag of the rule |
//! | any other | what the rule grouped by, and the fields that made the last event match |
//!
//! Other fields of the event are not there: findings are judged where they become alerts, also after a
//! crash, and the event is not at hand there.

use bergfried_event::{Event, Field, FieldName, Finding, Value};

use crate::evidence::Evidence;

/// Names that a condition may use besides those of events.
pub(super) const NAMES: &[&str] = &["rule.id", "severity", "technique", "tags"];

/// The fields of a finding.
pub fn of_finding(finding: &Finding) -> Event<'_> {
    let mut event = Event::new(finding.last_seen, "");
    event.set_named(FieldName::new("rule.id"), finding.rule_id.as_str());
    event.set(Field::RuleName, finding.rule_name.as_str());
    event.set_named(FieldName::new("severity"), finding.severity.name());
    event.set_named(FieldName::new("technique"), list(&finding.techniques));
    event.set_named(FieldName::new("tags"), list(&finding.tags));
    let shared = [
        (Field::HostName, &finding.host),
        (Field::UserName, &finding.user),
        (Field::SourceIp, &finding.source),
        (Field::ProcessName, &finding.program),
    ];
    put(&mut event, shared, &finding.group, &finding.matched);
    event
}

/// The fields that are known of an alert's findings.
pub(super) fn of_evidence(evidence: &Evidence) -> Event<'_> {
    let mut event = Event::new(evidence.last_seen, "");
    let shared = [
        (Field::HostName, &evidence.host),
        (Field::UserName, &evidence.user),
        (Field::SourceIp, &evidence.source),
        (Field::ProcessName, &evidence.program),
    ];
    put(&mut event, shared, &evidence.group, &evidence.matched);
    event
}

type Pairs = [(String, String)];

/// What all events share comes first; a field that is named again has each value.
fn put<'f>(
    event: &mut Event<'f>,
    shared: [(Field, &'f Option<String>); 4],
    group: &'f Pairs,
    matched: &'f Pairs,
) {
    for (field, value) in shared {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            event.set(field, value);
        }
    }
    for (name, value) in group.iter().chain(matched) {
        let name = FieldName::new(name.as_str());
        let is_its_own = matches!(
            &name,
            FieldName::Known(
                Field::HostName
                    | Field::UserName
                    | Field::SourceIp
                    | Field::ProcessName
                    | Field::RuleName
            )
        ) || NAMES.contains(&name.as_str());
        match event.get_named(&name) {
            // What the finding says of itself is not for an event to change.
            Some(_) if is_its_own => {}
            Some(Value::List(values)) => {
                let mut values = values.clone();
                values.push(value.as_str().into());
                event.set_named(name, Value::List(values));
            }
            Some(known) => {
                let both = vec![known.clone(), value.as_str().into()];
                event.set_named(name, Value::List(both));
            }
            None => event.set_named(name, value.as_str()),
        }
    }
}

fn list(texts: &[String]) -> Value<'_> {
    Value::List(texts.iter().map(|text| text.as_str().into()).collect())
}
