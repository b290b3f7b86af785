//! Correlation documents (Sigma correlation rules specification 2.1): their shape and their draft.

use std::collections::{BTreeMap, HashSet};

use bergfried_query::Comparison;
use rsigma_parser::Timespan;
use yaml_serde::Value;

use super::document::{Document, Place, get, keys};
use super::fault::{Fault, unknown};
use super::pipeline::{Pipelines, Subject, Unfit};
use crate::logsource::LogSource;
use crate::rule::{CorrelationKind, Threshold};

const KEYS: &[&str] =
    &["type", "rules", "group-by", "timespan", "timeframe", "condition", "aliases", "generate"];
const TYPES: &[&str] = &[
    "event_count",
    "value_count",
    "temporal",
    "temporal_ordered",
    "value_sum",
    "value_avg",
    "value_percentile",
    "value_median",
];
const CONDITIONS: &[&str] = &["gt", "gte", "lt", "lte", "eq", "neq", "field", "percentile"];
/// The highest count that a condition may ask for: so many matches are kept for each group.
pub(crate) const MAX_COUNT: u64 = 10_000;
/// The most rules that one correlation may refer to.
const MAX_RULES: usize = 64;

/// A rule that another refers to by id or name, and where it does so.
pub(crate) struct Reference {
    pub(crate) rule: String,
    pub(crate) place: Place,
}

/// A correlation whose references are not looked up yet.
pub(crate) struct CorrelationDraft {
    pub(crate) kind: CorrelationKind,
    pub(crate) rules: Vec<Reference>,
    pub(crate) group_by: Vec<String>,
    pub(crate) values: Vec<String>,
    /// Alias → rule (id or name) → field.
    pub(crate) aliases: BTreeMap<String, BTreeMap<String, String>>,
    /// Microseconds.
    pub(crate) timespan: i64,
    pub(crate) threshold: Threshold,
    pub(crate) generate: bool,
    /// What pipelines look at.
    subject: Subject,
}

impl CorrelationDraft {
    /// Renames its fields as pipelines do, given the log sources of the rules it refers to.
    ///
    /// # Errors
    /// Why it can never fire then.
    pub(crate) fn transform(
        &mut self,
        pipelines: &Pipelines<'_>,
        logsources: Vec<LogSource>,
    ) -> Result<(), Unfit> {
        let keys: Vec<String> = self.names().map(|name| name.clone()).collect();
        let subject = std::mem::take(&mut self.subject);
        let renamed = pipelines.correlation(subject, logsources, keys)?;
        self.names().zip(renamed).for_each(|(own, name)| *own = name);
        Ok(())
    }

    /// The names of fields that it groups by or counts, aliases apart, and those behind aliases.
    fn names(&mut self) -> impl Iterator<Item = &mut String> {
        let own = self.group_by.iter_mut().chain(&mut self.values);
        let aliases: Vec<String> = self.aliases.keys().cloned().collect();
        let behind = self.aliases.values_mut().flat_map(BTreeMap::values_mut);
        own.filter(move |name| !aliases.contains(name)).chain(behind)
    }
}

/// Adds what is wrong with the shape of a correlation document.
pub(super) fn check(document: &Document<'_>, value: &Value, faults: &mut Vec<Fault>) {
    let Some(section) = get(value, "correlation").filter(|section| section.is_mapping()) else {
        let message = "`correlation` must be a mapping of type, rules, group-by and timespan";
        faults.push(Fault::error(document.key(&["correlation"]), message));
        return;
    };
    for key in keys(section).filter(|key| !KEYS.contains(key)) {
        let place = document.key(&["correlation", key]);
        faults.push(Fault::error(place, unknown("key", key, KEYS)));
    }
    let kind = get(section, "type").and_then(Value::as_str);
    match kind {
        None => {
            let message = format!("missing `type` in `correlation`, expected {}", TYPES.join(", "));
            faults.push(Fault::error(document.key(&["correlation"]), message));
        }
        Some(kind) if !TYPES.contains(&kind) => {
            let message = unknown("correlation type", kind, TYPES);
            faults.push(Fault::error(document.word(&["correlation", "type"], kind), message));
        }
        Some(_) => {}
    }
    check_lists(document, section, faults);
    check_timespan(document, section, faults);
    check_condition(document, section, kind.unwrap_or_default(), faults);
}

fn check_lists(document: &Document<'_>, section: &Value, faults: &mut Vec<Fault>) {
    for (key, needed) in [("rules", true), ("group-by", false)] {
        let path = ["correlation", key];
        match get(section, key) {
            None if !needed => {}
            Some(Value::String(_)) => {}
            Some(Value::Sequence(list))
                if !list.is_empty() && list.iter().all(Value::is_string) =>
            {
                if list.len() > MAX_RULES {
                    let message = format!("`{key}` holds more than {MAX_RULES} entries");
                    faults.push(Fault::error(document.key(&path), message));
                }
            }
            _ => {
                let message = format!("`{key}` must be a list of texts that is not empty");
                faults.push(Fault::error(document.key(&path), message));
            }
        }
    }
    if let Some(aliases) = get(section, "aliases") {
        let sound = aliases.as_mapping().is_some_and(|aliases| {
            aliases.iter().all(|(name, rules)| {
                name.is_string()
                    && rules.as_mapping().is_some_and(|rules| {
                        rules.iter().all(|(rule, field)| rule.is_string() && field.is_string())
                    })
            })
        });
        if !sound {
            let message = "`aliases` must map a name to a mapping of rules to fields";
            faults.push(Fault::error(document.key(&["correlation", "aliases"]), message));
        }
    }
}

fn check_timespan(document: &Document<'_>, section: &Value, faults: &mut Vec<Fault>) {
    let key = if get(section, "timespan").is_none() { "timeframe" } else { "timespan" };
    let Some(value) = get(section, key) else {
        let message = "missing `timespan` in `correlation`, expected one such as 10m";
        faults.push(Fault::error(document.key(&["correlation"]), message));
        return;
    };
    let text = value.as_str().unwrap_or_default();
    if let Err(message) = timespan(text) {
        faults.push(Fault::error(document.word(&["correlation", key], text), message));
    }
}

/// Reads a time span such as `10m` as microseconds.
pub(super) fn timespan(text: &str) -> Result<i64, String> {
    let seconds = Timespan::parse(text).ok().and_then(|span| i64::try_from(span.seconds).ok());
    let micros = seconds.and_then(|seconds| seconds.checked_mul(1_000_000));
    micros.filter(|micros| *micros > 0).ok_or_else(|| {
        format!(
            "`{}` is no time span, expected a number and s, m, h or d such as 10m",
            text.escape_debug()
        )
    })
}

fn check_condition(document: &Document<'_>, section: &Value, kind: &str, faults: &mut Vec<Fault>) {
    let path = ["correlation", "condition"];
    let temporal = matches!(kind, "temporal" | "temporal_ordered");
    let of_values = kind.starts_with("value_");
    let Some(condition) = get(section, "condition") else {
        if !temporal {
            let message = "missing `condition` in `correlation`, expected one such as gte: 10";
            faults.push(Fault::error(document.key(&["correlation"]), message));
        }
        return;
    };
    if !condition.is_mapping() {
        let message = "`condition` of a correlation must be a mapping such as gte: 10";
        faults.push(Fault::error(document.key(&path), message));
        return;
    }
    let mut fault = |key: &str, message: String| {
        faults.push(Fault::error(document.key(&["correlation", "condition", key]), message));
    };
    for key in keys(condition) {
        let given = get(condition, key);
        match key {
            "field" => check_field(given, kind, &mut fault),
            "percentile" if kind != "value_percentile" => {
                fault(key, format!("only value_percentile takes a `percentile`, not {kind}"));
            }
            "percentile" => {
                if number(given).is_none_or(|number| !(0.0..=100.0).contains(&number)) {
                    fault(key, "`percentile` must be a number from 0 to 100".to_owned());
                }
            }
            _ if comparison(key).is_none() => fault(key, unknown("condition", key, CONDITIONS)),
            _ if of_values && kind != "value_count" => {
                if number(given).is_none() {
                    fault(key, format!("`{key}` must be a number"));
                }
            }
            _ => {
                let bound = given.and_then(Value::as_u64);
                if bound.is_none_or(|bound| bound > MAX_COUNT) {
                    fault(key, format!("`{key}` must be a whole number from 0 to {MAX_COUNT}"));
                }
            }
        }
    }
    if keys(condition).all(|key| matches!(key, "field" | "percentile")) {
        let message = "the condition compares nothing, expected a bound such as gte: 10";
        faults.push(Fault::error(document.key(&path), message));
    }
    if of_values && get(condition, "field").is_none() {
        let message = format!("missing `field` in the condition of a {kind} correlation");
        faults.push(Fault::error(document.key(&path), message));
    }
}

fn check_field(given: Option<&Value>, kind: &str, fault: &mut impl FnMut(&str, String)) {
    let count = match given {
        Some(Value::String(_)) => 1,
        Some(Value::Sequence(list)) if list.iter().all(Value::is_string) => list.len(),
        _ => 0,
    };
    // A sum or an average of two fields at once means nothing.
    let several = matches!(kind, "value_count" | "value_percentile");
    if count == 0 || count > MAX_RULES {
        fault("field", "`field` must be the name of a field, or a list of them".to_owned());
    } else if count > 1 && !several {
        fault("field", format!("a {kind} correlation takes one `field`"));
    }
}

/// A number that can be compared with.
fn number(given: Option<&Value>) -> Option<f64> {
    given.and_then(Value::as_f64).filter(|number| number.is_finite())
}

/// The draft of a correlation whose shape was found sound.
pub(super) fn draft(document: &Document<'_>, value: &Value) -> Result<CorrelationDraft, Fault> {
    let at = |path: &[&str], message: String| Fault::error(document.key(path), message);
    let section = get(value, "correlation").unwrap_or(&Value::Null);
    let condition = get(section, "condition");
    let rules = texts(get(section, "rules"));
    let unique: HashSet<&String> = rules.iter().collect();
    if unique.len() != rules.len() {
        let message = "`rules` refers to one rule twice";
        return Err(at(&["correlation", "rules"], message.to_owned()));
    }
    let kind = kind(section, condition)
        .ok_or_else(|| at(&["correlation", "type"], "cannot read `type`".to_owned()))?;
    let values = texts(condition.and_then(|condition| get(condition, "field")));
    if kind.is_numeric() && values.len() != 1 {
        let message = "a percentile is that of one `field`".to_owned();
        return Err(at(&["correlation", "condition", "field"], message));
    }
    let span = get(section, "timespan").or_else(|| get(section, "timeframe"));
    let timespan = timespan(span.and_then(Value::as_str).unwrap_or_default())
        .map_err(|message| at(&["correlation"], message))?;
    let generate = get(section, "generate").or_else(|| get(value, "generate"));
    Ok(CorrelationDraft {
        kind,
        threshold: threshold(condition, rules.len()),
        rules: references(document, &["correlation", "rules"], &rules),
        group_by: texts(get(section, "group-by")),
        values,
        aliases: aliases(section),
        timespan,
        generate: generate.and_then(Value::as_bool).unwrap_or(false),
        subject: Subject::of(value),
    })
}

fn kind(section: &Value, condition: Option<&Value>) -> Option<CorrelationKind> {
    let percentile = condition.and_then(|condition| number(get(condition, "percentile")));
    Some(match get(section, "type").and_then(Value::as_str)? {
        "event_count" => CorrelationKind::EventCount,
        "value_count" => CorrelationKind::ValueCount,
        "temporal" => CorrelationKind::Temporal,
        "temporal_ordered" => CorrelationKind::TemporalOrdered,
        "value_sum" => CorrelationKind::ValueSum,
        "value_avg" => CorrelationKind::ValueAverage,
        "value_median" => CorrelationKind::ValuePercentile(50.0),
        "value_percentile" => {
            percentile.map_or(CorrelationKind::ValueShare, CorrelationKind::ValuePercentile)
        }
        _ => return None,
    })
}

/// One text or a list of them.
fn texts(given: Option<&Value>) -> Vec<String> {
    match given {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Sequence(texts)) => {
            texts.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// Alias → rule → field.
fn aliases(section: &Value) -> BTreeMap<String, BTreeMap<String, String>> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let mapping = get(section, "aliases").and_then(Value::as_mapping);
    let fields = |rules: &Value| {
        let rules = rules.as_mapping().into_iter().flatten();
        rules.filter_map(|(rule, field)| Some((text(rule)?, text(field)?))).collect()
    };
    let aliases = mapping.into_iter().flatten();
    aliases.filter_map(|(alias, rules)| Some((text(alias)?, fields(rules)))).collect()
}

/// The rules referred to, with the places of the references.
pub(super) fn references(
    document: &Document<'_>,
    path: &[&str],
    rules: &[String],
) -> Vec<Reference> {
    let reference =
        |rule: &String| Reference { rule: rule.clone(), place: document.word(path, rule) };
    rules.iter().map(reference).collect()
}

/// The bounds of the condition; without one, every rule must match.
fn threshold(condition: Option<&Value>, rules: usize) -> Threshold {
    let Some(condition) = condition else {
        return Threshold(vec![(Comparison::GreaterOrEqual, rules as f64)]);
    };
    let bound = |key| Some((comparison(key)?, number(get(condition, key))?));
    Threshold(keys(condition).filter_map(bound).collect())
}

fn comparison(operator: &str) -> Option<Comparison> {
    Some(match operator {
        "lt" => Comparison::Less,
        "lte" => Comparison::LessOrEqual,
        "gt" => Comparison::Greater,
        "gte" => Comparison::GreaterOrEqual,
        "eq" => Comparison::Equal,
        "neq" => Comparison::NotEqual,
        _ => return None,
    })
}
