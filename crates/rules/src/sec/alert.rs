//! What a rule says of an alert (`alert`), as a finding.

use bergfried_event::{AlertShape, Event, Field, Finding, Severity, Timestamp};
use bergfried_sec::port::Alert;

use super::set::{SecRule, Set};

/// The most characters of an example line.
const MAX_EXAMPLE: usize = 1_024;
/// The most bytes of a value; what is longer is cut.
const MAX_VALUE: usize = 4_096;
/// The most attributes of one alert.
const MAX_ATTRIBUTES: usize = 64;
/// The most entries of a list, as in `tags=a,b`.
const MAX_LIST: usize = 32;

/// The event that a rule looks at.
#[derive(Clone, Copy)]
pub(super) struct Seen<'e> {
    pub(super) event: &'e Event<'e>,
    pub(super) id: u64,
}

/// The finding; `seen` is the event that made the rule act, none where time did.
pub(super) fn finding(set: &Set, alert: &Alert, seen: Option<Seen<'_>>, at: Timestamp) -> Finding {
    let (file, number) = &alert.rule;
    let unknown;
    let rule = match set.rule(file, *number) {
        Some(rule) => rule,
        None => {
            unknown = SecRule {
                id: format!("sec:{}", set.name()),
                title: set.name().to_owned(),
                kind: "Single",
                set: set.name().to_owned(),
                file: file.clone(),
                line: 1,
            };
            &unknown
        }
    };
    let said = Said::of(alert);
    let field = |field| {
        let text = seen?.event.text(field)?;
        (!text.is_empty()).then(|| cut(text, MAX_VALUE))
    };
    let created = seen.map_or(at, |seen| seen.event.created());
    let source = || field(Field::SourceIp).or_else(|| field(Field::SourceAddress));
    Finding {
        rule_id: rule.id.clone(),
        rule_name: said.shape.event.clone().unwrap_or_else(|| rule.title.clone()),
        severity: said.shape.severity.as_deref().map_or(Severity::Low, severity),
        host: said.host.or_else(|| field(Field::HostName)),
        user: said.user.or_else(|| field(Field::UserName)),
        source: said.source.or_else(source),
        program: field(Field::ProcessName),
        count: 1,
        first_seen: created,
        last_seen: created,
        techniques: Vec::new(),
        tags: Vec::new(),
        falsepositives: Vec::new(),
        group: Vec::new(),
        matched: Vec::new(),
        example: seen.map_or_else(String::new, |seen| {
            seen.event.original().chars().take(MAX_EXAMPLE).collect()
        }),
        event_ids: seen.map(|seen| seen.id).into_iter().collect(),
        alert: Some(Box::new(said.shape)),
    }
}

/// What the attributes say.
#[derive(Default)]
struct Said {
    shape: AlertShape,
    host: Option<String>,
    user: Option<String>,
    source: Option<String>,
}

impl Said {
    fn of(alert: &Alert) -> Said {
        let mut said = Said::default();
        for (key, value) in alert.attributes.iter().take(MAX_ATTRIBUTES) {
            let text = cut(&String::from_utf8_lossy(value), MAX_VALUE);
            said.take(key, text);
        }
        said
    }

    fn take(&mut self, key: &str, text: String) {
        let shape = &mut self.shape;
        let one = match key {
            "severity" => &mut shape.severity,
            "resource" => &mut shape.resource,
            "event" => &mut shape.event,
            "environment" => &mut shape.environment,
            "group" => &mut shape.group,
            "value" => &mut shape.value,
            "text" => &mut shape.text,
            // What alerts of other rules call so.
            "attributes.host_name" => &mut self.host,
            "attributes.user_name" => &mut self.user,
            "attributes.source_ip" => &mut self.source,
            "service" => return shape.service = list(&text),
            "tags" => return shape.tags = list(&text),
            "timeout" => return shape.timeout = text.trim().parse().ok(),
            _ => {
                let name = key.strip_prefix("attributes.").unwrap_or(key);
                return shape.attributes.push((name.replace(['.', '$'], "_"), text));
            }
        };
        *one = Some(text).filter(|text| !text.trim().is_empty());
    }
}

fn list(text: &str) -> Vec<String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.take(MAX_LIST).map(str::to_owned).collect()
}

fn cut(text: &str, most: usize) -> String {
    text.get(..text.floor_char_boundary(most)).unwrap_or_default().to_owned()
}

/// How bad a rule is whose alert has this word for it (Alerta's, sec(1) has none): for a hub with words
/// of its own, which may not know this one.
fn severity(word: &str) -> Severity {
    match word.to_ascii_lowercase().as_str() {
        "security" | "critical" | "crit" | "fatal" | "emerg" | "emergency" | "panic" | "alert" => {
            Severity::Critical
        }
        "major" | "high" | "error" | "err" => Severity::High,
        "minor" | "medium" => Severity::Medium,
        "warning" | "warn" | "low" => Severity::Low,
        _ => Severity::Informational,
    }
}
