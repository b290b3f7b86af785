//! Logstash's own samples of its patterns, where they are at hand.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::*;
use crate::{Names, float, integer};

/// Lines of JSON: a pattern, a text, and what it captures.
const SAMPLES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpora/labelled_sample/grok.jsonl");

fn flat(prefix: &str, value: &Value, into: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let name =
                    if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                flat(&name, member, into);
            }
        }
        value => drop(into.insert(prefix.to_owned(), value.clone())),
    }
}

fn read(grok: &Grok, text: &str) -> Option<BTreeMap<String, Value>> {
    let mut captures = Captures::new();
    if grok.captures(text, &mut captures) != Outcome::Matched {
        return None;
    }
    let mut fields: BTreeMap<String, Value> = BTreeMap::new();
    for (field, text) in grok.values(text, &captures) {
        let value = match field.kind {
            FieldKind::Text => Value::from(text),
            FieldKind::Integer => Value::from(integer(text)),
            FieldKind::Float => Value::from(float(text)),
        };
        match fields.get_mut(&field.name) {
            None => drop(fields.insert(field.name.clone(), value)),
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Some(fields)
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn captures_what_logstash_does() {
    let Ok(samples) = std::fs::read_to_string(SAMPLES) else {
        eprintln!("skipped: {SAMPLES} is absent");
        return;
    };
    let mut compared = 0;
    for line in samples.lines() {
        let sample: Value = serde_json::from_str(line).unwrap();
        let names = if sample["mode"] == "legacy" { Names::Legacy } else { Names::Ecs };
        let expression = format!("%{{{}}}", sample["pattern"].as_str().unwrap());
        let grok =
            Grok::new(&expression, &Patterns::with_names(names), &Options::default()).unwrap();
        let text = sample["input"].as_str().unwrap();
        let mut expected = BTreeMap::new();
        flat("", &sample["captures"], &mut expected);
        let expected = sample["match"].as_bool().unwrap().then_some(expected);
        assert_eq!(read(&grok, text), expected, "{line}");
        compared += 1;
    }
    assert!(compared > 10);
}
