//! `json`, `kv`, `csv` and `dissect`.

use super::{named_texts, source, tag_on_failure};
use crate::Work;
use crate::settings::{Settings, text};
use crate::toml::{Node, Table, list};

pub(super) fn json(settings: &mut Settings<'_>, work: &mut Work<'_>) -> Vec<Table> {
    let mut json = vec![("field".to_owned(), Node::from(source("source", settings, work)))];
    target(settings, work, &mut json);
    let mut step = Table::default();
    let quiet = settings.truth("skip_on_invalid_json", &mut work.told) == Some(true);
    step.set("json", Node::Table(json));
    if quiet {
        step.set("tag_on_failure", Node::List(Vec::new()));
        settings.ignore(&["tag_on_failure"]);
    } else {
        tag_on_failure(&mut step, settings, work);
    }
    vec![step]
}

pub(super) fn kv(settings: &mut Settings<'_>, work: &mut Work<'_>) -> Vec<Table> {
    let mut kv = vec![("field".to_owned(), Node::from(source("source", settings, work)))];
    target(settings, work, &mut kv);
    for name in ["field_split", "value_split"] {
        if let Some(characters) = settings.text(name, &mut work.told) {
            kv.push((name.to_owned(), unescaped(&characters).into()));
        }
    }
    for (names, ours) in [
        (&["trim_key", "trimkey"][..], "trim_key"),
        (&["trim_value", "trim"], "trim_value"),
        (&["prefix"], "prefix"),
        (&["remove_char_key"], "remove_char_key"),
        (&["remove_char_value"], "remove_char_value"),
        (&["transform_key"], "transform_key"),
        (&["transform_value"], "transform_value"),
    ] {
        let setting = settings.take_any(names);
        let text = setting.and_then(|one| text(&one.value, work.variable, &mut work.told));
        if let Some(text) = text {
            kv.push((ours.to_owned(), unescaped(&text).into()));
        }
    }
    for name in ["include_keys", "exclude_keys"] {
        let keys = settings.texts(name, &mut work.told);
        if !keys.is_empty() {
            kv.push((name.to_owned(), list(keys)));
        }
    }
    for (name, default) in [
        ("allow_duplicate_values", true),
        ("include_brackets", true),
        ("allow_empty_values", false),
        ("recursive", false),
    ] {
        if let Some(truth) = settings.truth(name, &mut work.told).filter(|truth| *truth != default)
        {
            if name == "recursive" {
                work.told.missing(settings.place(), "`recursive` of kv is not translated");
            } else {
                kv.push((name.to_owned(), truth.into()));
            }
        }
    }
    if settings.text("whitespace", &mut work.told).is_none_or(|how| how != "strict") {
        kv.push(("whitespace".to_owned(), "lenient".into()));
    }
    let mut step = Table::default();
    step.set("kv", Node::Table(kv));
    tag_on_failure(&mut step, settings, work);
    vec![step]
}

pub(super) fn csv(settings: &mut Settings<'_>, work: &mut Work<'_>) -> Vec<Table> {
    let mut csv = vec![("field".to_owned(), Node::from(source("source", settings, work)))];
    target(settings, work, &mut csv);
    let columns = settings.texts("columns", &mut work.told);
    if !columns.is_empty() {
        let columns = columns.iter().map(|name| work.names.write(name));
        csv.push(("columns".to_owned(), list(columns)));
    }
    for (theirs, ours) in [("separator", "separator"), ("quote_char", "quote")] {
        if let Some(text) = settings.text(theirs, &mut work.told) {
            csv.push((ours.to_owned(), unescaped(&text).into()));
        }
    }
    if settings.truth("skip_empty_columns", &mut work.told) == Some(true) {
        csv.push(("skip_empty_columns".to_owned(), true.into()));
    }
    for (name, default) in [("autogenerate_column_names", true), ("skip_header", false)] {
        if let Some(truth) = settings.truth(name, &mut work.told).filter(|truth| *truth != default)
        {
            csv.push((name.to_owned(), truth.into()));
        }
    }
    for name in ["autodetect_column_names", "skip_empty_rows"] {
        if let Some(setting) = settings.take(name)
            && text(&setting.value, work.variable, &mut work.told).as_deref() == Some("true")
        {
            let message =
                format!("`{name}` needs lines in a row, a step sees one: name the columns");
            work.told.missing(setting.place, message);
        }
    }
    let mut step = Table::default();
    step.set("csv", Node::Table(csv));
    tag_on_failure(&mut step, settings, work);
    with_conversions("convert", step, settings, work)
}

/// A step for each field of `mapping`.
pub(super) fn dissect(settings: &mut Settings<'_>, work: &mut Work<'_>) -> Vec<Table> {
    let mut steps = Vec::new();
    let mut failure = Table::default();
    tag_on_failure(&mut failure, settings, work);
    for (field, pattern) in named_texts("mapping", settings, work) {
        let mut step = failure.clone();
        let dissect = vec![
            ("field".to_owned(), Node::from(work.names.read(&field))),
            ("mapping".to_owned(), pattern.into()),
        ];
        step.entries.insert(0, ("dissect", Node::Table(dissect)));
        steps.push(step);
    }
    let last = steps.pop().unwrap_or_default();
    let mut rest = with_conversions("convert_datatype", last, settings, work);
    steps.append(&mut rest);
    steps
}

/// The step, and one after it that converts what it read.
fn with_conversions(
    name: &str,
    step: Table,
    settings: &mut Settings<'_>,
    work: &mut Work<'_>,
) -> Vec<Table> {
    let mut converted = Vec::new();
    for (field, kind) in named_texts(name, settings, work) {
        let kind = if kind == "int" { "integer".to_owned() } else { kind };
        if matches!(kind.as_str(), "integer" | "float" | "boolean" | "string") {
            converted.push((work.names.write(&field), Node::from(kind)));
        } else {
            let message =
                format!("`{field}` cannot be converted to {kind}, a date step can read it");
            work.told.missing(settings.place(), message);
        }
    }
    if converted.is_empty() {
        return vec![step];
    }
    let mut second = Table::default();
    let convert = Node::Table(converted);
    second.set("mutate", Node::Table(vec![("convert".to_owned(), convert)]));
    vec![step, second]
}

/// The field below which what is read is put.
fn target(settings: &mut Settings<'_>, work: &mut Work<'_>, action: &mut Vec<(String, Node)>) {
    if let Some(target) = settings.text("target", &mut work.told) {
        action.push(("target".to_owned(), work.names.write(&target).into()));
    }
}

/// Characters of which some are written as in a regular expression: `\t`, `\|`, `\\`.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('t') => out.push('\t'),
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            other => out.push(other),
        }
    }
    out
}
