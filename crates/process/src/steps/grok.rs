//! `grok`: reads fields out of a text by patterns, as Logstash's filter of that name does.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bergfried_event::{Event, FieldName, Value};
use bergfried_grok::{FieldKind, Grok, Names, Options, Outcome as Found, Patterns, float, integer};
use serde::{Deserialize, Serialize};

use super::{Action, Kind, Outcome};
use crate::compile::Compile;
use crate::config::StepFile;
use crate::scene::{Scene, add_tag, part, text};
use crate::texts::Texts;
use crate::trace::{PatternResult, PatternTrace};

/// The word added to `tags` where a pattern was too hard.
const TIMEOUT: &str = "_groktimeout";
/// The largest pattern file, in bytes.
pub(crate) const MAX_FILE: usize = 4 << 20;

/// `grok = { patterns = ["%{IP:source.ip} %{WORD:http.request.method}"] }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GrokFile {
    /// The field that `patterns` are tried on; absent: `message`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Patterns, tried in order.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub patterns: Texts,
    /// Field → patterns, for more fields than one.
    #[serde(rename = "match", skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Texts>,
    /// Whether the first pattern that matches is the last that is tried. Absent: true.
    #[serde(skip_serializing_if = "is_true")]
    pub break_on_match: bool,
    /// Fields that a capture replaces; to others it is added, so that they become a list.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub overwrite: Texts,
    /// The field below which captures are put; absent: at the top.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Name → the pattern that it stands for, besides the standard ones.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub definitions: BTreeMap<String, String>,
    /// Files of definitions, `NAME pattern` on each line.
    #[serde(skip_serializing_if = "Texts::is_empty")]
    pub pattern_files: Texts,
    /// The names that the standard patterns give to fields: `ecs` (`source.address`) or `legacy`
    /// (`clientip`). Absent: `ecs`.
    #[serde(skip_serializing_if = "is_ecs")]
    pub names: FieldNames,
    /// Whether only `%{SYNTAX:field}` becomes a field, `%{SYNTAX}` does not. Absent: true.
    #[serde(skip_serializing_if = "is_true")]
    pub named_captures_only: bool,
    /// Whether what is captured and empty becomes a field. Absent: false.
    #[serde(skip_serializing_if = "is_false")]
    pub keep_empty_captures: bool,
    /// Words added to `tags` where a pattern took more steps than it may. Absent: `_groktimeout`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag_on_timeout: Option<Texts>,
}

/// The names that standard patterns give to fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldNames {
    /// Those of the Elastic Common Schema.
    #[default]
    Ecs,
    /// Those from before.
    Legacy,
}

impl Default for GrokFile {
    fn default() -> Self {
        GrokFile {
            field: None,
            patterns: Texts::default(),
            fields: BTreeMap::new(),
            break_on_match: true,
            overwrite: Texts::default(),
            target: None,
            definitions: BTreeMap::new(),
            pattern_files: Texts::default(),
            names: FieldNames::Ecs,
            named_captures_only: true,
            keep_empty_captures: false,
            tag_on_timeout: None,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_true(value: &bool) -> bool {
    *value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_false(value: &bool) -> bool {
    !*value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_ecs(names: &FieldNames) -> bool {
    *names == FieldNames::Ecs
}

pub(crate) const KIND: Kind = Kind {
    key: "grok",
    about: "Reads fields by patterns in Logstash's syntax, tried in order; a value captured into a \
            field that is there already makes a list of it, unless `overwrite` names it.",
    example: "grok = { patterns = [\"%{SYSLOGTIMESTAMP:syslog_timestamp} %{SYSLOGHOST:syslog_hostname} \
              %{GREEDYDATA:syslog_message}\"] }\nadd_field = { received_from = \"%{observer.ip}\" }",
    failure_tag: Some("_grokparsefailure"),
    is_set: |step| step.grok.is_some(),
    compile,
    files: |step| step.grok.as_ref().map(|grok| grok.pattern_files.0.clone()).unwrap_or_default(),
};

struct GrokStep {
    /// The field, and where its expressions begin.
    fields: Vec<(FieldName<'static>, Vec<Expression>)>,
    break_on_match: bool,
    tags_on_timeout: Vec<String>,
}

struct Expression {
    grok: Grok,
    source: String,
    /// For each of the expression's fields: its name here, and whether it replaces.
    names: Vec<(FieldName<'static>, bool)>,
}

fn compile(step: &StepFile, compile: &mut Compile<'_>) -> Option<Box<dyn Action>> {
    let file = step.grok.as_ref()?;
    let patterns = definitions(file, compile);
    let compiler = Compiler {
        patterns: &patterns,
        overwrite: compile.at("overwrite", |compile| {
            let names = file.overwrite.0.iter().enumerate();
            names
                .filter_map(|(index, name)| {
                    compile.nth(index, |compile| compile.writable_here(name))
                })
                .collect()
        }),
        options: Options {
            named_captures_only: file.named_captures_only,
            keep_empty_captures: file.keep_empty_captures,
            ..Options::default()
        },
        target: match &file.target {
            Some(target) => Some(compile.writable("target", target)?),
            None => None,
        },
    };
    let mut fields = Vec::new();
    if !file.patterns.is_empty() {
        let name = compile.readable("field", file.field.as_deref().unwrap_or("message"))?;
        let expressions = compile.at("patterns", |c| compiler.expressions(&file.patterns, c));
        fields.push((name, expressions));
    } else if file.field.is_some() {
        compile.at("field", |compile| {
            compile.mistake("`patterns` are missing that are to be tried on it".to_owned());
        });
    }
    compile.at("match", |compile| {
        for (name, expressions) in &file.fields {
            compile.at(name, |compile| {
                let expressions = compiler.expressions(expressions, compile);
                fields.extend(compile.readable_here(name).map(|name| (name, expressions)));
            });
        }
    });
    if file.patterns.is_empty() && file.fields.is_empty() {
        compile.mistake("no pattern is given, expected `patterns` or `match`".to_owned());
    }
    let tags = file.tag_on_timeout.clone().unwrap_or_else(|| TIMEOUT.into());
    Some(Box::new(GrokStep {
        fields,
        break_on_match: file.break_on_match,
        tags_on_timeout: tags.0,
    }))
}

/// The standard definitions and those that the step adds.
fn definitions(file: &GrokFile, compile: &mut Compile<'_>) -> Patterns {
    let mut patterns = Patterns::with_names(match file.names {
        FieldNames::Ecs => Names::Ecs,
        FieldNames::Legacy => Names::Legacy,
    });
    compile.at("pattern_files", |compile| {
        for (index, path) in file.pattern_files.0.iter().enumerate() {
            compile.nth(index, |compile| {
                let Some(bytes) = compile.file(path) else { return };
                let read = match std::str::from_utf8(&bytes) {
                    _ if bytes.len() > MAX_FILE => {
                        Err(format!("it is larger than {MAX_FILE} bytes"))
                    }
                    Ok(text) => patterns.add_file_text(text).map_err(|error| error.to_string()),
                    Err(_) => Err("it is no text in UTF-8".to_owned()),
                };
                if let Err(error) = read {
                    compile.mistake(format!("cannot use the pattern file `{path}`: {error}"));
                }
            });
        }
    });
    compile.at("definitions", |compile| {
        for (name, expression) in &file.definitions {
            if let Err(error) = patterns.define(name, expression) {
                compile.at(name, |compile| compile.mistake(error));
            }
        }
    });
    patterns
}

/// What all expressions of a step are compiled with.
struct Compiler<'c> {
    patterns: &'c Patterns,
    overwrite: Vec<FieldName<'static>>,
    options: Options,
    target: Option<FieldName<'static>>,
}

impl Compiler<'_> {
    fn expressions(&self, sources: &Texts, compile: &mut Compile<'_>) -> Vec<Expression> {
        let each = sources.0.iter().enumerate();
        each.filter_map(|(index, source)| {
            compile.nth(index, |compile| self.expression(source, compile))
        })
        .collect()
    }

    fn expression(&self, source: &str, compile: &mut Compile<'_>) -> Option<Expression> {
        let grok = match Grok::new(source, self.patterns, &self.options) {
            Ok(grok) => grok,
            Err(error) => {
                compile.mistake(format!("cannot use the pattern: {error}"));
                return None;
            }
        };
        let mut names = Vec::with_capacity(grok.fields().len());
        for field in grok.fields() {
            let name = match &self.target {
                Some(target) => FieldName::new(format!("{target}.{}", field.name)),
                None => compile.writable_here(&field.name)?,
            };
            let replaces = self.overwrite.contains(&name);
            names.push((name, replaces));
        }
        Some(Expression { grok, source: source.to_owned(), names })
    }
}

impl Action for GrokStep {
    fn run<'e>(&'e self, event: &mut Event<'e>, scene: &mut Scene<'_>) -> Outcome {
        let (mut matched, mut hard, mut number) = (false, None, 0);
        'fields: for (name, expressions) in &self.fields {
            let first = number;
            number += expressions.len();
            let Some(text) = text(event, name) else { continue };
            for (place, expression) in (first..).zip(expressions) {
                match expression.search(place, name, &text, scene) {
                    Found::Matched => {
                        expression.take(event, &text, scene);
                        matched = true;
                        if self.break_on_match {
                            break 'fields;
                        }
                    }
                    Found::No => {}
                    Found::TooHard => hard = Some(place + 1),
                }
            }
        }
        if hard.is_some() {
            for tag in &self.tags_on_timeout {
                add_tag(event, tag.as_str());
            }
        }
        match hard {
            _ if matched => Outcome::Done,
            Some(place) => Outcome::TooHard(
                format!("pattern {place} took more steps than it may on this text").into(),
            ),
            None => Outcome::Failed("no pattern matches".into()),
        }
    }

    fn patterns(&self) -> Vec<(String, String)> {
        let all = self.fields.iter().flat_map(|(_, expressions)| expressions);
        all.map(|one| (one.source.clone(), one.grok.engine().as_str().to_owned())).collect()
    }
}

impl Expression {
    /// Tries the expression, counts, and says what came of it to who watches.
    fn search(
        &self,
        place: usize,
        field: &FieldName<'_>,
        text: &str,
        scene: &mut Scene<'_>,
    ) -> Found {
        let begun = scene.clock.map(|clock| clock());
        let found = self.grok.captures(text, scene.captures);
        let nanoseconds =
            scene.clock.zip(begun).map(|(clock, begun)| clock().saturating_sub(begun));
        if let Some(counts) = scene.patterns.get_mut(place) {
            counts.tried += 1;
            counts.matched += u64::from(found == Found::Matched);
            counts.too_hard += u64::from(found == Found::TooHard);
            if let Some(nanoseconds) = nanoseconds {
                counts.measured += 1;
                counts.nanoseconds += nanoseconds;
            }
        }
        if let Some(watched) = scene.watched.as_deref_mut() {
            watched.push(PatternTrace {
                number: place + 1,
                field: field.as_str().to_owned(),
                pattern: self.source.clone(),
                engine: self.grok.engine().as_str().to_owned(),
                result: match found {
                    Found::Matched => PatternResult::Matched,
                    Found::No => PatternResult::NotMatched,
                    Found::TooHard => PatternResult::TooHard,
                },
                nanoseconds: nanoseconds.unwrap_or_default(),
            });
        }
        found
    }

    /// Sets what was captured.
    #[expect(clippy::ptr_arg, reason = "whether it is borrowed decides whether its parts are")]
    fn take<'e>(&'e self, event: &mut Event<'e>, text: &Cow<'e, str>, scene: &mut Scene<'_>) {
        let mut values: Vec<(usize, Value<'e>)> = Vec::with_capacity(self.names.len());
        for (field, value) in self.grok.values(text, scene.captures) {
            let known = self.grok.fields().iter().position(|known| std::ptr::eq(known, field));
            let Some(place) = known else { continue };
            let value = match field.kind {
                FieldKind::Text => Value::Text(part(text, value)),
                FieldKind::Integer => Value::Int(integer(value)),
                FieldKind::Float => Value::Float(float(value)),
            };
            values.push((place, value));
        }
        let mut done: Vec<&FieldName<'static>> = Vec::with_capacity(values.len());
        for (place, value) in values {
            let Some((name, replaces)) = self.names.get(place) else { continue };
            let again = done.contains(&name);
            match event.get_named(name) {
                Some(_) if again => scene.append(event, name.borrowed(), value),
                // What another parser read already is not said twice.
                Some(known) if !*replaces && known.to_text() == value.to_text() => {}
                Some(_) if !*replaces => scene.append(event, name.borrowed(), value),
                _ => scene.set(event, name.borrowed(), value),
            }
            done.push(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use bergfried_event::Timestamp;

    use super::*;
    use crate::steps::tests::{chain_of, context, run};
    use crate::{Chains, Files};

    #[test]
    fn captures_become_fields() {
        for (step, before, after) in [
            (
                r#"grok = { patterns = "%{IP:source.ip}:%{POSINT:[source][port]:int} %{WORD:verb}" }"#,
                r#"{"message":"192.0.2.7:22 get"}"#,
                r#"{"message":"192.0.2.7:22 get","source.ip":"192.0.2.7","source.port":22,"verb":"get"}"#,
            ),
            (
                r#"grok = { field = "a", patterns = ["^x", "%{NUMBER:n:float}"] }"#,
                r#"{"a":"1.5"}"#,
                r#"{"a":"1.5","n":1.5}"#,
            ),
            (
                r#"grok = { patterns = "%{WORD:a} %{WORD:a}" }"#,
                r#"{"message":"x x"}"#,
                r#"{"message":"x x","a":["x","x"]}"#,
            ),
            (
                r#"grok = { patterns = "%{WORD:a}" }"#,
                r#"{"message":"x","a":"y"}"#,
                r#"{"a":["y","x"],"message":"x"}"#,
            ),
            (
                r#"grok = { patterns = "%{WORD:a} %{GREEDYDATA:message}", overwrite = ["message", "a"] }"#,
                r#"{"message":"x rest","a":"y"}"#,
                r#"{"a":"x","message":"rest"}"#,
            ),
            (
                r#"grok = { patterns = "%{MINE:a}", definitions = { MINE = "b+" } }"#,
                r#"{"message":"abbc"}"#,
                r#"{"message":"abbc","a":"bb"}"#,
            ),
            (
                r#"grok = { match = { a = "%{WORD:x}", b = "%{WORD:y}" }, break_on_match = false }"#,
                r#"{"a":"1","b":"2"}"#,
                r#"{"a":"1","b":"2","x":"1","y":"2"}"#,
            ),
            (
                r#"grok = { patterns = "%{WORD:x}", target = "app" }"#,
                r#"{"message":"1"}"#,
                r#"{"message":"1","app.x":"1"}"#,
            ),
            (
                r#"grok = { patterns = "%{IP:x}" }
                   add_tag = "found""#,
                r#"{"message":"no"}"#,
                r#"{"message":"no","tags":["_grokparsefailure"]}"#,
            ),
            (
                r#"grok = { field = "absent", patterns = "%{IP:x}" }"#,
                r#"{"message":"no"}"#,
                r#"{"message":"no","tags":["_grokparsefailure"]}"#,
            ),
            (
                r#"grok = { patterns = "%{HTTPDATE:timestamp}" }"#,
                r#"{"message":"10/Oct/2000:13:55:36 -0700"}"#,
                r#"{"message":"10/Oct/2000:13:55:36 -0700","timestamp":"10/Oct/2000:13:55:36 -0700"}"#,
            ),
        ] {
            assert_eq!(run(step, before), after, "{step}");
        }
    }

    #[test]
    fn what_is_captured_is_borrowed_from_the_record() {
        let chains = chain_of(r#"grok = { field = "event.original", patterns = "%{WORD:a}" }"#);
        let mut meter = chains.meter(Box::new(|| 0));
        let mut event = Event::new(Timestamp::from_seconds(0), "word");
        let _verdict = chains.apply(&mut event, &context(), &mut meter);
        let Some(Value::Text(Cow::Borrowed("word"))) = event.get_named(&FieldName::new("a")) else {
            panic!("{event:?}");
        };
    }

    #[test]
    fn mistakes_say_where() {
        for (step, part) in [
            (
                r#"grok = { patterns = ["%{WORD:a}", "%{WORDD:a}"] }"#,
                "chain[0].step[0].grok.patterns[1]: cannot use the pattern: no pattern is named WORDD",
            ),
            (r#"grok = { patterns = "%{IP:observer.ip}" }"#, "`observer.ip` can only be read"),
            (
                r#"grok = { patterns = "%{IP:[event][original]}" }"#,
                "`event.original` can only be read",
            ),
            (r#"grok = {}"#, "no pattern is given"),
            (r#"grok = { patterns = "x", pattern_files = "p" }"#, "cannot read the file `p`"),
            (r#"grok = { patterns = "x", overwrite = "input.name" }"#, "can only be read"),
        ] {
            let text = format!("[[chain]]\nname = 'test'\n[[chain.step]]\n{step}");
            let told = Chains::compile(&crate::steps::tests::chains(&text), &Files::default());
            let told = told.unwrap_err();
            assert!(told.iter().any(|one| one.to_string().contains(part)), "{step}: {}", told[0]);
        }
    }
}
