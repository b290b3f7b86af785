//! The pack `linux/behaviour` says enough of each kind of behaviour.
//!
//! What counts as a condition: a part of a rule's detection with a name of its own that looks at more
//! than which program runs. Filters do not count, nor does what a condition denies, nor do two parts of
//! the same content.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands and say why")]

use std::collections::{BTreeMap, BTreeSet};

use bergfried_rules::builtin;
use serde_json::Value;

const PACK: &str = "rules/linux/behaviour/";

/// The kinds that the pack is for, beside `execution`.
const KINDS: [&str; 5] =
    ["exfiltration", "privilege-escalation", "reconnaissance", "security-tamper", "side-channel"];

/// Fields that say which program runs, or by which system call an event came about.
const PROGRAM: [&str; 4] = ["Image", "process.name", "auditd.syscall", "event.type"];

#[test]
fn more_than_two_hundred_conditions_are_told_apart() {
    let mut conditions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in builtin() {
        let Some((kind, _)) = source.file.strip_prefix(PACK).and_then(|file| file.split_once('/'))
        else {
            continue;
        };
        for document in source.text.split("\n---\n") {
            let rule: Value = yaml_serde::from_str(document).unwrap();
            conditions.entry(kind.to_owned()).or_default().extend(told_apart(&rule));
        }
    }
    for kind in KINDS {
        assert!(conditions[kind].len() >= 15, "{kind}: {}", conditions[kind].len());
    }
    let distinct: BTreeSet<&String> = KINDS.iter().flat_map(|kind| &conditions[*kind]).collect();
    assert!(distinct.len() >= 200, "{}", distinct.len());
}

/// The content of every part of the rule that counts.
fn told_apart(rule: &Value) -> Vec<String> {
    let Some(detection) = rule.get("detection").and_then(Value::as_object) else {
        return Vec::new();
    };
    let condition = detection["condition"].as_str().unwrap();
    detection
        .iter()
        .filter(|(name, _)| *name != "condition" && !name.starts_with("filter"))
        .filter(|(name, _)| !condition.contains(&format!("not {name}")))
        .filter(|(_, part)| looks_at_more_than_the_program(part))
        .map(|(_, part)| part.to_string())
        .collect()
}

fn looks_at_more_than_the_program(part: &Value) -> bool {
    match part {
        Value::Array(parts) => parts.iter().any(looks_at_more_than_the_program),
        Value::Object(fields) => {
            // busybox is told by its first argument which program it is to be.
            let is_busybox = fields.get("Image|endswith").is_some_and(|image| image == "/busybox");
            !is_busybox
                && fields.keys().any(|key| {
                    let field = key.split('|').next().unwrap_or(key);
                    !PROGRAM.contains(&field)
                })
        }
        _ => false,
    }
}
