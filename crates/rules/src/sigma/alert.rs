//! The attribute that Sigma lacks: `bergfried: alert`, how the findings of a rule become alerts.

use yaml_serde::Value;

use super::correlation::timespan;
use super::custom::KEY;
use super::document::{Document, get};
use super::fault::{Fault, unknown};
use crate::shape::{Known, Shape, Template};

/// The key within [`KEY`].
pub(super) const ALERT: &str = "alert";

const KEYS: &[&str] = &[
    "resource",
    "event",
    "environment",
    "severity",
    "service",
    "group",
    "correlate",
    "value",
    "text",
    "tags",
    "attributes",
    "timeout",
];
/// The words of rules and those of Alerta; a hub with other words takes the rule's level for one that
/// it does not know.
const SEVERITIES: &[&str] = &[
    "security",
    "critical",
    "major",
    "high",
    "minor",
    "medium",
    "warning",
    "low",
    "indeterminate",
    "informational",
    "normal",
    "ok",
    "cleared",
    "debug",
    "trace",
    "unknown",
];
/// Words of other systems that a hub takes for one of these.
const ALIASES: &[&str] = &[
    "crit",
    "fatal",
    "emerg",
    "emergency",
    "panic",
    "alert",
    "error",
    "err",
    "warn",
    "information",
    "info",
    "notice",
    "advisory",
];
/// The most entries of a list of templates.
const MAX_LIST: usize = 32;
/// The most bytes of an attribute's name.
const MAX_NAME: usize = 128;
const MICROS: i64 = 1_000_000;

/// What the rule says about its alerts, where it does.
pub(super) fn shape(
    document: &Document<'_>,
    value: &Value,
    known: &Known<'_>,
) -> Result<Option<Box<Shape>>, Fault> {
    let Some(section) = get(value, KEY).and_then(|own| get(own, ALERT)) else { return Ok(None) };
    let reader = Reader { document, section, known };
    if !section.is_mapping() {
        let message = "`alert` must be a mapping of keys such as `resource` and `text`";
        return Err(Fault::error(document.key(&[KEY, ALERT]), message));
    }
    for (key, _) in section.as_mapping().into_iter().flatten() {
        let key = key.as_str().unwrap_or_default();
        if !KEYS.contains(&key) {
            return Err(reader.fault(key, unknown("key", key, KEYS)));
        }
    }
    Ok(Some(Box::new(Shape {
        resource: reader.one("resource")?,
        event: reader.one("event")?,
        environment: reader.one("environment")?,
        severity: reader.severity()?,
        service: reader.several("service")?,
        group: reader.one("group")?,
        correlate: reader.several("correlate")?,
        value: reader.one("value")?,
        text: reader.one("text")?,
        tags: reader.several("tags")?,
        attributes: reader.attributes()?,
        timeout: reader.timeout()?,
    })))
}

struct Reader<'r> {
    document: &'r Document<'r>,
    section: &'r Value,
    known: &'r Known<'r>,
}

impl Reader<'_> {
    fn fault(&self, key: &str, message: impl Into<String>) -> Fault {
        Fault::error(self.document.key(&[KEY, ALERT, key]), message)
    }

    /// A template, at the place of whose text faults are told.
    fn template(&self, key: &str, text: &str) -> Result<Template, Fault> {
        if text.trim().is_empty() {
            return Err(self.fault(key, format!("`{key}` must not be empty")));
        }
        Template::read(text, self.known).map_err(|message| {
            let first = text.lines().next().unwrap_or_default();
            Fault::error(self.document.word(&[KEY, ALERT, key], first), message)
        })
    }

    fn one(&self, key: &str) -> Result<Option<Template>, Fault> {
        match get(self.section, key) {
            None => Ok(None),
            Some(value) => match scalar(value) {
                Some(text) => self.template(key, &text).map(Some),
                None => Err(self.fault(key, format!("`{key}` must be a text"))),
            },
        }
    }

    fn several(&self, key: &str) -> Result<Vec<Template>, Fault> {
        let texts: Option<Vec<String>> = match get(self.section, key) {
            None => return Ok(Vec::new()),
            Some(Value::Sequence(list)) if list.len() <= MAX_LIST => {
                list.iter().map(scalar).collect()
            }
            Some(value) => scalar(value).map(|text| vec![text]),
        };
        let Some(texts) = texts else {
            let message = format!("`{key}` must be a text or a list of at most {MAX_LIST} texts");
            return Err(self.fault(key, message));
        };
        texts.iter().map(|text| self.template(key, text)).collect()
    }

    fn attributes(&self) -> Result<Vec<(String, Template)>, Fault> {
        let key = "attributes";
        let Some(value) = get(self.section, key) else { return Ok(Vec::new()) };
        let mapping = value.as_mapping().filter(|mapping| mapping.len() <= MAX_LIST);
        let Some(mapping) = mapping else {
            let message = format!("`{key}` must be a mapping of at most {MAX_LIST} names to texts");
            return Err(self.fault(key, message));
        };
        let mut attributes = Vec::new();
        for (name, value) in mapping {
            let name = name.as_str().unwrap_or_default();
            if name.is_empty() || name.len() > MAX_NAME || name.contains(['.', '$']) {
                let message =
                    format!("an attribute's name has 1 to {MAX_NAME} bytes, none `.` or `$`");
                return Err(self.fault(key, message));
            }
            let Some(text) = scalar(value) else {
                return Err(self.fault(key, format!("the attribute `{name}` must be a text")));
            };
            attributes.push((name.to_owned(), self.template(key, &text)?));
        }
        Ok(attributes)
    }

    fn severity(&self) -> Result<Option<String>, Fault> {
        let key = "severity";
        let Some(value) = get(self.section, key) else { return Ok(None) };
        let word = value.as_str().unwrap_or_default();
        if SEVERITIES.contains(&word) || ALIASES.contains(&word) {
            return Ok(Some(word.to_owned()));
        }
        let place = self.document.word(&[KEY, ALERT, key], word);
        Err(Fault::error(place, unknown(key, word, SEVERITIES)))
    }

    fn timeout(&self) -> Result<Option<u32>, Fault> {
        let key = "timeout";
        let Some(value) = get(self.section, key) else { return Ok(None) };
        let seconds = match value {
            Value::String(text) => {
                timespan(text).map_err(|message| self.fault(key, message))?.checked_div(MICROS)
            }
            value => value.as_i64(),
        };
        match seconds.and_then(|seconds| u32::try_from(seconds).ok()) {
            Some(seconds) => Ok(Some(seconds)),
            None => {
                let message = "`timeout` must be a time span such as 12h, or seconds; 0 is never";
                Err(self.fault(key, message))
            }
        }
    }
}

/// The text of a value that is neither a list nor a mapping.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}
