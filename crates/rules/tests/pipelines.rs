//! Processing pipelines: each transformation by the rule that it should make of another, faults by
//! their places, and whole pipelines over events.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test may stop where it stands and say why"
)]

use std::path::Path;
use std::sync::Arc;

use bergfried_event::{Event, Field, FieldName, Timestamp};
use bergfried_query::Predicate;
use bergfried_rules::{Diagnostic, Engine, Limits, Options, Pipeline, RuleSet, Source};
use proptest::prelude::*;
use proptest::sample::Index;

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

/// Whether the conditions let a transformation of this rule through.
fn applies(conditions: &str, rules: &str) -> bool {
    let pipeline = format!(
        "transformations:\n- {{id: first, type: set_state, key: k, val: v}}\n\
         - type: add_condition\n  conditions: {{added: x}}\n{conditions}"
    );
    meaning(rules, &[&pipeline]).contains("added")
}

#[test]
fn conditions_look_at_the_rule() {
    let text = rule("sel: {A|contains: whoami, B: null}\ncondition: sel");
    for (condition, expected) in [
        ("{type: logsource, product: Windows}", true),
        ("{type: logsource, product: windows, service: sysmon}", false),
        ("{type: contains_detection_item, field: A, value: '*whoami*'}", true),
        ("{type: contains_detection_item, field: A, value: whoami}", false),
        ("{type: contains_field, field: B}", true),
        ("{type: contains_field, field: C}", false),
        ("{type: is_sigma_rule}", true),
        ("{type: is_sigma_correlation_rule}", false),
        ("{type: tag, tag: attack.t1059}", true),
        ("{type: tag, tag: attack.t1060}", false),
        ("{type: processing_item_applied, processing_item_id: first}", true),
        ("{type: processing_item_applied, processing_item_id: second}", false),
        ("{type: processing_state, key: k, val: v}", true),
        ("{type: processing_state, key: k, val: w}", false),
        ("{type: processing_state, key: backend, val: bergfried}", true),
        ("{type: rule_attribute, attribute: title, value: a}", true),
        ("{type: rule_attribute, attribute: title, value: b, op: ne}", true),
        ("{type: rule_attribute, attribute: level, value: medium, op: gt}", true),
        ("{type: rule_attribute, attribute: level, value: high, op: lt}", false),
        ("{type: rule_attribute, attribute: status, value: experimental, op: gte}", true),
        ("{type: rule_attribute, attribute: date, value: 2025-06-01, op: lte}", true),
        ("{type: rule_attribute, attribute: date, value: 2025-06-02, op: gte}", false),
        ("{type: rule_attribute, attribute: level, value: [low, high], op: in}", true),
        ("{type: rule_attribute, attribute: level, value: [low, high], op: not_in}", false),
        ("{type: rule_attribute, attribute: absent, value: x, op: ne}", false),
    ] {
        let of = |negated: bool| {
            format!("  rule_conditions: [{condition}]\n  rule_cond_not: {negated}\n")
        };
        assert_eq!(applies(&of(false), &text), expected, "{condition}");
        assert_eq!(applies(&of(true), &text), !expected, "not {condition}");
    }
}

#[test]
fn conditions_are_linked() {
    let text = rule("sel: {A: 1}\ncondition: sel");
    let (yes, no) = ("type: is_sigma_rule", "type: is_sigma_correlation_rule");
    for (conditions, expected) in [
        (format!("[{{{yes}}}, {{{no}}}]\n  rule_cond_op: and"), false),
        (format!("[{{{yes}}}, {{{no}}}]\n  rule_cond_op: or"), true),
        (format!("{{y: {{{yes}}}, n: {{{no}}}}}\n  rule_cond_expr: y and not n"), true),
        (format!("{{y: {{{yes}}}, n: {{{no}}}}}\n  rule_cond_expression: not (y or n)"), false),
    ] {
        let conditions = format!("  rule_conditions: {conditions}\n");
        assert_eq!(applies(&conditions, &text), expected, "{conditions}");
    }
}

#[test]
fn pipelines_run_in_the_order_of_their_priorities() {
    let prefix = |prefix: &str, priority: i64| {
        format!(
            "name: {prefix}\npriority: {priority}\ntransformations:\n\
             - {{type: field_name_prefix, prefix: {prefix}.}}\n"
        )
    };
    let text = rule("sel: {A: 1}\ncondition: sel");
    let late = prefix("late", 50);
    let (one, two) = (prefix("one", 10), prefix("two", 10));
    let is = meaning(&text, &[&late, &one, &two]);
    assert!(is.contains("late.two.one.A"), "{is}");
}

#[test]
fn log_sources_change_and_nests_share_conditions() {
    let text = rule("sel: {A: 1}\ncondition: sel");
    let pipeline = "
transformations:
- id: group
  type: nest
  rule_conditions: [{type: logsource, product: windows}]
  field_name_conditions: [{type: include_fields, fields: [A]}]
  items:
  - {type: field_name_suffix, suffix: b, id: inner}
  - {type: field_name_suffix, suffix: c}
- {type: change_logsource, product: windows, service: sysmon}
- type: add_field
  field: [X, Y]
  rule_conditions: [{type: logsource, service: sysmon}, {type: processing_item_applied, processing_item_id: inner}]
- {type: remove_field, field: Y}
- {type: set_custom_attribute, attribute: team, value: blue}
- type: add_field
  field: Z
  rule_conditions: [{type: rule_attribute, attribute: team, value: blue}]
";
    let (rules, said) = load(&text, &[pipeline]);
    let rule = &rules.rules()[0];
    assert_eq!(rule.logsource().as_deref(), Some("windows/*/sysmon"), "{said:?}");
    assert_eq!(rule.fields(), ["X", "Z"]);
    assert!(format!("{:?}", rule.predicate()).contains("\"Ab\""), "{:?}", rule.predicate());
}

#[test]
fn placeholders_are_filled_or_told_of() {
    let with = |value: &str| rule(&format!("sel:\n  A|expand: {value}\ncondition: sel"));
    let vars = "vars: {a: [x, 'y*', 7], b: z}\ntransformations:\n- type: value_placeholders\n";
    for (pipelines, before, after) in [
        (vec![vars], "'%a%'", "sel: {A: [x, 'y*', 7]}"),
        (vec![vars], "'%a%-%b%'", "sel: {A: [x-z, 'y*-z', 7-z]}"),
        (vec![vars], "'100% %b% 5%'", "sel: {A: '100% z 5%'}"),
        (vec![vars], r"'C:\Users\%b%\x'", r"sel: {A: 'C:\Users\z\x'}"),
        (vec!["transformations: [{type: wildcard_placeholders}]"], "'u-%c%'", "sel: {A: 'u-*'}"),
        (vec!["placeholders: {c: [1, 2]}"], "'%c%'", "sel: {A: [1, 2]}"),
        (vec!["placeholders: {a: q}", vars], "'%a%%b%'", "sel: {A: [xz, 'y*z', 7z]}"),
        (
            vec![
                "placeholders: {a: q}\nvars: {b: z}\ntransformations: [{type: value_placeholders, exclude: [a]}]",
            ],
            "'%a%%b%'",
            "sel: {A: qz}",
        ),
    ] {
        let after = rule(&format!("{after}\ncondition: sel"));
        assert_eq!(meaning(&with(before), &pipelines), meaning(&after, &[]), "{before}");
    }
    let several = rule("sel: {A|contains|all|expand: ['%a%', k]}\ncondition: sel");
    let meant = rule("a: {A|contains: [x, 'y*', 7]}\nk: {A|contains: k}\ncondition: a and k");
    assert_eq!(meaning(&several, &[vars]), meaning(&meant, &[]));
    let networks = rule("sel: {ip|cidr|expand: '%n%'}\ncondition: sel");
    let meant = rule("sel: {ip|cidr: [10.0.0.0/8, '::1/128']}\ncondition: sel");
    let given = "placeholders: {n: [10.0.0.0/8, '::1/128']}";
    assert_eq!(meaning(&networks, &[given]), meaning(&meant, &[]));

    let (rules, said) = load(&with("['%a%', '%admins%']"), &[vars]);
    assert_eq!(
        said,
        [
            "r.yml:10:24: warning: this rule is loaded but never fires: the placeholder `admins` has no values"
        ]
    );
    let class = rules.rules()[0].class();
    assert_eq!(class.to_string(), "unsupported: the placeholder `admins` has no values");
}

#[test]
fn pipelines_refuse_rules() {
    let text = rule("sel: {A: 1, B: x}\ncondition: sel");
    for (transformations, reason) in [
        (
            "- {type: rule_failure, message: not here, rule_conditions: [{type: logsource, product: windows}]}",
            "r.yml:1:1: warning: this rule is loaded but never fires: it is refused: not here (pipeline `p.yml`)",
        ),
        (
            "- {type: detection_item_failure, message: no B, field_name_conditions: [{type: include_fields, fields: [B]}]}",
            "r.yml:9:15: warning: this rule is loaded but never fires: it is refused: no B (pipeline `p.yml`)",
        ),
        (
            "- {type: field_name_mapping, mapping: {A: X}}\n- {type: strict_field_mapping_failure}",
            "r.yml:9:15: warning: this rule is loaded but never fires: no mapping covers the field `B` (pipeline `p.yml`)",
        ),
        (
            "- {type: drop_detection_item}",
            "r.yml:1:1: warning: this rule is loaded but never fires: all that its condition asks for was dropped by a pipeline",
        ),
        (
            "- {type: convert_type, target_type: num}",
            "r.yml:9:18: warning: this rule is loaded but never fires: `x` is no number (pipeline `p.yml`)",
        ),
        (
            "- {type: add_condition, conditions: {i: '{vars.nothing}'}}",
            "r.yml:1:1: warning: this rule is loaded but never fires: a condition is added with the variable `nothing`, which is not one value (pipeline `p.yml`)",
        ),
        (
            "- {type: replace_string, regex: '', replacement: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'}\n"
                .repeat(8)
                .leak() as &str,
            "r.yml:1:1: warning: this rule is loaded but never fires: a value grows beyond 65536 bytes (pipeline `p.yml`)",
        ),
        (
            "- {type: field_name_mapping, mapping: {A: [A, B], B: [A, B]}}\n".repeat(20).leak(),
            "r.yml:1:1: warning: this rule is loaded but never fires: a selection grows beyond 10000 items (pipeline `p.yml`)",
        ),
    ] {
        let pipeline = format!("transformations:\n{transformations}");
        let (rules, said) = load(&text, &[&pipeline]);
        assert_eq!(said, [reason], "{transformations}");
        assert_eq!(rules.rules()[0].class().word(), "unsupported");
    }
}

#[test]
fn faults_of_pipelines_are_placed() {
    for (text, expected) in [
        ("", "p.yml:1:1: there is no pipeline in this file"),
        ("- a", "p.yml:1:1: a pipeline must be a mapping of keys such as `transformations`"),
        ("name: a", "p.yml:1:1: missing `transformations` (or `placeholders`)"),
        (
            "transformations: []\nid: x",
            "p.yml:2:1: unknown key `id`, expected name, priority, allowed_backends, vars, transformations, postprocessing, finalizers or placeholders",
        ),
        ("priority: high\ntransformations: []", "p.yml:1:1: `priority` must be a whole number"),
        ("transformations:\n  - id: a", "p.yml:2:5: missing `type`"),
        (
            "transformations:\n  - id: a\n    type: query_expression_placeholders\n    expression: x",
            "p.yml:3:5: the transformation `query_expression_placeholders` is not supported: there is no query language behind, give the values with `value_placeholders`",
        ),
        (
            "transformations:\n- type: set_state\n  key: a\n- type: field_name_mapping\n  maping: {a: b}",
            "p.yml:2:3: missing `val`",
        ),
        ("transformations:\n- type: field_name_prefix\n  prefix: 5", "p.yml:3:3: expected a text"),
        (
            "transformations:\n- type: replace_string\n  regex: '(?<=x)y'\n  replacement: z",
            "p.yml:3:3: cannot use regular expression `(?<=x)y`: error: look-around, including look-ahead and look-behind, is not supported",
        ),
        (
            "transformations:\n- type: drop_detection_item\n  rule_cond_op: or",
            "p.yml:3:3: `rule_cond_op` has no `rule_conditions`",
        ),
        (
            "transformations:\n- type: drop_detection_item\n  rule_conditions:\n  - type: logsorce",
            "p.yml:4:5: unknown condition type `logsorce`, expected logsource, contains_detection_item, contains_field, processing_item_applied, processing_state, is_sigma_rule, is_sigma_correlation_rule, rule_attribute or tag, did you mean `logsource`?",
        ),
        (
            "transformations:\n- type: drop_detection_item\n  rule_conditions:\n    a: {type: is_sigma_rule}\n  rule_cond_expr: a and b",
            "p.yml:5:3: unknown condition `b`, expected a",
        ),
        (
            "transformations:\n- type: drop_detection_item\n  rule_conditions:\n  - type: rule_attribute\n    attribute: level\n    value: hihg",
            "p.yml:6:5: unknown level `hihg`, expected informational, low, medium, high or critical, did you mean `high`?",
        ),
        (
            "transformations:\n- type: nest\n  items:\n  - type: case\n    method: lowr",
            "p.yml:5:5: unknown method `lowr`, expected lower, upper or snake_case, did you mean `lower`?",
        ),
        (
            "transformations:\n- type: add_condition\n  conditions:\n    a|contians: x",
            "p.yml:4:5: unknown modifier `contians`",
        ),
        (
            "transformations: []\n---\ntransformations: []",
            "p.yml:3:1: expected one pipeline, write each in its own file",
        ),
        ("transformations: [", "p.yml:2:1: cannot read YAML"),
    ] {
        let (pipeline, said) = pipeline(text);
        assert!(pipeline.is_none(), "{text}");
        assert!(said[0].to_lowercase().starts_with(&expected.to_lowercase()), "{text}\n{said:?}");
    }
    let near = "transformations:\n- {id: first, type: case}\n- type: drop_detection_item\n  \
                rule_conditions:\n  - type: processing_item_applied\n    processing_item_id: frist\n";
    let (read, said) = pipeline(near);
    assert!(read.is_some());
    assert_eq!(
        said,
        ["p.yml:6:5: warning: no transformation here has the id `frist`, did you mean `first`?"]
    );
    // Every transformation is read, not the first wrong one alone.
    let (_, said) = pipeline("transformations:\n- {type: a}\n- {type: case}\n- {type: b}");
    assert_eq!(said.len(), 2, "{said:?}");
    let (pipeline, said) =
        pipeline("transformations: []\npostprocessing:\n- {type: embed}\nfinalizers: []");
    assert!(pipeline.is_some());
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("p.yml:2:1: warning: `postprocessing` is left out"), "{said:?}");
}

const LOGINS: &str = "
title: failed
name: failed
logsource: {product: linux, service: sshd}
detection: {sel: {event.action: f}, condition: sel}
---
title: guesses
logsource: {product: linux, service: sshd}
bergfried: {first-seen: {group-by: [who], baseline: machine, learning: 1s}}
detection: {sel: {event.action: f}, condition: sel}
---
title: many
tags: [mine]
correlation:
  type: value_count
  rules: [failed]
  group-by: [machine, alias]
  aliases: {alias: {failed: where}}
  timespan: 1h
  condition: {gte: 2, field: who}
";
const NAMES: &str = "
transformations:
- type: field_name_mapping
  mapping: {who: user.name, machine: host.name, where: source.ip}
  rule_conditions: [{type: logsource, service: sshd}]
";

fn event(seconds: i64, user: &str) -> Event<'static> {
    let mut event = Event::new(Timestamp::from_seconds(seconds), "line");
    event.set(Field::EventAction, "f");
    event.set(Field::ProcessName, "sshd");
    event.set(Field::HostName, "h");
    event.set(Field::SourceIp, "192.0.2.1");
    event.set(Field::UserName, user.to_owned());
    event
}

fn titles(rules: RuleSet) -> Vec<String> {
    let mut engine = Engine::new(Arc::new(rules), Limits::default());
    let mut findings = Vec::new();
    for (index, user) in ["a", "b"].into_iter().enumerate() {
        engine.observe(&event(index as i64 * 10, user), index as u64, &mut findings);
    }
    engine.flush(&mut findings);
    findings.into_iter().map(|finding| finding.rule_name).collect()
}

#[test]
fn fields_that_rules_group_by_are_renamed() {
    let (rules, _) = load(LOGINS, &[]);
    assert_eq!(titles(rules), Vec::<String>::new());
    let (rules, said) = load(LOGINS, &[NAMES]);
    assert_eq!(said, Vec::<String>::new());
    assert_eq!(titles(rules), ["guesses", "many"]);
    // Conditions on the correlation itself.
    let of_correlation = NAMES.replace(
        "{type: logsource, service: sshd}",
        "{type: is_sigma_correlation_rule}, {type: tag, tag: mine}",
    );
    assert_eq!(titles(load(LOGINS, &[&of_correlation]).0), ["many"]);

    let several = NAMES.replace("user.name", "[user.name, user.id]");
    let (rules, said) = load(LOGINS, &[&several]);
    assert_eq!(
        said,
        [
            "r.yml:7:1: warning: this rule is loaded but never fires: `who` is grouped by or counted, and becomes several fields (pipeline `p.yml`)",
            "r.yml:12:1: warning: this rule is loaded but never fires: `who` is grouped by or counted, and becomes several fields (pipeline `p.yml`)",
        ]
    );
    let classes: Vec<&str> = rules.rules().iter().map(|rule| rule.class().word()).collect();
    assert_eq!(classes, ["active", "unsupported", "unsupported"]);
}

#[test]
fn filters_are_changed_as_the_rules_that_they_narrow() {
    let rules = "
title: logins
id: logins
logsource: {product: linux, service: sshd}
detection: {sel: {event.action: f}, condition: sel}
---
title: not him
logsource: {product: linux}
filter:
  rules: [logins]
  sel: {who|expand: '%known%'}
  condition: not sel
";
    let change = "
transformations:
- {type: change_logsource, product: linux, service: auth}
- {type: add_condition, conditions: {process.name: sshd}}
";
    let values = "placeholders: {known: [a, x]}";
    let (loaded, said) = load(rules, &[NAMES, change, values]);
    assert_eq!(said, Vec::<String>::new());
    assert_eq!(loaded.rules()[0].logsource().as_deref(), Some("linux/*/auth"));
    assert_eq!(titles(loaded), ["logins"], "of two events");
    let (_, said) = load(rules, &[NAMES]);
    assert_eq!(
        said,
        ["r.yml:10:11: this filter cannot be used: the placeholder `known` has no values"]
    );
}

/// A pipeline that changes nothing leaves every rule of SigmaHQ's corpus with its meaning.
#[test]
fn what_is_not_changed_keeps_its_meaning() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora/sigma/rules");
    let mut sources = bergfried_rules::builtin();
    if root.exists() {
        collect(&root, &mut sources);
    } else {
        eprintln!("skipped: {} is not here", root.display());
    }
    let nothing = "transformations: [{type: set_state, key: a, val: b}]";
    let (plain, _) = RuleSet::load(sources.clone());
    let (transformed, _) = RuleSet::load_with(sources, &options(&[nothing]));
    assert_eq!(plain.len(), transformed.len());
    for (plain, transformed) in plain.rules().iter().zip(transformed.rules()) {
        assert_eq!(plain.class(), transformed.class(), "{}", plain.id());
        let (before, after) = (plain.predicate(), transformed.predicate());
        assert_eq!(before.map(flat), after.map(flat), "{}", plain.file());
    }
}

fn collect(directory: &Path, sources: &mut Vec<Source>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "yml") {
            let text = std::fs::read_to_string(&path).unwrap();
            sources.push(Source { file: path.display().to_string(), text });
        }
    }
}

/// Many kinds of transformations and conditions, to be broken.
const WHOLE: &str = "
name: x
priority: 3
vars: {a: [x, 1], b: y}
transformations:
- id: one
  type: field_name_mapping
  mapping:
    A: [B, C]
  rule_conditions:
    l: {type: logsource, product: windows}
    t: {type: tag, tag: x}
  rule_cond_expr: l and not t
- type: replace_string
  regex: '(a+)b*'
  replacement: '\\1-\\g<1>'
  detection_item_conditions: [{type: match_string, cond: any, pattern: 'x.*'}]
- type: nest
  items: [{type: add_condition, template: true, conditions: {i|contains: '$product{vars.b}'}}]
- {type: value_placeholders, include: [a]}
- {type: map_string, mapping: {xbx: [a, b], a: c}}
- {type: hashes_fields, valid_hash_algos: [MD5]}
placeholders: {c: [1, 2]}
";

proptest! {
    /// Whatever stands in a pipeline or in a rule: no panic, and faults have a place.
    #[test]
    fn broken_pipelines_do_no_harm(
        cuts in prop::collection::vec((any::<Index>(), 0_usize..12, "[-a-c{}\\[\\]:,|%*\\\\'\n $]{0,6}"), 0..4),
        value in "[ab*?%\\\\,=|x]{0,12}",
    ) {
        let mut text = WHOLE.to_owned();
        for (at, length, insert) in &cuts {
            let start = at.index(text.len());
            let end = text.len().min(start + length);
            text.replace_range(start..end, insert);
        }
        let (read, said) = pipeline(&text);
        for line in &said {
            prop_assert!(line.starts_with("p.yml:"), "{}", line);
        }
        prop_assert!(read.is_some() || !said.is_empty());
        prop_assert!(read.is_some() || !cuts.is_empty(), "{:?}", said);
        let options = Options { pipelines: read.into_iter().collect(), ..Options::default() };
        let quoted = value.replace('\'', "''");
        let rule = rule(&format!("sel: {{A|contains|expand: '{quoted}', Hashes: '{quoted}', B|re: x}}\ncondition: 1 of *"));
        let (rules, _) = RuleSet::load_with([source("r.yml", &rule)], &options);
        prop_assert!(rules.len() <= 1);
    }
}

const SHAPES: &[(&str, &str)] = &[
    ("sysmon", include_str!("shapes/sysmon.yml")),
    ("audit", include_str!("shapes/audit.yml")),
    ("ecs", include_str!("shapes/ecs.yml")),
];

fn shape(name: &str) -> &'static str {
    SHAPES.iter().find(|(known, _)| *known == name).unwrap().1
}

/// A rule for new processes, and one event as each of the pipelines expects it.
#[test]
fn pipelines_of_common_shapes_fit_rules_to_their_events() {
    let text = rule(
        "sel:\n  Image|endswith: '\\whoami.exe'\n  User|contains: adm\n  IntegrityLevel: [High, System]\n\
         hash:\n  Hashes|contains: 'MD5=0123456789ABCDEF0123456789ABCDEF'\ncondition: sel or hash",
    );
    let hash = "0123456789abcdef0123456789abcdef";
    let image = r"C:\Windows\System32\whoami.exe";
    let sysmon = [
        ("EventID", "1"),
        ("Channel", "Microsoft-Windows-Sysmon/Operational"),
        ("Image", image),
        ("User", r"CORP\adm1"),
        ("IntegrityLevel", "High"),
    ];
    let audit = [
        ("EventID", "4688"),
        ("Provider_Name", "Microsoft-Windows-Security-Auditing"),
        ("NewProcessName", image),
        ("SubjectUserName", "adm1"),
        ("MandatoryLabel", "S-1-16-16384"),
    ];
    let ecs = [
        ("event.module", "win-process_creation"),
        ("process.executable", image),
        ("user.target.name", "adm1"),
        ("own.IntegrityLevel", "system"),
    ];
    let hashed = [("event.module", "win-process_creation"), ("process.hash.MD5", hash)];
    let events: [(&str, &[(&str, &str)]); 4] =
        [("sysmon", &sysmon), ("audit", &audit), ("ecs", &ecs), ("ecs", &hashed)];
    for (name, _) in SHAPES {
        let (rules, said) = load(&text, &[shape(name)]);
        let predicate = rules.rules()[0].predicate().unwrap();
        for (of, fields) in events {
            let holds = |left_out: Option<usize>| {
                let mut event = Event::new(Timestamp::from_seconds(0), "line");
                for (index, (field, value)) in fields.iter().enumerate() {
                    if Some(index) != left_out {
                        event.set_named(FieldName::new(*field), *value);
                    }
                }
                predicate.matches(&event)
            };
            assert_eq!(holds(None), of == *name, "{name} over {of}: {said:?}\n{predicate:?}");
            assert!((0..fields.len()).all(|index| !holds(Some(index))), "{name} over {of}");
        }
    }
    let (rules, _) = load(&text, &[shape("audit"), shape("sysmon")]);
    assert_eq!(rules.rules()[0].logsource().as_deref(), Some("windows/*/sysmon"));
    let loads = text.replace("process_creation", "image_load");
    let (rules, _) = load(&loads, &[shape("audit")]);
    assert_eq!(
        rules.rules()[0].class().reason(),
        "it is refused: the Security log has no loads of images (pipeline `processes of the Security log`)"
    );
}

/// Every rule of SigmaHQ's corpus still loads through them, or says why it is not supported.
#[test]
fn sigma_hq_goes_through_pipelines_of_common_shapes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora/sigma/rules");
    if !root.exists() {
        eprintln!("skipped: {} is not here", root.display());
        return;
    }
    let mut sources = Vec::new();
    collect(&root, &mut sources);
    let unsupported = |rules: &RuleSet| {
        rules.rules().iter().filter(|rule| rule.class().word() == "unsupported").count()
    };
    let (plain, _) = RuleSet::load(sources.clone());
    assert!(plain.len() > 100 && unsupported(&plain) == 0, "{}", plain.len());
    for (name, text) in SHAPES {
        let (rules, diagnostics) = RuleSet::load_with(sources.clone(), &options(&[text]));
        let errors: Vec<String> =
            diagnostics.iter().filter(|d| d.is_error()).map(ToString::to_string).collect();
        assert_eq!(errors, Vec::<String>::new(), "{name}");
        assert_eq!(rules.len(), plain.len(), "{name}");
        let refused = unsupported(&rules);
        eprintln!("{name}: {refused} of {} rules are refused", rules.len());
        assert!(refused * 4 < rules.len(), "{name}: {refused}");
        assert!(refused == 0 || *name == "audit", "{name}: {refused}");
    }
}
