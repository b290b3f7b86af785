//! Processing pipelines: each transformation by the rule that it should make of another, faults by
//! their places, and whole pipelines over events.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop where it stands and say why"
)]

use bergfried_query::Predicate;
use bergfried_rules::{Diagnostic, Options, Pipeline, RuleSet, Source};

fn source(file: &str, text: &str) -> Source {
    Source { file: file.to_owned(), text: text.to_owned() }
}

fn texts(diagnostics: &[Diagnostic]) -> Vec<String> {
    diagnostics.iter().map(ToString::to_string).collect()
}

fn pipeline(text: &str) -> (Option<Pipeline>, Vec<String>) {
    let mut diagnostics = Vec::new();
    let pipeline = Pipeline::read(&source("p.yml", text), &mut diagnostics);
    (pipeline, texts(&diagnostics))
}

fn options(pipelines: &[&str]) -> Options {
    let read = |text: &&str| {
        let (pipeline, said) = pipeline(text);
        assert!(pipeline.is_some(), "{said:?}\n{text}");
        pipeline.unwrap()
    };
    Options { pipelines: pipelines.iter().map(read).collect(), ..Options::default() }
}

fn load(rules: &str, pipelines: &[&str]) -> (RuleSet, Vec<String>) {
    let (rules, diagnostics) = RuleSet::load_with([source("r.yml", rules)], &options(pipelines));
    (rules, texts(&diagnostics))
}

/// A rule for Windows processes, whose fields keep their names.
fn rule(detection: &str) -> String {
    let indented = detection.replace('\n', "\n  ");
    format!(
        "title: a\nid: one\nlevel: high\nstatus: test\ndate: 2025-06-01\ntags: [attack.t1059]\n\
         logsource: {{product: windows, category: process_creation}}\ndetection:\n  {indented}\n"
    )
}

/// What the only rule of these asks for.
fn meaning(rules: &str, pipelines: &[&str]) -> String {
    let (rules, said) = load(rules, pipelines);
    assert_eq!(rules.len(), 1, "{said:?}");
    assert_ne!(rules.rules()[0].class().word(), "unsupported");
    format!("{:?}", flat(rules.rules()[0].predicate().unwrap()))
}

/// The same with no conjunction right in another.
fn flat(predicate: &Predicate) -> Predicate {
    let Predicate::And(inner) = predicate else { return predicate.clone() };
    let parts = inner.iter().map(flat).flat_map(|part| match part {
        Predicate::And(parts) => parts,
        other => vec![other],
    });
    Predicate::And(parts.collect())
}

/// The pipeline makes of the first detection what the second one says.
fn becomes(transformations: &str, before: &str, after: &str) {
    let pipeline =
        format!("vars:\n  admins: [root, 'adm*']\n  one: x1\ntransformations:\n{transformations}");
    assert_eq!(
        meaning(&rule(before), &[&pipeline]),
        meaning(&rule(after), &[]),
        "{transformations}\n{before}"
    );
}

const SEL: &str = "condition: sel";

#[test]
fn names_of_fields_change() {
    for (transformation, before, after) in [
        (
            "- {type: field_name_mapping, mapping: {A: X}}",
            "sel: {A|endswith: 1, B: 2}",
            "sel: {X|endswith: 1, B: 2}",
        ),
        (
            "- {type: field_name_mapping, mapping: {A: [Y, Z]}}",
            "sel: {A|contains|all: [b, c]}",
            "sel: [{Y|contains|all: [b, c]}, {Z|contains|all: [b, c]}]",
        ),
        // An event has one of the fields at most: none of them may be there.
        (
            "- {type: field_name_mapping, mapping: {A: [Y, Z]}}",
            "sel: {A: null}",
            "sel: {Y: null, Z: null}",
        ),
        (
            "- {type: field_name_mapping, mapping: {A: [Y, Z]}}",
            "sel: {A|exists: false}",
            "sel: {Y|exists: false, Z|exists: false}",
        ),
        (
            "- {type: field_name_mapping, mapping: {A: [Y, Z]}}",
            "sel: {A|neq: x}",
            "sel: {Y|neq: x, Z|neq: x}",
        ),
        (
            "- {type: field_name_mapping, mapping: {A: [Y, Z]}}",
            "sel: {A: [x, null]}",
            "sel: [{Y: x}, {Z: x}, {Y: null, Z: null}]",
        ),
        (
            "- {type: field_name_mapping, mapping: {A: X, B: Y}}",
            "sel: {A|fieldref: B}",
            "sel: {X|fieldref: Y}",
        ),
        (
            "- {type: field_name_prefix_mapping, mapping: {win.: a., win.proc.: p.}}",
            "sel: {win.x: 1, win.proc.y: 2, lin.z: 3}",
            "sel: {a.x: 1, p.y: 2, lin.z: 3}",
        ),
        ("- {type: field_name_prefix, prefix: p.}", "sel: {A: 1}", "sel: {p.A: 1}"),
        ("- {type: field_name_suffix, suffix: .s}", "sel: {A: 1}", "sel: {A.s: 1}"),
        (
            "- {type: field_name_prefix, prefix: p., field_name_conditions: [{type: include_fields, fields: [A]}]}",
            "sel: {A: 1, B: 2}",
            "sel: {p.A: 1, B: 2}",
        ),
        (
            "- {type: field_name_prefix, prefix: p., field_name_conditions: [{type: exclude_fields, fields: ['A.*'], mode: re}]}",
            "sel: {A1: 1, BA: 2}",
            "sel: {A1: 1, p.BA: 2}",
        ),
        // Names that a mapping made are left out of the next step.
        (
            "- {id: m, type: field_name_mapping, mapping: {A: X}}\n\
             - type: field_name_prefix\n  prefix: p.\n  field_name_cond_not: true\n  \
             field_name_conditions: [{type: processing_item_applied, processing_item_id: m}]",
            "sel: {A: 1, B: 2}",
            "sel: {X: 1, p.B: 2}",
        ),
    ] {
        becomes(transformation, &format!("{before}\n{SEL}"), &format!("{after}\n{SEL}"));
    }
}

#[test]
fn values_change() {
    for (transformation, before, after) in [
        // The examples of the documentation.
        (
            r"- {type: replace_string, regex: '^\*\\([^\\]+)$', replacement: '\1'}",
            r"sel: {A|endswith: '\malware.exe'}",
            "sel: {A: malware.exe}",
        ),
        (
            "- {type: map_string, mapping: {Informational: Info, Critical: [Critical, High]}}",
            "sel: {A: [Informational, Critical, Other]}",
            "sel: {A: [Info, Critical, High, Other]}",
        ),
        (
            "- {type: map_string, mapping: {b: [x, y]}}",
            "sel: {A|all: [a, b]}",
            "one: {A: a}\nsel: {A: [x, y]}\ncondition: one and sel",
        ),
        ("- {type: set_value, value: 4625}", "sel: {A: [1, 2]}", "sel: {A: 4625}"),
        ("- {type: set_value, value: '7', force_type: num}", "sel: {A|re: x}", "sel: {A: 7}"),
        ("- {type: convert_type, target_type: str}", "sel: {A: 443}", "sel: {A: '443'}"),
        ("- {type: convert_type, target_type: num}", "sel: {A: '443'}", "sel: {A: 443}"),
        ("- {type: case, method: upper}", "sel: {A|cased: 'a*b'}", "sel: {A|cased: 'A*B'}"),
        ("- {type: case, method: snake_case}", "sel: {A|cased: FooBar}", "sel: {A|cased: foo_bar}"),
        ("- {type: regex, method: plain}", "sel: {A|contains: Ab}", "sel: {A|contains|cased: Ab}"),
        ("- {type: regex}", "sel: {A|cased: Ab}", "sel: {A: Ab}"),
        (
            r"- {type: replace_string, regex: '\*', replacement: x}",
            "sel: {A|contains: b}",
            "sel: {A: xbx}",
        ),
        (
            r"- {type: replace_string, regex: '^.', replacement: 'c*', skip_special: true}",
            "sel: {A|startswith: bb}",
            r"sel: {A|startswith: 'c\*b'}",
        ),
        (
            r"- {type: replace_string, regex: '^.', replacement: 'c*', skip_special: true, interpret_special: true}",
            "sel: {A|startswith: bb}",
            r"sel: {A|startswith: 'c*b'}",
        ),
        // Expressions, networks and numbers are no texts.
        (
            "- {type: replace_string, regex: '1', replacement: '2'}",
            "sel: {A|re: '1', B|cidr: 10.0.0.1/32, C: 1, D|gte: 1}",
            "sel: {A|re: '1', B|cidr: 10.0.0.1/32, C: 1, D|gte: 1}",
        ),
        (
            "- type: case\n  method: upper\n  detection_item_conditions: [{type: match_string, cond: any, pattern: b}]",
            "sel: {A|cased: [ab, b], B|cased: ab}",
            "sel: {A|cased: [AB, B], B|cased: ab}",
        ),
        (
            "- type: set_value\n  value: 1\n  detection_item_cond_op: or\n  detection_item_conditions: [{type: match_value, cond: all, value: 5}, {type: contains_wildcard, cond: any}, {type: is_null, cond: any}]",
            "sel: {A: 5, B: [5, 6], C: 'x*', D: null}",
            "sel: {A: 1, B: [5, 6], C: 1, D: 1}",
        ),
        (
            "- {type: hashes_fields, valid_hash_algos: [MD5, sha256], field_prefix: File}",
            "sel: {Hashes|contains: ['MD5=0123456789abcdef0123456789abcdef', 'SHA256=aa', '0123456789abcdef0123456789abcdee', 'IMPHASH=1']}",
            "sel: [{FileMD5: 0123456789abcdef0123456789abcdef}, {FileSHA256|startswith: aa}, {FileMD5: 0123456789abcdef0123456789abcdee}, {Hashes: '*IMPHASH=1*'}]",
        ),
        (
            "- {type: hashes_fields, valid_hash_algos: [MD5, SHA1], drop_algo_prefix: true, field_prefix: hash}",
            "sel: {Hashes: 'MD5=12,SHA1=34'}",
            "sel: {hash: '12'}\nother: {hash: '34'}\ncondition: sel and other",
        ),
    ] {
        let after = match after.contains("condition") {
            true => after.to_owned(),
            false => format!("{after}\n{SEL}"),
        };
        becomes(transformation, &format!("{before}\n{SEL}"), &after);
    }
}

#[test]
fn selections_and_conditions_change() {
    for (transformation, before, after) in [
        (
            "- {type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [B]}]}",
            "sel: {A: 1, B: 2}\ncondition: sel",
            "sel: {A: 1}\ncondition: sel",
        ),
        // What is dropped whole asks for nothing any more.
        (
            "- {type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [B]}]}",
            "sel: {A: 1}\nfilter: {B: 2}\nfilter_c: {C: 3}\ncondition: sel and not filter and not 1 of filter_*",
            "sel: {A: 1}\nfilter_c: {C: 3}\ncondition: sel and not 1 of filter_*",
        ),
        (
            "- {type: add_condition, conditions: {index: win, n|gte: 5}}",
            "sel: {A: 1}\nb: {B: 1}\ncondition: sel or b",
            "c: {index: win, n|gte: 5}\nsel: {A: 1}\nb: {B: 1}\ncondition: c and (sel or b)",
        ),
        (
            "- {type: add_condition, negated: true, template: true, conditions: {source: '$product-${category}:{vars.one}$service'}}",
            "sel: {A: 1}\ncondition: sel",
            "c: {source: 'windows-process_creation:x1'}\nsel: {A: 1}\ncondition: not c and sel",
        ),
        // `them` and patterns mean the rule's own selections.
        (
            "- {type: add_condition, conditions: {index: win}}",
            "sel: {A: 1}\nb: {B: 1}\ncondition: 1 of *",
            "c: {index: win}\nsel: {A: 1}\nb: {B: 1}\ncondition: c and (b or sel)",
        ),
        (
            "- {type: add_condition, conditions: {index: win}}",
            "sel: {A: 1}\nb: {B: 1}\ncondition: all of them",
            "c: {index: win}\nsel: {A: 1}\nb: {B: 1}\ncondition: c and (b and sel)",
        ),
    ] {
        becomes(transformation, before, after);
    }
}
