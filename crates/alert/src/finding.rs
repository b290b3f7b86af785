//! What a rule found, as something that is said of an alert.

use std::fmt::Write as _;

use bergfried_event::{AlertShape, Finding, Timestamp};
use serde_json::Value;

use crate::bounds::{MAX_NAME, clip};
use crate::evidence::{Evidence, name};
use crate::incoming::Incoming;
use crate::settings::Settings;

/// The kind of alerts that are made of findings.
const KIND: &str = "findingAlert";
/// Who says them.
const ORIGIN: &str = "bergfried";

/// What a finding says of an alert.
///
/// The resource is the finding's host, else its source, else `unknown`; the event is the rule's
/// title, else its id. What the rule grouped by is no part of it: two sources that guess at one host
/// are one alert. It has no value: an alert of a rule shows how many events it stands on in all.
///
/// What the rule itself says of its alerts ([`Finding::alert`]) takes the place of all that; its tags
/// and attributes come beside the others. What is too long is cut.
pub fn of_finding(settings: &Settings, finding: &Finding, id: String, now: Timestamp) -> Incoming {
    let resource = name(&finding.host).or_else(|| name(&finding.source));
    let evidence = Evidence::of(finding);
    let mut incoming = Incoming {
        id,
        environment: settings.default_environment.clone(),
        resource: resource.unwrap_or_else(|| "unknown".to_owned()),
        event: clip(title(finding), MAX_NAME),
        severity: settings.model.of_rule(finding.severity).to_owned(),
        correlate: Vec::new(),
        status: settings.model.default_status(),
        service: name(&finding.program).into_iter().collect(),
        group: "Misc".to_owned(),
        value: None,
        text: sentence(finding),
        tags: tags(finding),
        attributes: evidence.attributes(),
        origin: ORIGIN.to_owned(),
        kind: KIND.to_owned(),
        // What happened in a blackout belongs to it, even if it is delivered after that.
        create_time: finding.last_seen.min(now),
        timeout: settings.alert_timeout,
        raw_data: None,
        customer: None,
        evidence: Some(Box::new(evidence)),
    };
    if let Some(shape) = finding.alert.as_deref() {
        put_on(settings, &mut incoming, shape);
    }
    incoming.cut();
    incoming
}

/// Lets the rule's own words take the place of those for any finding.
fn put_on(settings: &Settings, incoming: &mut Incoming, shape: &AlertShape) {
    for (own, said) in [
        (&mut incoming.resource, &shape.resource),
        (&mut incoming.event, &shape.event),
        (&mut incoming.environment, &shape.environment),
        (&mut incoming.group, &shape.group),
        (&mut incoming.text, &shape.text),
    ] {
        if let Some(said) = said.as_ref().filter(|said| !said.trim().is_empty()) {
            own.clone_from(said);
        }
    }
    // A hub with severities of its own may not know the word; then the rule's level counts.
    let severity = shape.severity.as_deref().map(|word| settings.model.severity(word));
    if let Some(Ok(severity)) = severity {
        severity.clone_into(&mut incoming.severity);
    }
    if !shape.service.is_empty() {
        incoming.service.clone_from(&shape.service);
    }
    incoming.correlate.clone_from(&shape.correlate);
    incoming.value.clone_from(&shape.value);
    for tag in &shape.tags {
        if !incoming.tags.contains(tag) {
            incoming.tags.push(tag.clone());
        }
    }
    let attributes = shape.attributes.iter();
    incoming
        .attributes
        .extend(attributes.map(|(key, text)| (key.clone(), Value::String(text.clone()))));
    incoming.timeout = shape.timeout.unwrap_or(incoming.timeout);
}

fn title(finding: &Finding) -> &str {
    if finding.rule_name.is_empty() { &finding.rule_id } else { &finding.rule_name }
}

/// ATT&CK techniques, then the rule's own tags.
fn tags(finding: &Finding) -> Vec<String> {
    finding.techniques.iter().chain(&finding.tags).cloned().collect()
}

/// What a finding says, as one sentence: title, count, host, user, source, program.
fn sentence(finding: &Finding) -> String {
    let mut text = clip(title(finding), MAX_NAME);
    let noun = if finding.count == 1 { "event" } else { "events" };
    // Writing to a String cannot fail.
    let _infallible = write!(text, ": {} {noun}", finding.count);
    let parts = [
        (" on ", &finding.host),
        (", user ", &finding.user),
        (", from ", &finding.source),
        (", logged by ", &finding.program),
    ];
    for (words, value) in parts {
        if let Some(value) = name(value) {
            text.push_str(words);
            text.push_str(&value);
        }
    }
    text
}
