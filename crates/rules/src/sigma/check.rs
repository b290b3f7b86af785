//! The shape of a document, checked before it is parsed, because here the place of a fault is known.

use std::collections::BTreeSet;

use bergfried_event::nearest;
use rsigma_parser::{Modifier, version};
use yaml_serde::Value;

use super::condition;
use super::document::{Document, get, keys};
use super::fault::{Fault, unknown};

const TOP_LEVEL: &[&str] = &[
    "title",
    "id",
    "related",
    "name",
    "taxonomy",
    "status",
    "description",
    "license",
    "author",
    "references",
    "date",
    "modified",
    "logsource",
    "detection",
    "correlation",
    "filter",
    "fields",
    "falsepositives",
    "level",
    "tags",
    "scope",
    "generate",
    "sigma-version",
    "custom_attributes",
    super::custom::KEY,
];
const LEVELS: &[&str] = &["informational", "low", "medium", "high", "critical"];
const STATUSES: &[&str] = &["stable", "test", "experimental", "deprecated", "unsupported"];
const MODIFIERS: &[&str] = &[
    "contains",
    "startswith",
    "endswith",
    "all",
    "base64",
    "base64offset",
    "wide",
    "utf16le",
    "utf16be",
    "utf16",
    "windash",
    "re",
    "cidr",
    "cased",
    "exists",
    "expand",
    "fieldref",
    "gt",
    "gte",
    "lt",
    "lte",
    "neq",
    "i",
    "m",
    "s",
    "ignorecase",
    "multiline",
    "dotall",
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "year",
];

/// The newest version of the specification whose rules mean here what they say.
const NEWEST_VERSION: u32 = 2;
/// The most faults of one document that are told; placing one takes as long as the document.
const MAX_FAULTS: usize = 32;

/// Adds what is wrong with the shape of the document.
pub(super) fn check(document: &Document<'_>, value: &Value, faults: &mut Vec<Fault>) {
    if !value.is_mapping() {
        let message = "a rule must be a mapping of keys such as `title` and `detection`";
        faults.push(Fault::error(document.start(), message));
        return;
    }
    check_words(document, value, faults);
    check_version(document, value, faults);
    super::custom::check(document, value, faults);
    if get(value, "correlation").is_some() {
        super::correlation::check(document, value, faults);
    } else if let Some(filter) = get(value, "filter") {
        check_section(document, "filter", filter, faults);
        check_filtered(document, filter, faults);
        check_logsource(document, value, faults);
    } else if let Some(detection) = get(value, "detection") {
        check_section(document, "detection", detection, faults);
        check_logsource(document, value, faults);
    } else {
        let message = "missing `detection` (or `correlation`, or `filter`)";
        faults.push(Fault::error(document.start(), message));
    }
}

/// Refuses what only later versions of the specification give a meaning.
fn check_version(document: &Document<'_>, value: &Value, faults: &mut Vec<Fault>) {
    let version = get(value, "sigma-version").and_then(version::major_from_value);
    let Some(version) = version.filter(|version| *version > NEWEST_VERSION) else { return };
    let place = document.key(&["sigma-version"]);
    if version::is_unsupported(Some(version)) {
        let message = format!("cannot read version {version} of Sigma, only up to 2");
        faults.push(Fault::error(place, message));
        return;
    }
    let section = get(value, "detection").or_else(|| get(value, "filter"));
    if section.is_some_and(has_array_selector) {
        let message = "array matching (`field[any]`) of version 3 of Sigma is not supported";
        faults.push(Fault::error(place, message));
    }
}

/// Whether a part of some key's path ends in brackets.
fn has_array_selector(value: &Value) -> bool {
    let is_selector = |key: &str| {
        let path = key.split('|').next().unwrap_or_default();
        path.split('.').any(|part| part.contains('[') && part.ends_with(']'))
    };
    match value {
        Value::Sequence(inner) => inner.iter().any(has_array_selector),
        Value::Mapping(inner) => inner
            .iter()
            .any(|(key, value)| key.as_str().is_some_and(is_selector) || has_array_selector(value)),
        _ => false,
    }
}

fn check_logsource(document: &Document<'_>, value: &Value, faults: &mut Vec<Fault>) {
    let section = get(value, "logsource");
    if !section.is_some_and(Value::is_mapping) {
        let message = "missing `logsource`, expected a mapping of product, category or service";
        faults.push(Fault::error(document.key(&["logsource"]), message));
        return;
    }
    for key in ["product", "category", "service"] {
        let word = section.and_then(|section| get(section, key));
        if word.is_some_and(|word| !word.is_string() && !word.is_null()) {
            let place = document.key(&["logsource", key]);
            faults.push(Fault::error(place, format!("`{key}` must be a text")));
        }
    }
}

fn check_filtered(document: &Document<'_>, filter: &Value, faults: &mut Vec<Fault>) {
    let sound = match get(filter, "rules") {
        Some(Value::String(_)) => true,
        Some(Value::Sequence(rules)) => !rules.is_empty() && rules.iter().all(Value::is_string),
        _ => false,
    };
    if !sound {
        let message = "`rules` must be a list of rules' ids or names, or `any`";
        faults.push(Fault::error(document.key(&["filter", "rules"]), message));
    }
}

fn check_words(document: &Document<'_>, value: &Value, faults: &mut Vec<Fault>) {
    match get(value, "title") {
        None => faults.push(Fault::error(document.start(), "missing `title`")),
        Some(title) if title.as_str().is_none_or(str::is_empty) => {
            let message = "`title` must be a text that is not empty";
            faults.push(Fault::error(document.key(&["title"]), message));
        }
        Some(_) => {}
    }
    for key in ["id", "name", "description", "author"] {
        if get(value, key).is_some_and(|value| !value.is_string()) {
            faults.push(Fault::error(document.key(&[key]), format!("`{key}` must be a text")));
        }
    }
    for (key, known) in [("level", LEVELS), ("status", STATUSES)] {
        let Some(value) = get(value, key) else { continue };
        let word = value.as_str().unwrap_or_default();
        if !known.contains(&word) {
            let place = document.word(&[key], word);
            faults.push(Fault::error(place, unknown(key, word, known)));
        }
    }
    for key in keys(value).filter(|key| !TOP_LEVEL.contains(key)) {
        if let Some(near) = nearest(key, TOP_LEVEL.iter().copied()) {
            let message = format!("unknown key `{key}`, did you mean `{near}`?");
            faults.push(Fault::warning(document.key(&[key]), message));
        }
    }
}

/// Checks `detection` or `filter`: a mapping of selections and a condition over their names.
fn check_section(document: &Document<'_>, key: &str, section: &Value, faults: &mut Vec<Fault>) {
    if !section.is_mapping() {
        let message = format!("`{key}` must be a mapping of selections and a condition");
        faults.push(Fault::error(document.key(&[key]), message));
        return;
    }
    if get(section, "timeframe").is_some() {
        let message = "`timeframe` is not part of Sigma 2, use a correlation";
        faults.push(Fault::error(document.key(&[key, "timeframe"]), message));
    }
    let names: BTreeSet<&str> =
        keys(section).filter(|name| !matches!(*name, "condition" | "rules")).collect();
    for name in &names {
        if let Some(selection) = get(section, name) {
            check_selection(document, &[key, name], selection, faults);
        }
        if faults.len() > MAX_FAULTS {
            return;
        }
    }
    match get(section, "condition") {
        None => {
            let message = format!("missing `condition` in `{key}`");
            faults.push(Fault::error(document.key(&[key]), message));
        }
        Some(Value::String(text)) => condition::check(document, key, text, &names, faults),
        Some(Value::Sequence(texts)) if !texts.is_empty() && texts.iter().all(Value::is_string) => {
            for text in texts.iter().filter_map(Value::as_str) {
                condition::check(document, key, text, &names, faults);
            }
        }
        Some(_) => {
            let message = "`condition` must be a text such as `selection and not filter`";
            faults.push(Fault::error(document.key(&[key, "condition"]), message));
        }
    }
}

/// Checks the modifiers of every key of a selection.
fn check_selection(
    document: &Document<'_>,
    path: &[&str],
    selection: &Value,
    faults: &mut Vec<Fault>,
) {
    let is_empty = match selection {
        Value::Sequence(inner) => inner.is_empty(),
        Value::Mapping(fields) => fields.is_empty(),
        Value::Null => true,
        _ => false,
    };
    if is_empty {
        let name = path.last().copied().unwrap_or_default();
        let message = format!("`{name}` is empty, expected fields with values or keywords");
        faults.push(Fault::error(document.key(path), message));
    }
    match selection {
        Value::Sequence(inner) => {
            for selection in inner {
                check_selection(document, path, selection, faults);
            }
        }
        Value::Mapping(fields) => {
            for (key, value) in fields {
                if faults.len() > MAX_FAULTS {
                    return;
                }
                let Some(key) = key.as_str() else {
                    let message = "a field's name must be a text";
                    faults.push(Fault::error(document.key(path), message));
                    continue;
                };
                if let Some(message) = value_fault(key, value) {
                    faults.push(Fault::error(document.word(path, key), message));
                }
                for modifier in key.split('|').skip(1) {
                    if modifier.parse::<Modifier>().is_err() {
                        let place = document.word(path, &format!("|{modifier}"));
                        let message = match modifier {
                            "not" => "`not` is no modifier, say it in the condition".to_owned(),
                            _ => unknown_modifier(modifier),
                        };
                        faults.push(Fault::error(place, message));
                    }
                }
            }
        }
        _ => {}
    }
}

/// What the parser would take for something else without a word.
fn value_fault(key: &str, value: &Value) -> Option<String> {
    let is_plain = |value: &Value| !value.is_mapping() && !value.is_sequence();
    let sound = match value {
        Value::Sequence(values) => !values.is_empty() && values.iter().all(is_plain),
        value => is_plain(value),
    };
    if !sound {
        return Some(format!("`{key}` must be a value or a list of values that is not empty"));
    }
    let asks_existence = key.split('|').skip(1).any(|modifier| modifier == "exists");
    (asks_existence && !value.is_bool()).then(|| format!("`{key}` must be true or false"))
}

pub(super) fn unknown_modifier(modifier: &str) -> String {
    match nearest(modifier, MODIFIERS.iter().copied()) {
        Some(near) => {
            format!("unknown modifier `{}`, did you mean `{near}`?", modifier.escape_debug())
        }
        None => unknown("modifier", modifier, MODIFIERS),
    }
}
