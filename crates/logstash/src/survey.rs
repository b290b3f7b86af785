//! Looks over a whole pipeline before it is translated: what its inputs make of `message`, and to
//! which fields its filters write.

use std::collections::BTreeSet;

use crate::filters::grok::captures;
use crate::names::{Message, Names, dotted};
use crate::syntax::{Item, Pipeline, Plugin, Value, ValueKind};

/// How names are translated in this pipeline.
pub(crate) fn survey(pipeline: &Pipeline) -> Names {
    let mut written = BTreeSet::new();
    each_plugin(&pipeline.filters, &mut |plugin| writes(plugin, &mut written));
    let (mut raw, mut parsed, mut syslog) = (0_usize, 0_usize, 0_usize);
    each_plugin(&pipeline.inputs, &mut |plugin| match plugin.name.as_str() {
        "syslog" => {
            syslog += 1;
            parsed += 1;
        }
        "beats" | "elastic_agent" | "http" => parsed += 1,
        _ => raw += 1,
    });
    let message = if written.contains("message") && (raw > 0 || parsed == 0) {
        Message::Copied
    } else if parsed > 0 && raw == 0 {
        Message::Parsed
    } else {
        Message::Raw
    };
    Names {
        message,
        syslog_input: syslog > 0 && syslog == parsed && raw == 0,
        legacy: is_legacy(pipeline),
        dated: raw == 0 && parsed > 0,
        written,
    }
}

/// Names that the standard patterns for syslog and web servers gave to fields before ECS.
const LEGACY: [&str; 15] = [
    "agent",
    "auth",
    "bytes",
    "clientip",
    "httpversion",
    "ident",
    "loglevel",
    "logsource",
    "program",
    "rawrequest",
    "referrer",
    "request",
    "response",
    "timestamp",
    "verb",
];

/// Whether the pipeline says so, or uses a field of such a name that none of its filters makes.
fn is_legacy(pipeline: &Pipeline) -> bool {
    let mut made = BTreeSet::new();
    let mut used = BTreeSet::new();
    let mut said = false;
    each_plugin(&pipeline.filters, &mut |plugin| {
        for setting in &plugin.settings {
            let value = &setting.value;
            match (plugin.name.as_str(), setting.name.as_str()) {
                ("grok", "ecs_compatibility") => {
                    each_text(value, &mut |text| said |= text == "disabled");
                }
                ("grok", "match" | "pattern" | "pattern_definitions") => {
                    each_text(value, &mut |text| {
                        made.extend(captures(text).iter().map(|name| dotted(name)));
                    })
                }
                (_, "add_field") => keys(value, &mut |name| {
                    made.insert(dotted(name));
                }),
                ("mutate", "rename" | "copy") => {
                    values(value, &mut |name| {
                        made.insert(dotted(name));
                    });
                    keys(value, &mut |name| {
                        used.insert(dotted(name));
                    });
                }
                (_, "target" | "columns" | "mapping") => each_text(value, &mut |name| {
                    made.insert(dotted(name));
                }),
                _ => {
                    keys(value, &mut |name| {
                        used.insert(dotted(name));
                    });
                    each_text(value, &mut |name| {
                        used.insert(dotted(name));
                    });
                }
            }
        }
    });
    said || LEGACY.iter().any(|name| used.contains(*name) && !made.contains(*name))
}

/// Every plugin, also within branches.
pub(crate) fn each_plugin<'p>(items: &'p [Item], each: &mut dyn FnMut(&'p Plugin)) {
    for item in items {
        match item {
            Item::Plugin(plugin) => each(plugin),
            Item::Branch(branch) => {
                for arm in &branch.arms {
                    each_plugin(&arm.items, each);
                }
                each_plugin(&branch.otherwise, each);
            }
        }
    }
}

/// Adds the fields that a filter writes to.
fn writes(plugin: &Plugin, written: &mut BTreeSet<String>) {
    let mut add = |name: &str| {
        written.insert(dotted(name));
    };
    let has = |name: &str| plugin.settings.iter().any(|setting| setting.name == name);
    let filter = plugin.name.as_str();
    // What is read may name any field, and most documents have a message.
    if matches!(filter, "json" | "kv") && !has("target") {
        add("message");
    }
    for setting in &plugin.settings {
        let value = &setting.value;
        match (filter, setting.name.as_str()) {
            (_, "add_field") => keys(value, &mut add),
            ("grok", "match" | "pattern" | "pattern_definitions") => {
                each_text(value, &mut |text| captures(text).iter().for_each(|name| add(name)));
            }
            (
                "mutate",
                "replace" | "update" | "convert" | "split" | "join" | "merge" | "coerce",
            ) => {
                keys(value, &mut add);
            }
            ("mutate", "rename" | "copy") => values(value, &mut add),
            ("mutate", "gsub") => {
                if let ValueKind::Array(parts) = &value.kind {
                    parts.iter().step_by(3).for_each(|part| each_text(part, &mut add));
                }
            }
            ("mutate", "uppercase" | "lowercase" | "strip" | "capitalize")
            | ("csv", "columns")
            | ("dissect", "convert_datatype")
            | (_, "target" | "destination") => each_text(value, &mut add),
            ("dissect", "mapping") => each_text(value, &mut |text| {
                for place in text.split("%{").skip(1) {
                    let name = place.split('}').next().unwrap_or_default();
                    let name = name.trim_start_matches(['+', '&', '*', '?']);
                    add(name.split(['/', '-']).next().unwrap_or_default());
                }
            }),
            _ => {}
        }
    }
}

/// The names of a hash, or the first of each two values of a list.
fn keys(value: &Value, each: &mut dyn FnMut(&str)) {
    match &value.kind {
        ValueKind::Hash(entries) => entries.iter().for_each(|(key, _)| each_text(key, each)),
        ValueKind::Array(parts) => parts.iter().step_by(2).for_each(|part| each_text(part, each)),
        _ => {}
    }
}

/// The values of a hash, or the second of each two values of a list.
fn values(value: &Value, each: &mut dyn FnMut(&str)) {
    match &value.kind {
        ValueKind::Hash(entries) => entries.iter().for_each(|(_, value)| each_text(value, each)),
        ValueKind::Array(parts) => {
            parts.iter().skip(1).step_by(2).for_each(|part| each_text(part, each));
        }
        _ => {}
    }
}

/// Every text of a value, the names of hashes left out.
fn each_text(value: &Value, each: &mut dyn FnMut(&str)) {
    match &value.kind {
        ValueKind::Text(text) | ValueKind::Word(text) => each(text),
        ValueKind::Array(values) => values.iter().for_each(|value| each_text(value, each)),
        ValueKind::Hash(entries) => entries.iter().for_each(|(_, value)| each_text(value, each)),
        ValueKind::Number(_) | ValueKind::Plugin(_) => {}
    }
}
