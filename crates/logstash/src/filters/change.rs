//! `mutate`, `date` and `drop`.

use bergfried_event::FieldName;

use super::{named_texts, tag_on_failure};
use crate::Work;
use crate::names::is_reserved;
use crate::settings::{Settings, texts as texts_of};
use crate::toml::{Node, Table, texts};

/// A step for its changes, after others for what has to happen before.
pub(super) fn mutate(settings: &mut Settings<'_>, work: &mut Work<'_>) -> Vec<Table> {
    let mut changes: Vec<(String, Node)> = Vec::new();
    let mut steps = renames(settings, work, &mut changes);
    let mut set = |name: &str, pairs: Vec<(String, String)>| {
        if !pairs.is_empty() {
            changes.push((name.to_owned(), table(pairs)));
        }
    };
    for name in ["coerce", "update", "replace"] {
        let pairs = named_texts(name, settings, work).into_iter();
        set(
            name,
            pairs.map(|(to, text)| (work.names.write(&to), work.names.text(&text))).collect(),
        );
    }
    for name in ["convert", "split", "join"] {
        let pairs = named_texts(name, settings, work).into_iter();
        set(name, pairs.map(|(field, how)| (work.names.write(&field), how)).collect());
    }
    let copied = named_texts("copy", settings, work).into_iter();
    set("copy", copied.map(|(from, to)| (work.names.read(&from), work.names.write(&to))).collect());
    merge(settings, work, &mut changes);
    substitute(settings, work, &mut changes);
    for name in ["uppercase", "capitalize", "lowercase", "strip"] {
        let fields = settings.texts(name, &mut work.told);
        if !fields.is_empty() {
            let fields = fields.iter().map(|field| work.names.write(field)).collect();
            changes.push((name.to_owned(), texts(fields)));
        }
    }
    // A name of remove_field before Logstash 2.
    let removed = settings.texts("remove", &mut work.told);
    if !removed.is_empty() {
        let removed = removed.iter().map(|field| work.names.write(field)).collect();
        changes.push(("remove".to_owned(), texts(removed)));
    }
    let mut step = Table::default();
    if !changes.is_empty() {
        step.set("mutate", Node::Table(changes));
    }
    tag_on_failure(&mut step, settings, work);
    steps.push(step);
    steps
}

/// What is renamed. What cannot be taken away is copied, what becomes `@timestamp` is read as a time,
/// and what is renamed twice waits for a step of its own: these steps come back.
fn renames(
    settings: &mut Settings<'_>,
    work: &mut Work<'_>,
    changes: &mut Vec<(String, Node)>,
) -> Vec<Table> {
    let mut steps = Vec::new();
    let mut copied = Vec::new();
    let mut groups: Vec<Vec<(String, String)>> = vec![Vec::new()];
    for (from, to) in named_texts("rename", settings, work) {
        let (from, to) = (work.names.read(&from), work.names.write(&to));
        if to == "@timestamp" {
            work.names.dated = true;
            let mut step = Table::default();
            let date = [("field", from.as_str()), ("formats", "ISO8601")];
            let date = date.map(|(name, value)| (name.to_owned(), value.into()));
            step.set("date", Node::Table(date.into()));
            step.set("remove_field", from);
            steps.push(step);
        } else if is_kept(&from) {
            copied.push((from, to));
        } else if from != to {
            let touches =
                |(one, other): &(String, String)| [one, other].contains(&&from) || *one == to;
            if groups.last().is_some_and(|group| group.iter().any(touches)) {
                groups.push(Vec::new());
            }
            if let Some(group) = groups.last_mut() {
                group.push((from, to));
            }
        }
    }
    let mut early = |name: &str, pairs: Vec<(String, String)>| {
        let mut step = Table::default();
        step.set("mutate", Node::Table(vec![(name.to_owned(), table(pairs))]));
        steps.push(step);
    };
    if !copied.is_empty() {
        early("copy", copied);
    }
    let last = groups.pop().unwrap_or_default();
    for group in groups {
        early("rename", group);
    }
    if !last.is_empty() {
        changes.push(("rename".to_owned(), table(last)));
    }
    steps
}

fn table(pairs: Vec<(String, String)>) -> Node {
    Node::Table(pairs.into_iter().map(|(name, value)| (name, value.into())).collect())
}

/// Whether a field cannot be taken away, so that renaming it is copying it.
fn is_kept(name: &str) -> bool {
    is_reserved(name) || matches!(FieldName::new(name).as_str(), "log.file.path" | "@timestamp")
}

fn merge(settings: &mut Settings<'_>, work: &mut Work<'_>, changes: &mut Vec<(String, Node)>) {
    let mut merged: Vec<(String, Node)> = Vec::new();
    for (to, value) in settings.pairs("merge", &mut work.told) {
        let from = texts_of(value, work.variable, &mut work.told);
        let from = from.iter().map(|field| work.names.read(field)).collect();
        merged.push((work.names.write(&to), texts(from)));
    }
    if !merged.is_empty() {
        changes.push(("merge".to_owned(), Node::Table(merged)));
    }
}

/// Triples of a field, an expression and what takes the place of its matches.
fn substitute(settings: &mut Settings<'_>, work: &mut Work<'_>, changes: &mut Vec<(String, Node)>) {
    let mut triples = Vec::new();
    for setting in settings.take_all("gsub") {
        let parts = texts_of(&setting.value, work.variable, &mut work.told);
        for triple in parts.chunks(3) {
            match triple {
                [field, expression, text] => triples.push(Node::List(vec![
                    work.names.write(field).into(),
                    expression.as_str().into(),
                    text.as_str().into(),
                ])),
                _ => work.told.missing(setting.place, "`gsub` has no three texts for each change"),
            }
        }
    }
    if !triples.is_empty() {
        changes.push(("gsub".to_owned(), Node::List(triples)));
    }
}

pub(super) fn date(settings: &mut Settings<'_>, work: &mut Work<'_>) -> Vec<Table> {
    let mut parts = settings.texts("match", &mut work.told).into_iter();
    let Some(field) = parts.next() else {
        work.told.missing(settings.place(), "date has no `match`");
        return Vec::new();
    };
    let mut date = vec![
        ("field".to_owned(), Node::from(work.names.read(&field))),
        ("formats".to_owned(), texts(parts.collect())),
    ];
    if let Some(zone) = settings.text("timezone", &mut work.told) {
        date.push(("time_zone".to_owned(), zone.into()));
    }
    let target = settings.text("target", &mut work.told);
    let target = target.map(|target| work.names.write(&target));
    match target.filter(|target| target != "@timestamp") {
        Some(target) => date.push(("target".to_owned(), target.into())),
        None => work.names.dated = true,
    }
    if let Some(setting) = settings.take("locale") {
        let locale = texts_of(&setting.value, work.variable, &mut work.told).concat();
        if !locale.to_ascii_lowercase().starts_with("en") {
            let message =
                format!("names of months and days are read in English, not in `{locale}`");
            work.told.missing(setting.place, message);
        }
    }
    let mut step = Table::default();
    step.set("date", Node::Table(date));
    tag_on_failure(&mut step, settings, work);
    vec![step]
}

pub(super) fn drop(settings: &mut Settings<'_>, work: &mut Work<'_>) -> Vec<Table> {
    let mut drop = Vec::new();
    if let Some(share) = settings.text("percentage", &mut work.told) {
        match share.parse() {
            Ok(share @ 1..=99) => drop.push(("percentage".to_owned(), Node::Whole(share))),
            Ok(100) => {}
            _ => work.told.missing(settings.place(), format!("`{share}` is no percentage")),
        }
    }
    let mut step = Table::default();
    step.set("drop", Node::Table(drop));
    vec![step]
}
