//! `grok`.

use bergfried_event::{Field, FieldName};

use super::{named_texts, tag_on_failure};
use crate::Work;
use crate::names::{Message, dotted};
use crate::settings::{Settings, texts as texts_of};
use crate::toml::{Node, Table, list, texts};

/// A step for each field that is matched.
pub(super) fn steps(settings: &mut Settings<'_>, work: &mut Work<'_>) -> Vec<Table> {
    let mut fields: Vec<(String, Vec<String>)> = Vec::new();
    for (name, value) in settings.pairs("match", &mut work.told) {
        let patterns = texts_of(value, work.variable, &mut work.told);
        add(&mut fields, &work.names.read(&name), patterns);
    }
    // Its name before Logstash 1.2.
    let old = settings.texts("pattern", &mut work.told);
    if !old.is_empty() {
        add(&mut fields, &work.names.read("message"), old);
    }
    if fields.is_empty() {
        work.told.missing(settings.place(), "grok has no pattern");
    }
    let overwrite = settings.texts("overwrite", &mut work.told);
    let target = settings.text("target", &mut work.told).map(|target| work.names.write(&target));
    let mut shared = shared(settings, work);
    if work.names.legacy {
        shared.push(("names".to_owned(), "legacy".into()));
    }
    if let Some(target) = &target {
        shared.push(("target".to_owned(), target.as_str().into()));
    }
    let mut failure = Table::default();
    tag_on_failure(&mut failure, settings, work);
    let many = fields.len() > 1;
    if many {
        let message = "each field of `match` is matched by a step of its own; the fields and tags \
                       that grok adds are added where the last one matches";
        work.told.differs(settings.place(), message);
    }
    let mut steps = Vec::new();
    for (field, patterns) in fields {
        let patterns: Vec<String> = patterns.iter().map(|pattern| renamed(pattern, work)).collect();
        let overwritten = overwritten(&patterns, &overwrite, target.is_some(), settings, work);
        let mut grok =
            vec![("field".to_owned(), field.into()), ("patterns".to_owned(), list(patterns))];
        if !overwritten.is_empty() {
            grok.push(("overwrite".to_owned(), list(overwritten)));
        }
        grok.extend(shared.iter().cloned());
        let mut step = failure.clone();
        step.entries.insert(0, ("grok", Node::Table(grok)));
        steps.push(step);
    }
    steps
}

fn add(fields: &mut Vec<(String, Vec<String>)>, name: &str, patterns: Vec<String>) {
    match fields.iter_mut().find(|(known, _)| known == name) {
        Some((_, known)) => known.extend(patterns),
        None => fields.push((name.to_owned(), patterns)),
    }
}

/// The settings that hold for every field.
fn shared(settings: &mut Settings<'_>, work: &mut Work<'_>) -> Vec<(String, Node)> {
    let mut shared = Vec::new();
    let mut set = |name: &str, value: Node| shared.push((name.to_owned(), value));
    let definitions = named_texts("pattern_definitions", settings, work);
    if !definitions.is_empty() {
        let definitions =
            definitions.into_iter().map(|(name, text)| (name, renamed(&text, work).into()));
        set("definitions", Node::Table(definitions.collect()));
    }
    let files = pattern_files(settings, work);
    if !files.is_empty() {
        set("pattern_files", list(files));
    }
    for (name, default) in
        [("break_on_match", true), ("named_captures_only", true), ("keep_empty_captures", false)]
    {
        if let Some(truth) = settings.truth(name, &mut work.told).filter(|truth| *truth != default)
        {
            set(name, truth.into());
        }
    }
    let tags = settings.texts("tag_on_timeout", &mut work.told);
    if !tags.is_empty() {
        set("tag_on_timeout", texts(tags));
    }
    if let Some(setting) = settings.take_any(&["timeout_millis", "timeout_scope"]) {
        let message = "the time of a pattern is bounded by steps, the same for all patterns";
        work.told.differs(setting.place, message);
    }
    settings.ignore(&["timeout_scope", "singles"]);
    shared
}

/// The files in the directories of patterns.
fn pattern_files(settings: &mut Settings<'_>, work: &mut Work<'_>) -> Vec<String> {
    let directories = settings.texts("patterns_dir", &mut work.told);
    let names = settings.text("patterns_files_glob", &mut work.told);
    let names = names.as_deref().unwrap_or("*");
    let mut files = Vec::new();
    for directory in directories {
        match (work.directory)(&directory, names) {
            Some(mut found) => files.append(&mut found),
            None => {
                let message = format!(
                    "cannot read the directory `{directory}`: name its files in `pattern_files`"
                );
                work.told.missing(settings.place(), message);
            }
        }
    }
    files
}

/// The names whose old value a capture takes the place of: those that grok says, and those that our
/// own parsers may have set before.
fn overwritten(
    patterns: &[String],
    overwrite: &[String],
    below_target: bool,
    settings: &Settings<'_>,
    work: &mut Work<'_>,
) -> Vec<String> {
    let mut names: Vec<String> = overwrite.iter().map(|name| work.names.write(name)).collect();
    if below_target {
        return names;
    }
    for name in patterns.iter().flat_map(|pattern| captures(pattern)) {
        let name = dotted(&name);
        let known = FieldName::new(name.as_str());
        let own = matches!(known, FieldName::Known(Field::Tags | Field::Timestamp))
            || known == FieldName::Known(Field::Message) && work.names.message == Message::Copied;
        let is_new = !names.iter().any(|other| FieldName::new(other.as_str()) == known);
        if own || !is_new || !matches!(known, FieldName::Known(_)) {
            continue;
        }
        if name == "host" {
            let message = "the captured host becomes `host.name` alone; Logstash makes a list of it \
                           and the sender's address";
            work.told.differs(settings.place(), message);
        }
        names.push(name);
    }
    names
}

/// The pattern with the names of captures that cannot be used here replaced.
fn renamed(pattern: &str, work: &Work<'_>) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut end = 0;
    for (start, name) in places(pattern) {
        let ours = work.names.write(name);
        if FieldName::new(dotted(name)) != FieldName::new(ours.as_str()) {
            out.push_str(pattern.get(end..start).unwrap_or_default());
            out.push('[');
            out.push_str(&ours.replace('.', "]["));
            out.push(']');
            end = start + name.len();
        }
    }
    out.push_str(pattern.get(end..).unwrap_or_default());
    out
}

/// The names of the captures of a pattern, as they are written in it.
pub(crate) fn captures(pattern: &str) -> Vec<String> {
    places(pattern).into_iter().map(|(_, name)| name.to_owned()).collect()
}

/// Each capture's name and where it starts: `%{SYNTAX:name:type}` and `(?<name>…)`.
fn places(pattern: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (at, _) in pattern.match_indices("%{") {
        let inside = pattern.get(at + 2..).and_then(|rest| rest.split('}').next());
        let Some((syntax, rest)) = inside.and_then(|inside| inside.split_once(':')) else {
            continue;
        };
        let name = rest.split(':').next().unwrap_or_default();
        if !name.is_empty() {
            found.push((at + 3 + syntax.len(), name));
        }
    }
    for (at, _) in pattern.match_indices("(?<") {
        let Some(name) = pattern.get(at + 3..).and_then(|rest| rest.split('>').next()) else {
            continue;
        };
        if !name.is_empty() && !name.starts_with(['=', '!']) && name.len() < 256 {
            found.push((at + 3, name));
        }
    }
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_are_found() {
        for (pattern, expected) in [
            ("%{DATA:a} %{IP} %{INT:b:int}", &["a", "b"][..]),
            (
                r"\[%{HTTPDATE:[@metadata][t]}\] (?<[x][y]>z)(?<=k)(?<n>\d)",
                &["[@metadata][t]", "[x][y]", "n"],
            ),
            ("%{", &[]),
            ("%{A:}", &[]),
        ] {
            assert_eq!(captures(pattern), expected, "{pattern}");
        }
    }
}
