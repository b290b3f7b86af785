//! How the findings of a rule become alerts, where the rule says so: templates and their filling.
//!
//! A template is text with fields of the finding in braces, such as `{count} from {source.ip}`; a brace
//! itself is written twice. What is filled in is never read as a template again.

use std::borrow::Cow;

use bergfried_event::{AlertShape, Event, Field, Finding, nearest};

use crate::engine::any_value;
use crate::rule::AnyName;

/// The most bytes of a template.
const MAX_TEMPLATE: usize = 1_024;
/// The most characters of what is filled in for one placeholder.
const MAX_VALUE: usize = 256;
/// What stands in a text for what a finding does not have.
const ABSENT: &str = "-";

/// What a rule says about the alerts of its findings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) resource: Option<Template>,
    pub(crate) event: Option<Template>,
    pub(crate) environment: Option<Template>,
    pub(crate) severity: Option<String>,
    pub(crate) service: Vec<Template>,
    pub(crate) group: Option<Template>,
    pub(crate) correlate: Vec<Template>,
    pub(crate) value: Option<Template>,
    pub(crate) text: Option<Template>,
    pub(crate) tags: Vec<Template>,
    pub(crate) attributes: Vec<(String, Template)>,
    pub(crate) timeout: Option<u32>,
}

/// Text with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(Placeholder),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Placeholder {
    Said(Said),
    /// A value that a correlation groups by, in that order.
    Group(usize),
    /// A field of the event of a detection.
    Event(AnyName),
}

/// What every finding says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Count,
    RuleId,
    RuleName,
    Severity,
    FirstSeen,
    LastSeen,
    Example,
    Host,
    User,
    Source,
    Program,
}

const SAID: &[(&str, Said)] = &[
    ("count", Said::Count),
    ("rule.id", Said::RuleId),
    ("rule.name", Said::RuleName),
    ("severity", Said::Severity),
    ("first_seen", Said::FirstSeen),
    ("last_seen", Said::LastSeen),
    ("example", Said::Example),
    ("program", Said::Program),
    ("source", Said::Source),
];

/// The placeholders that a rule may use.
pub(crate) enum Known<'k> {
    /// Any field, by the names that one rule gives it; none for a name that no event has.
    Detection(&'k dyn Fn(&str) -> Option<AnyName>),
    /// What a correlation groups by.
    Correlation(&'k [String]),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(crate) fn read(text: &str, known: &Known<'_>) -> Result<Template, String> {
        if text.len() > MAX_TEMPLATE {
            return Err(format!("a template has at most {MAX_TEMPLATE} bytes"));
        }
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            plain.push_str(before);
            if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
                plain.push_str(from.get(..1).unwrap_or_default());
                rest = after;
                continue;
            }
            let inner = from.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let Some((name, after)) = inner else {
                return Err("a brace has no other side; write it twice to mean itself".to_owned());
            };
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Value(placeholder(name.trim(), known)?));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Template(parts))
    }

    /// The text with the values filled in; none where one of them is missing and nothing stands for it.
    fn fill(
        &self,
        finding: &Finding,
        event: Option<&Event<'_>>,
        absent: Option<&str>,
    ) -> Option<String> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Value(placeholder) => {
                    let value = placeholder.value(finding, event);
                    let value = value.as_deref().filter(|value| !value.is_empty()).or(absent)?;
                    text.push_str(first_characters(value));
                }
            }
        }
        Some(text)
    }
}

/// The placeholder of this name.
fn placeholder(name: &str, known: &Known<'_>) -> Result<Placeholder, String> {
    if let Known::Correlation(groups) = known
        && let Some(place) = groups.iter().position(|group| group == name)
    {
        return Ok(Placeholder::Group(place));
    }
    if let Some((_, said)) = SAID.iter().find(|(word, _)| *word == name) {
        return Ok(Placeholder::Said(*said));
    }
    let said = match Field::from_name(name) {
        Some(Field::HostName) => Some(Said::Host),
        Some(Field::UserName) => Some(Said::User),
        Some(Field::SourceIp) => Some(Said::Source),
        Some(Field::ProcessName) => Some(Said::Program),
        _ => None,
    };
    if let Some(said) = said {
        return Ok(Placeholder::Said(said));
    }
    let shared = ["host.name", "user.name", "source.ip", "process.name"];
    let words = SAID.iter().map(|(word, _)| *word).chain(shared);
    let message = |expected: &str, near: Option<&str>| {
        let hint = near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
        Err(format!("unknown placeholder `{}`, expected {expected}{hint}", name.escape_debug()))
    };
    match known {
        Known::Detection(field) => match field(name) {
            Some(field) => Ok(Placeholder::Event(field)),
            None => {
                let fields = Field::ALL.iter().map(|field| field.name());
                message("a field of events", nearest(name, words.chain(fields)))
            }
        },
        Known::Correlation(groups) => {
            let groups = groups.iter().map(String::as_str);
            let expected = "what the correlation groups by or what its events have in common";
            message(expected, nearest(name, words.chain(groups)))
        }
    }
}

impl Placeholder {
    fn value<'v>(
        &'v self,
        finding: &'v Finding,
        event: Option<&'v Event<'_>>,
    ) -> Option<Cow<'v, str>> {
        match self {
            Placeholder::Said(said) => said.value(finding),
            Placeholder::Group(place) => {
                finding.group.get(*place).map(|(_, value)| Cow::Borrowed(value.as_str()))
            }
            Placeholder::Event(names) => any_value(event?, names),
        }
    }
}

impl Said {
    fn value(self, finding: &Finding) -> Option<Cow<'_, str>> {
        let borrowed = match self {
            Said::Count => return Some(Cow::Owned(finding.count.to_string())),
            Said::FirstSeen => return Some(Cow::Owned(finding.first_seen.to_string())),
            Said::LastSeen => return Some(Cow::Owned(finding.last_seen.to_string())),
            Said::RuleId => Some(&finding.rule_id),
            Said::RuleName => Some(&finding.rule_name),
            Said::Severity => return Some(Cow::Borrowed(finding.severity.name())),
            Said::Example => Some(&finding.example),
            Said::Host => finding.host.as_ref(),
            Said::User => finding.user.as_ref(),
            Said::Source => finding.source.as_ref(),
            Said::Program => finding.program.as_ref(),
        };
        borrowed.map(|text| Cow::Borrowed(text.as_str()))
    }
}

impl Shape {
    /// The shape of the alert of this finding, which in a detection is about this event.
    ///
    /// A template that lacks a value is left out, so that the alert looks there as for any finding; only
    /// in the sentence for people a `-` stands for what is missing.
    pub(crate) fn fill(&self, finding: &Finding, event: Option<&Event<'_>>) -> AlertShape {
        let one = |template: &Option<Template>| template.as_ref()?.fill(finding, event, None);
        let several = |templates: &[Template]| -> Vec<String> {
            templates.iter().filter_map(|template| template.fill(finding, event, None)).collect()
        };
        let attributes = self.attributes.iter().filter_map(|(key, template)| {
            Some((key.clone(), template.fill(finding, event, None)?))
        });
        let text = self.text.as_ref().and_then(|text| text.fill(finding, event, Some(ABSENT)));
        AlertShape {
            resource: one(&self.resource),
            event: one(&self.event),
            environment: one(&self.environment),
            severity: self.severity.clone(),
            service: several(&self.service),
            group: one(&self.group),
            correlate: several(&self.correlate),
            value: one(&self.value),
            text,
            tags: several(&self.tags),
            attributes: attributes.collect(),
            timeout: self.timeout,
        }
    }
}

fn first_characters(text: &str) -> &str {
    let end = text.char_indices().nth(MAX_VALUE).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}
